import Callbacks
import Crypto
import HTTP
import JSON
import Synchronization
import WebServer

/// Customers' endpoints in this process. Each has a path; all keep whatever they are told, and fail as often as they are told
/// to.
final class EventReceiver: Sendable {
    /// A request that came in.
    struct Arrival: Sendable {
        var request: HTTPRequest
        /// The status of the answer; 0 when the connection was closed without one, nil while there is none.
        var answer: Int?

        var isAcknowledged: Bool { (200...299).contains(self.answer ?? 0) }
        /// The same at each try.
        var id: String { self.request.fields["webhook-id"] ?? "" }
    }

    /// Where it listens while it runs.
    let port = Ports.take()
    private let answers: Answers
    private let state: Mutex<State>

    private struct State {
        var random: SeededRandom
        var arrivals: [Arrival] = []
        var failures: [String: Int] = [:]
    }

    /// What they are like.
    enum Answers: Sendable {
        case good
        /// A good third of the answers is none, each event gets at most ``EventReceiver/failureLimit`` of those.
        case failing
        /// Always this status.
        case status(Int)
        /// None, until whoever asks has lost patience.
        case hanging
    }

    /// Of one event. It is told ten times in three days; some of these are lost with workers that are killed.
    static let failureLimit = 4
    /// How long one that is slow takes, in seconds.
    private static let slowTime = 0.05...0.4
    private static let hangingTime = Duration.seconds(30)

    init(_ answers: Answers = .good, seed: UInt64 = 0) {
        self.answers = answers
        self.state = Mutex(State(random: SeededRandom(seed: seed)))
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(self.port)/\(path)" }

    /// In the order in which they came.
    var arrivals: [Arrival] { self.state.withLock { $0.arrivals } }

    /// Listens for the time of `body`.
    func run(_ body: () async throws -> Void) async throws {
        let server = WebServer(WebServer.Configuration(port: self.port), name: "customer") { await self.take($0) }
        let (listening, isListening) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup { group in
            group.addTask {
                defer { isListening.finish() }
                try await server.run { _ in isListening.yield() }
            }
            _ = await listening.first { true }
            try await body()
            group.cancelAll()
        }
    }

    // MARK: - Private

    private func take(_ request: HTTPRequest) async -> HTTPResponse {
        let (place, response, wait) = self.state.withLock { state in
            state.arrivals.append(Arrival(request: request))
            let (response, wait) = self.decide(state.arrivals[state.arrivals.count - 1].id, &state)
            return (state.arrivals.count - 1, response, wait)
        }
        try? await Task.sleep(for: wait)
        self.state.withLock { $0.arrivals[place].answer = response.status }
        return response
    }

    private func decide(_ id: String, _ state: inout State) -> (HTTPResponse, Duration) {
        switch self.answers {
        case .good: return (HTTPResponse(status: 204), .zero)
        case .status(let status): return (HTTPResponse(status: status), .zero)
        case .hanging: return (HTTPResponse(status: 204), Self.hangingTime)
        case .failing: break
        }
        let chance = Int.random(in: 0..<100, using: &state.random)
        let slow = state.random.duration(in: Self.slowTime)
        guard chance < 40, state.failures[id, default: 0] < Self.failureLimit else {
            return (HTTPResponse(status: 204), chance >= 95 ? slow : .zero)
        }
        state.failures[id, default: 0] += 1
        return switch chance {
        case 0..<15: (HTTPResponse(status: 500), .zero)
        case 15..<25: (.dropConnection, .zero)
        case 25..<30: (HTTPResponse(status: 503), slow)
        default: (HTTPResponse(status: 429, fields: ["Retry-After": "\(chance)"]), .zero)
        }
    }
}

extension EventReceiver.Arrival {
    /// Whether it is signed as Standard Webhooks has it, by all of these keys and no other.
    func isSigned(by keys: [CallbackSecrets.SigningKey]) -> Bool {
        let content = "\(self.id).\(self.request.fields["webhook-timestamp"] ?? "")."
        let signatures = keys.map { key in
            let code = Digest.sha256.authenticate(Array(content.utf8) + self.request.body, key: Secret(key.key))
            return "v1,\(Base64.encode(code))"
        }
        return !keys.isEmpty && self.request.fields["webhook-signature"] == signatures.joined(separator: " ")
    }

    /// For scripts in Python.
    var json: JSON {
        [
            "method": .string(self.request.method), "target": .string(self.request.target),
            "fields": .object(self.request.fields.all.map { .init($0.name.lowercased(), .string($0.value)) }),
            "body": .string(String(decoding: self.request.body, as: UTF8.self)),
        ]
    }
}

extension [EventReceiver.Arrival] {
    /// Writes a JSON object a line.
    func write(to path: String) throws {
        try Deployment.write(self.flatMap { $0.json.serialized() + [UInt8(ascii: "\n")] }, to: path)
    }
}
