import Glibc
import JSON
import Polling
import Synchronization

/// A provider that answers with any bytes whatsoever, one connection after the other, each for one request.
final class RawProvider: Sendable {
    enum Answer: Sendable {
        /// These bytes, and then the connection closes.
        case bytes(String)
        /// These bytes, and then others without end.
        case endless(String)
        /// Nothing, for as long as anybody waits.
        case silence
        /// Every message is taken.
        case taken
    }

    private struct State {
        var answers: [Answer] = []
        var requestCount = 0
        var mostSent = 0
    }

    private let state = Mutex(State())
    private let listener: CInt
    let port: UInt16

    init() throws(RawProviderError) {
        self.listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { [listener] address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard isBound else { throw RawProviderError(errno: errno) }
        self.port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(self.listener) }

    /// Answers the next requests with these; all others are taken.
    func answer(_ answers: Answer...) { self.state.withLock { $0.answers += answers } }

    var requestCount: Int { self.state.withLock { $0.requestCount } }
    /// The most bytes that anybody took of one answer, those on their way included.
    var mostSent: Int { self.state.withLock { $0.mostSent } }

    /// Serves until ``stop()``, on the thread that calls.
    func serve() {
        while true {
            let connection = accept(self.listener, nil, nil)
            guard connection >= 0 else { return }
            // Longer than any test waits.
            var patience = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            self.serve(connection)
            close(connection)
        }
    }

    func stop() { shutdown(self.listener, CInt(SHUT_RDWR)) }

    // MARK: - Private

    private func serve(_ connection: CInt) {
        guard let body = Self.requestBody(connection) else { return }
        let answer = self.state.withLock { state in
            state.requestCount += 1
            return state.answers.isEmpty ? .taken : state.answers.removeFirst()
        }
        switch answer {
        case .bytes(let text): self.send(Array(text.utf8), to: connection)
        case .endless(let head):
            self.send(Array(head.utf8), then: [UInt8](repeating: UInt8(ascii: " "), count: 65536), to: connection)
        // Until the other side closes.
        case .silence: _ = Self.receive(connection)
        case .taken: self.send(Self.taken(body), to: connection)
        }
    }

    private func send(_ bytes: [UInt8], then more: [UInt8] = [], to connection: CInt) {
        var sent = 0
        var piece = bytes
        while !piece.isEmpty, Self.sendAll(piece, to: connection) {
            sent += piece.count
            piece = more
        }
        self.state.withLock { $0.mostSent = max($0.mostSent, sent) }
    }

    private static func sendAll(_ bytes: [UInt8], to connection: CInt) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Nil when the connection ends before its request does.
    private static func requestBody(_ connection: CInt) -> [UInt8]? {
        var text = ""
        while true {
            guard let piece = self.receive(connection) else { return nil }
            text += String(decoding: piece, as: UTF8.self)
            // ASCII throughout, as what these tests send is; "\r\n" is one character.
            let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            let length = text.split(separator: "\r\n").lazy
                .compactMap { $0.lowercased().hasPrefix("content-length: ") ? Int($0.dropFirst(16)) : nil }.first
            if parts.count == 2, parts[1].utf8.count >= length ?? 0 { return Array(parts[1].utf8) }
        }
    }

    private static func receive(_ connection: CInt) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(connection, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// Vonage's way for a form, Infobip's for JSON.
    private static func taken(_ body: [UInt8]) -> [UInt8] {
        let asked = (try? JSON(parsing: body))?["messages"]?.array
        let messages = asked?.map { message -> JSON in
            [
                "messageId": message["destinations"]?[0]?["messageId"] ?? "",
                "status": ["id": 26, "groupId": 1],
            ]
        }
        let answer: JSON =
            messages.map { ["messages": .array($0)] }
            ?? ["message-count": "1", "messages": [["message-id": "p-1", "status": "0"]]]
        return Array(RawProvider.ok(answer.text).utf8)
    }

    /// A whole response.
    static func ok(_ body: String, type: String = "application/json") -> String {
        "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

struct RawProviderError: Error {
    var errno: CInt
}

/// Runs a provider for the time of `body`.
func withRawProvider(_ body: (RawProvider) async throws -> Void) async throws {
    let provider = try RawProvider()
    try await withThrowingTaskGroup { group in
        group.addTask {
            await withCheckedContinuation { continuation in
                Thread.detach(name: "raw-provider") {
                    provider.serve()
                    continuation.resume()
                }
            }
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(provider)) } catch { result = .failure(error) }
        provider.stop()
        try await group.waitForAll()
        try result.get()
    }
}
