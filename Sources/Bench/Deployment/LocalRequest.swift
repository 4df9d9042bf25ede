import Glibc
import Polling

/// A request without a body to a process on this machine, over a connection of its own. For looking, not for load.
enum LocalRequest {
    private static let timeout = timeval(tv_sec: 5, tv_usec: 0)

    /// The status and the body. Throws when there is no answer within 5 s. Blocks its thread.
    static func send(_ method: String, _ path: String, port: UInt16) throws -> (status: Int, body: [UInt8]) {
        let descriptor = try LocalSocket.connect(port: port)
        defer { close(descriptor) }
        var timeout = Self.timeout
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
        let request = Array("\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
        guard Glibc.send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw SystemError("send")
        }
        return try Self.split(try Self.readAll(descriptor))
    }

    // MARK: - Private

    private static func readAll(_ descriptor: Int32) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count >= 0 else { throw SystemError("recv") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    private static func split(_ response: [UInt8]) throws(BenchError) -> (status: Int, body: [UInt8]) {
        let text = String(decoding: response.prefix(12), as: UTF8.self)
        guard text.hasPrefix("HTTP/1."), let status = Int(text.suffix(3)) else { throw BenchError("no HTTP answer") }
        for index in response.indices.dropFirst(3)
        where response[index] == 10 && response[index - 1] == 13 && response[index - 2] == 10 {
            return (status, Array(response[(index + 1)...]))
        }
        throw BenchError("half an HTTP answer")
    }
}
