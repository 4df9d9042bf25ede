import CLinux
import Glibc
import Polling
import Synchronization

/// Opens a socket to a host on a thread of its own, for a task that may stop waiting at any time: the resolver blocks as
/// long as it likes.
enum SocketConnector {
    /// A connected socket that does not block. The caller closes it.
    static func connect(
        host: String, port: UInt16, until deadline: ContinuousClock.Instant, poller: Poller
    ) async throws(LinkError) -> Int32 {
        let attempt = Attempt()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard attempt.wait(with: continuation) else { return }
                poller.schedule(at: deadline) { attempt.end(with: .failure(.timedOut)) }
                Self.start(attempt, host: host, port: port, until: deadline)
            }
        } onCancel: {
            attempt.end(with: .failure(.cancelled))
        }
        return try result.get()
    }

    // MARK: - Private

    private static func start(_ attempt: Attempt, host: String, port: UInt16, until deadline: ContinuousClock.Instant) {
        do {
            try Thread.start(name: "smpp-connect") {
                do throws(LinkError) {
                    let socket = try Self.open(host: host, port: port, until: deadline)
                    if !attempt.end(with: .success(socket)) { close(socket) }
                } catch {
                    attempt.end(with: .failure(error))
                }
            }
        } catch {
            attempt.end(with: .failure(.system(error)))
        }
    }

    /// The first of the host's addresses that answers.
    private static func open(
        host: String, port: UInt16, until deadline: ContinuousClock.Instant
    ) throws(LinkError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, "\(port)", &hints, &first)
        guard status == 0 else { throw .unresolved(String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(first) }
        var failure = LinkError.unresolved("none")
        for address in sequence(first: first, next: { $0?.pointee.ai_next }).prefix(while: { $0 != nil }) {
            guard let address else { break }
            do throws(LinkError) {
                return try Self.open(address.pointee, until: deadline)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func open(_ address: addrinfo, until deadline: ContinuousClock.Instant) throws(LinkError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(address.ai_family, kind, 0)
        guard socket >= 0 else { throw .system(SystemError("socket")) }
        do throws(LinkError) {
            let status = Glibc.connect(socket, address.ai_addr, address.ai_addrlen)
            if status != 0 {
                guard errno == EINPROGRESS else { throw .system(SystemError("connect")) }
                try Self.finish(socket, until: deadline)
            }
            setWithoutDelay(socket)
            return socket
        } catch {
            close(socket)
            throw error
        }
    }

    private static func finish(_ socket: Int32, until deadline: ContinuousClock.Instant) throws(LinkError) {
        let left = (deadline - .now).components
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        let milliseconds = max(0, min(left.seconds, 3600) * 1000 + left.attoseconds / 1_000_000_000_000_000)
        guard poll(&descriptor, 1, Int32(milliseconds)) == 1 else { throw .timedOut }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else { throw .system(SystemError("connect", code: code)) }
    }

    /// One outcome for one waiter, whoever brings it first.
    private final class Attempt: Sendable {
        private enum State {
            case begun
            case awaited(CheckedContinuation<Result<Int32, LinkError>, Never>)
            case ended
        }

        private let state = Mutex(State.begun)

        func wait(with continuation: CheckedContinuation<Result<Int32, LinkError>, Never>) -> Bool {
            let isWanted = self.state.withLock { state in
                // The cancellation may have come first.
                guard case .begun = state else { return false }
                state = .awaited(continuation)
                return true
            }
            if !isWanted { continuation.resume(returning: .failure(.cancelled)) }
            return isWanted
        }

        /// False if something else ended it before.
        @discardableResult
        func end(with result: Result<Int32, LinkError>) -> Bool {
            let former = self.state.withLock { state in
                defer { state = .ended }
                return state
            }
            guard case .awaited(let continuation) = former else { return false }
            continuation.resume(returning: result)
            return true
        }
    }
}

/// Small packets go at once: whoever writes gathers them already.
func setWithoutDelay(_ socket: Int32) {
    var on: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
}
