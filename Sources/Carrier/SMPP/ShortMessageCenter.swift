import Glibc
public import Lifecycle
public import Polling
import SMPP
import Synchronization

/// The carrier's SMSC: takes submissions by SMPP 3.4 on a port of its own, and sends receipts over the sessions that its
/// clients hold. Inbox, faults and statistics are the ``Carrier``'s.
///
/// Beside the faults that every contract has there are four of its own, asked for by these last digits:
///
/// | digits | `fault` | what happens |
/// |---|---|---|
/// | 0041 | `silence` | taken, and never answered |
/// | 0042 | `nack` | not taken, and answered with a `generic_nack` |
/// | 0043 | `unbind` | not taken, and the session is unbound |
/// | 0044 | `receipt_elsewhere` | the receipt comes over another session of the same client, where there is one |
///
/// `refuse` gives `code` as the status, in decimal or as in `0x45`; `receipt_failed` gives it as `err`.
public final class ShortMessageCenter: Service {
    /// Sessions at the same time; further connections are closed at once.
    static let sessionLimit = 1000

    public let name = "smsc"
    private let carrier: Carrier
    private let socket: ListeningSocket
    private let poller: Poller
    private let stop = Signal()

    /// Listens from here on, at a numeric address; port 0 takes any that is free. Throws what the kernel said.
    public init(carrier: Carrier, host: String, port: UInt16, poller: Poller) throws(SystemError) {
        self.carrier = carrier
        self.poller = poller
        self.socket = try ListeningSocket(host: host, port: port)
    }

    public var port: UInt16 { self.socket.port }

    public func run() async throws {
        await withTaskGroup { group in
            group.addTask { await self.accept() }
            await self.stop.wait()
            self.carrier.smppSessions.closeAll()
            group.cancelAll()
        }
    }

    public func drain() { self.stop.ring() }

    // MARK: - Private

    private func accept() async {
        await withDiscardingTaskGroup { group in
            while let descriptor = await self.socket.accept(poller: self.poller) {
                guard self.carrier.smppSessions.count < Self.sessionLimit,
                    let link = try? Link(accepted: descriptor, poller: self.poller)
                else {
                    close(descriptor)
                    continue
                }
                let session = CenterSession(link, carrier: self.carrier)
                self.carrier.smppSessions.insert(session)
                group.addTask {
                    await session.run()
                    self.carrier.smppSessions.remove(session)
                }
            }
            // Whoever is still here was told to go, and has a moment for it.
            try? await Task.sleep(for: .milliseconds(100))
            group.cancelAll()
        }
    }
}

/// A TCP socket that takes connections.
final class ListeningSocket: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init(host: String, port: UInt16) throws(SystemError) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST
        var address: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &address) == 0, let address else {
            throw SystemError("getaddrinfo", code: EINVAL)
        }
        defer { freeaddrinfo(address) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        self.descriptor = socket(address.pointee.ai_family, kind, 0)
        guard self.descriptor >= 0 else { throw SystemError("socket") }
        var on: Int32 = 1
        setsockopt(self.descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(self.descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
            listen(self.descriptor, 128) == 0
        else {
            let error = SystemError("bind")
            close(self.descriptor)
            throw error
        }
        self.port = Self.port(of: self.descriptor)
    }

    deinit { close(self.descriptor) }

    /// The next connection, which does not block; nil when cancelled.
    func accept(poller: Poller) async -> Int32? {
        while !Task.isCancelled {
            let connection = Glibc.accept(self.descriptor, nil, nil)
            if connection >= 0 {
                _ = fcntl(connection, F_SETFL, fcntl(connection, F_GETFL) | O_NONBLOCK)
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                return connection
            }
            // Out of descriptors, for one: it may pass.
            if errno != EAGAIN, errno != EINTR { try? await Task.sleep(for: .milliseconds(50)) }
            _ = try? await poller.wait(for: .readable, on: self.descriptor)
        }
        return nil
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            guard let address, getsockname(descriptor, address, &size) == 0 else { return 0 }
            // Both families have their port in the second pair of octets.
            return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        }
    }
}
