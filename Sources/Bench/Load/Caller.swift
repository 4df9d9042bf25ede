import Glibc
import Polling

/// One keep-alive connection of the load client, with at most one request under way.
///
/// Deliberately not `Sendable`: it lives on the client's thread.
final class Caller {
    let descriptor: Int32
    private var request: RequestTemplate
    private var written: Int
    private var reader = ResponseReader()
    /// When the request under way was due.
    private(set) var scheduled = MonotonicTime(nanoseconds: 0)

    /// Connects to `port` on 127.0.0.1.
    init(port: UInt16, request: RequestTemplate) throws {
        self.descriptor = try LocalSocket.connect(port: port)
        self.request = request
        self.written = request.bytes.count
        let flags = fcntl(self.descriptor, F_GETFL)
        _ = fcntl(self.descriptor, F_SETFL, flags | O_NONBLOCK)
    }

    deinit { close(self.descriptor) }

    /// Sends the next request, to the numbers from `first` on. False when the socket took only part of it: then
    /// ``goOn()`` when it is writable.
    func send(from first: Int, scheduled: MonotonicTime) throws -> Bool {
        self.request.address(from: first)
        self.written = 0
        self.scheduled = scheduled
        return try self.goOn()
    }

    /// Writes what is left of the request; false when there is still some.
    func goOn() throws -> Bool {
        while self.written < self.request.bytes.count {
            let count = self.request.bytes.withUnsafeBytes { bytes in
                let rest = bytes[self.written...]
                return Glibc.send(
                    self.descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count,
                    Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EAGAIN { return false }
            guard count > 0 else { throw SystemError("send") }
            self.written += count
        }
        return true
    }

    /// Reads what there is. Returns the answer's status once it is whole.
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws -> Int? {
        let count = recv(self.descriptor, buffer.baseAddress, buffer.count, 0)
        if count < 0, errno == EAGAIN { return nil }
        guard count > 0 else {
            if count < 0 { throw SystemError("recv") }
            throw BenchError("the API closed a connection on which a request was under way")
        }
        return try self.reader.read(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}
