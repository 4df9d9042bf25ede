import Glibc
public import Polling
import Synchronization

/// A connection that carries PDUs.
///
/// One task reads and one writes. What is sent while a write is under way goes with the next in one piece, and what one
/// read brings is cut into as many PDUs as it holds.
public final class Link: Sendable {
    /// Octets of one read.
    private static let readLimit = 64 << 10
    /// How long the other side may take nothing before the connection is given up.
    private static let writeTimeout = Duration.seconds(30)

    private let socket: Int32
    /// The same socket under another number, since the poller knows one waiter a descriptor.
    private let writingSocket: Int32
    private let tls: TLSSession?
    private let poller: Poller
    private let framer = Mutex(Framer())

    /// Takes over a connected socket that does not block.
    public convenience init(accepted socket: Int32, poller: Poller) throws(LinkError) {
        setWithoutDelay(socket)
        try self.init(socket: socket, tls: nil, poller: poller)
    }

    private init(socket: Int32, tls: TLSSession?, poller: Poller) throws(LinkError) {
        let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            let error = SystemError("dup")
            Glibc.close(socket)
            throw .system(error)
        }
        self.socket = socket
        self.writingSocket = copy
        self.tls = tls
        self.poller = poller
    }

    deinit {
        Glibc.close(self.writingSocket)
        Glibc.close(self.socket)
    }

    /// Connects, and shakes hands when `tls` is given.
    public static func connect(
        host: String, port: UInt16, tls settings: TLSSettings?, until deadline: ContinuousClock.Instant, poller: Poller
    ) async throws(LinkError) -> Link {
        let socket = try await SocketConnector.connect(host: host, port: port, until: deadline, poller: poller)
        let tls: TLSSession?
        do throws(LinkError) {
            tls = try settings.map { settings throws(LinkError) in
                try TLSSession(settings, host: host, socket: socket)
            }
        } catch {
            Glibc.close(socket)
            throw error
        }
        let link = try Link(socket: socket, tls: tls, poller: poller)
        if let tls { try await link.shakeHands(tls, until: deadline) }
        return link
    }

    /// Breaks the connection for whoever reads and writes; the descriptors stay until nobody refers to it.
    public func shutDown() { _ = Glibc.shutdown(self.socket, Int32(SHUT_RDWR)) }

    /// All PDUs that the next read completes, each or why it is none; at least one. Throws ``LinkError``, or
    /// ``PDUError`` when the octets are no PDUs at all.
    public func receive() async throws -> [Result<PDU, PDUError>] {
        while true {
            let pdus = try self.framer.withLock { framer throws(PDUError) in
                var pdus: [Result<PDU, PDUError>] = []
                while let pdu = try framer.next() { pdus.append(pdu) }
                return pdus
            }
            if !pdus.isEmpty { return pdus }
            let octets = try await self.read()
            if octets.isEmpty { throw LinkError.closed }
            self.framer.withLock { $0.append(octets) }
        }
    }

    /// Writes all of it.
    public func write(_ octets: [UInt8]) async throws(LinkError) {
        var sent = 0
        while sent < octets.count {
            switch try self.writeSome(octets[sent...]) {
            case .done(let count): sent += count
            case .waitToRead:
                try await self.wait(for: .readable, on: self.writingSocket, until: .now + Self.writeTimeout)
            case .waitToWrite:
                try await self.wait(for: .writable, on: self.writingSocket, until: .now + Self.writeTimeout)
            }
        }
    }

    // MARK: - Private

    private func shakeHands(_ tls: TLSSession, until deadline: ContinuousClock.Instant) async throws(LinkError) {
        while true {
            switch try tls.shakeHands() {
            case .done: return
            case .waitToRead: try await self.wait(for: .readable, on: self.socket, until: deadline)
            case .waitToWrite: try await self.wait(for: .writable, on: self.socket, until: deadline)
            }
        }
    }

    private func read() async throws(LinkError) -> [UInt8] {
        while true {
            let (octets, step) = try self.readSome()
            switch step {
            case .done: return octets
            case .waitToRead: try await self.wait(for: .readable, on: self.socket, until: nil)
            case .waitToWrite: try await self.wait(for: .writable, on: self.socket, until: nil)
            }
        }
    }

    private func readSome() throws(LinkError) -> ([UInt8], TLSSession.Step) {
        var result = Result<TLSSession.Step, LinkError>.success(.done(0))
        let octets = [UInt8](unsafeUninitializedCapacity: Self.readLimit) { buffer, count in
            let buffer = UnsafeMutableRawBufferPointer(buffer)
            result = Result { () throws(LinkError) -> TLSSession.Step in
                if let tls = self.tls { return try tls.read(into: buffer) }
                return try self.plainRead(into: buffer)
            }
            if case .success(.done(let read)) = result { count = read }
        }
        return (octets, try result.get())
    }

    private func plainRead(into buffer: UnsafeMutableRawBufferPointer) throws(LinkError) -> TLSSession.Step {
        try self.step("recv") { recv(self.socket, buffer.baseAddress, buffer.count, 0) } ?? .waitToRead
    }

    private func writeSome(_ octets: ArraySlice<UInt8>) throws(LinkError) -> TLSSession.Step {
        let result = octets.withUnsafeBytes { buffer in
            Result { () throws(LinkError) -> TLSSession.Step in
                if let tls = self.tls { return try tls.write(buffer) }
                return try self.plainWrite(buffer)
            }
        }
        return try result.get()
    }

    private func plainWrite(_ buffer: UnsafeRawBufferPointer) throws(LinkError) -> TLSSession.Step {
        try self.step("send") { send(self.socket, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL)) }
            ?? .waitToWrite
    }

    /// Nil when the call would have blocked.
    private func step(_ name: String, _ call: () -> Int) throws(LinkError) -> TLSSession.Step? {
        while true {
            let count = call()
            if count >= 0 { return .done(count) }
            switch errno {
            case EAGAIN: return nil
            case EINTR: continue
            case ECONNRESET, EPIPE: throw .closed
            default: throw .system(SystemError(name))
            }
        }
    }

    private func wait(
        for events: Poller.Events, on descriptor: Int32, until deadline: ContinuousClock.Instant?
    ) async throws(LinkError) {
        do {
            _ = try await self.poller.wait(for: events, on: descriptor, until: deadline)
        } catch {
            throw LinkError(error)
        }
    }
}
