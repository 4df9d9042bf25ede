import HTTP
import Synchronization
import WebClient
import WebServer

/// Stands before a process, passes on what comes, and remembers it: who was asked what, when, and what was answered.
///
/// A request that gets no answer is answered with 502.
final class Tap: Sendable {
    struct Passage: Sendable {
        var request: HTTPRequest
        var began: ContinuousClock.Instant
        var ended: ContinuousClock.Instant
        /// What came back, or why nothing did.
        var answer: Result<Int, WebClientError>

        var isAcknowledged: Bool { if case .success(200...299) = self.answer { true } else { false } }
    }

    /// Where it listens while it runs.
    let port = Ports.take()
    private let target: UInt16
    private let client: WebClient
    private let state = Mutex<[Passage]>([])

    init(to target: UInt16, client: WebClient) {
        self.target = target
        self.client = client
    }

    /// What went by, in the order of its end.
    var passages: [Passage] { self.state.withLock { $0 } }

    /// Passes on until the task is cancelled.
    func run() async throws {
        var configuration = WebServer.Configuration(port: self.port)
        configuration.bodyByteLimit = 4 << 20
        try await WebServer(configuration, name: "tap") { await self.pass(on: $0) }.run()
    }

    // MARK: - Private

    private func pass(on request: HTTPRequest) async -> HTTPResponse {
        let began = ContinuousClock.now
        let response: Result<HTTPResponse, WebClientError>
        do {
            response = .success(try await self.client.send(self.copy(of: request)))
        } catch {
            response = .failure(error)
        }
        let passage = Passage(request: request, began: began, ended: .now, answer: response.map(\.status))
        self.state.withLock { $0.append(passage) }
        guard case .success(let response) = response else { return HTTPResponse(status: 502) }
        return HTTPResponse(
            status: response.status, fields: Self.passed(response.fields, among: ["Content-Type", "Retry-After"]),
            body: response.body)
    }

    private func copy(of request: HTTPRequest) -> WebRequest {
        WebRequest(
            method: request.method, url: "http://127.0.0.1:\(self.target)\(request.target)",
            fields: Self.passed(request.fields, among: ["Content-Type", "Authorization", "Accept"]),
            body: request.body)
    }

    private static func passed(_ fields: HTTPFields, among names: [String]) -> HTTPFields {
        HTTPFields(names.compactMap { name in fields[name].map { (name, $0) } })
    }
}

extension Deployment {
    /// Runs `body` while the taps pass on.
    func withTaps(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.sends.run() }
            group.addTask { try await self.receipts.run() }
            try await body()
            group.cancelAll()
        }
    }
}
