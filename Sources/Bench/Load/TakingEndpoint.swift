import CLinux
import Glibc
import Polling
import Synchronization

/// A customer's endpoint that takes every request at once, and counts them: a small HTTP/1.1 server on one thread with one epoll,
/// made to cost little, because it shares the processors with what is measured.
final class TakingEndpoint: Sendable {
    let port: UInt16
    private let counter = Counter()
    private let stop = BlockingWork.StopFlag()

    /// Connections that wait to be taken.
    private static let backlog: Int32 = 512

    init() throws {
        let (descriptor, port) = try LocalSocket.listen(backlog: Self.backlog)
        self.port = port
        try Thread.start(name: "endpoint") { [counter, stop] in
            // What is asked of it then goes unanswered, which the bench sees.
            try? EndpointLoop(listening: descriptor, counter).run(stop)
        }
    }

    /// Requests that were taken.
    var count: Int { self.counter.value.load(ordering: .relaxed) }

    /// Its connections are closed within a moment.
    func close() { self.stop.set() }

    fileprivate final class Counter: Sendable {
        let value = Atomic(0)
    }
}

/// Lives on the endpoint's thread.
private final class EndpointLoop {
    private let listening: Int32
    private let epoll: Int32
    private let counter: TakingEndpoint.Counter
    private var readers: [Int32: ResponseReader] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)

    init(listening: Int32, _ counter: TakingEndpoint.Counter) throws {
        self.listening = listening
        self.counter = counter
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard self.epoll >= 0 else { throw SystemError("epoll_create1") }
        try self.watch(listening)
    }

    deinit {
        for descriptor in self.readers.keys { close(descriptor) }
        close(self.listening)
        close(self.epoll)
        self.buffer.deallocate()
    }

    func run(_ stop: BlockingWork.StopFlag) throws {
        var events = [epoll_event](repeating: epoll_event(), count: 128)
        while !stop.isSet {
            let count = epoll_wait(self.epoll, &events, Int32(events.count), 100)
            guard count >= 0 || errno == EINTR else { throw SystemError("epoll_wait") }
            for event in events[..<max(0, Int(count))] {
                let descriptor = Int32(truncatingIfNeeded: event.data.u64)
                if descriptor == self.listening { try self.take() } else { self.read(descriptor) }
            }
        }
    }

    private func take() throws {
        let descriptor = accept(self.listening, nil, nil)
        guard descriptor >= 0 else { return }
        self.readers[descriptor] = ResponseReader(of: .request)
        try self.watch(descriptor)
    }

    private func read(_ descriptor: Int32) {
        let count = recv(descriptor, self.buffer.baseAddress, self.buffer.count, 0)
        guard count > 0 else { return self.drop(descriptor) }
        do {
            let bytes = UnsafeRawBufferPointer(rebasing: self.buffer[..<count])
            guard try self.readers[descriptor]?.read(bytes) != nil else { return }
        } catch {
            return self.drop(descriptor)
        }
        // Few bytes, on a connection whose other end has nothing left to read.
        guard send(descriptor, self.answer, self.answer.count, Int32(MSG_NOSIGNAL)) == self.answer.count else {
            return self.drop(descriptor)
        }
        self.counter.value.add(1, ordering: .relaxed)
    }

    private func drop(_ descriptor: Int32) {
        self.readers[descriptor] = nil
        close(descriptor)
    }

    private func watch(_ descriptor: Int32) throws {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u64: UInt64(descriptor)))
        guard epoll_ctl(self.epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else { throw SystemError("epoll_ctl") }
    }
}
