import Glibc
import Polling

/// A blocking TCP connection that sends exactly the bytes it is told to. To be used inside ``onThread(_:)``.
struct RawConnection {
    private let descriptor: CInt

    /// Connects to this host; every wait ends after ten seconds, which no test needs.
    init(port: UInt16) throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        try self.init(descriptor: descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw RawError("connect", errno) }
    }

    init(descriptor: CInt) throws {
        guard descriptor >= 0 else { throw RawError("socket", errno) }
        self.descriptor = descriptor
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var now: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &now, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Sends; false when the other side has gone.
    @discardableResult
    func send(_ text: String) -> Bool { self.send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress! + sent, bytes.count - sent, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Sends every byte in a segment of its own.
    func sendByteByByte(_ text: String) {
        for byte in text.utf8 where !self.send([byte]) { return }
    }

    /// True when something has come, or the other side has closed, within the time.
    func hasInput(within milliseconds: CInt) -> Bool {
        var poll = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) > 0
    }

    func finishSending() { shutdown(self.descriptor, CInt(SHUT_WR)) }

    /// What comes until the other side closes.
    func receiveAll() throws -> String {
        var received: [UInt8] = []
        while let piece = try self.receive(), !piece.isEmpty { received += piece }
        return String(decoding: received, as: UTF8.self)
    }

    /// What comes until `isEnough`, or the end.
    func receive(until isEnough: (String) -> Bool) throws -> String {
        var received: [UInt8] = []
        while !isEnough(String(decoding: received, as: UTF8.self)) {
            guard let piece = try self.receive(), !piece.isEmpty else { break }
            received += piece
        }
        return String(decoding: received, as: UTF8.self)
    }

    /// One response with a `Content-Length`.
    func receiveResponse() throws -> String {
        try self.receive { text in
            guard let end = text.range(ofFirst: "\r\n\r\n") else { return false }
            let length = text.field("content-length").flatMap(Int.init) ?? 0
            return text.utf8.distance(from: end.upperBound, to: text.utf8.endIndex) >= length
        }
    }

    func close() { _ = Glibc.close(self.descriptor) }

    /// A reset counts as the end.
    private func receive() throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(self.descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == ECONNRESET || errno == EPIPE { return nil }
        guard count >= 0 else { throw RawError("recv", errno) }
        return Array(buffer[..<count])
    }
}

/// A listening socket whose connections are served by hand. To be used inside ``onThread(_:)``.
struct RawListener {
    private let descriptor: CInt
    let port: UInt16

    /// On 127.0.0.1 and a free port, when not told otherwise; `backlog` connections may wait to be accepted.
    init(address: UInt32 = 0x7F00_0001, port: UInt16 = 0, backlog: CInt = 64) throws {
        self.descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        self.port = try bindToLoopback(self.descriptor, address: address, port: port)
        guard listen(self.descriptor, backlog) == 0 else { throw RawError("listen", errno) }
    }

    func accept() throws -> RawConnection {
        try RawConnection(descriptor: Glibc.accept(self.descriptor, nil, nil))
    }

    /// True when somebody wants to connect within the time.
    func isAskedFor(within milliseconds: CInt) -> Bool {
        var poll = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) > 0
    }

    func close() { _ = Glibc.close(self.descriptor) }
}

struct RawError: Error, CustomStringConvertible {
    let description: String
    init(_ call: String, _ code: CInt) { self.description = "\(call): \(String(cString: strerror(code)))" }
}

/// Runs blocking code on a thread of its own, so that the tasks under test keep theirs.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    let result = await withCheckedContinuation { continuation in
        Thread.detach(name: "raw-socket") { continuation.resume(returning: Result { try body() }) }
    }
    return try result.get()
}

extension String {
    func range(ofFirst text: String) -> Range<String.Index>? {
        let (bytes, wanted) = (Array(self.utf8), Array(text.utf8))
        guard wanted.count <= bytes.count else { return nil }
        for start in 0...(bytes.count - wanted.count) where bytes[start..<(start + wanted.count)] == wanted[...] {
            let lower = self.utf8.index(self.utf8.startIndex, offsetBy: start)
            return lower..<self.utf8.index(lower, offsetBy: wanted.count)
        }
        return nil
    }

    /// The value of a header field in a raw response.
    func field(_ name: String) -> String? {
        for line in self.split(separator: "\r\n", omittingEmptySubsequences: false).dropFirst() {
            if line.isEmpty { return nil }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0].lowercased() == name {
                return String(parts[1].drop { $0 == " " })
            }
        }
        return nil
    }

    /// The status of a raw response, or 0.
    var status: Int {
        let parts = self.split(separator: " ", maxSplits: 2)
        return parts.count > 1 && self.hasPrefix("HTTP/1.1 ") ? Int(parts[1]) ?? 0 : 0
    }

    /// How many responses stand in a raw text.
    var responseCount: Int { self.components(of: "HTTP/1.1 ") }

    private func components(of text: String) -> Int {
        let (bytes, wanted) = (Array(self.utf8), Array(text.utf8))
        guard wanted.count <= bytes.count else { return 0 }
        return (0...(bytes.count - wanted.count)).count { bytes[$0..<($0 + wanted.count)] == wanted[...] }
    }
}
