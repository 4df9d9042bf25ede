import HTTP
import JSON
import Messaging
import Synchronization
import WebClient

/// Callers that send single messages at a steady rate, each with an `Idempotency-Key`, and repeat a request until it is
/// answered with 202: what careful customers do.
final class Load: Sendable {
    /// A message that was answered with 202.
    struct Accepted: Sendable {
        var id: MessageID
        var number: String
    }

    /// Stands in every text, and nowhere else.
    static let canary = "kanarienvogel"

    private static let callers = 24
    /// A minute without a 202 is no outage any more.
    private static let patience = Duration.seconds(60)

    private let deployment: Deployment
    private let interval: Duration
    private let state = Mutex(State())

    private struct State {
        var next = 0
        var isEnding = false
        var accepted: [Int: Accepted] = [:]
        /// Answers and failures that led to another try, by what they were.
        var repeated: [String: Int] = [:]
        /// The ids that the answers under one key named.
        var contradictions: [String] = []
    }

    /// `rate`: messages a second, over all callers.
    init(_ deployment: Deployment, rate: Double) {
        self.deployment = deployment
        self.interval = .seconds(Double(Self.callers) / rate)
    }

    var accepted: [Accepted] { self.state.withLock { Array($0.accepted.values) } }
    var repeated: [String: Int] { self.state.withLock { $0.repeated } }
    var contradictions: [String] { self.state.withLock { $0.contradictions } }

    /// Sends until ended; returns when every message that was begun is accepted.
    func run() async throws {
        try await withThrowingTaskGroup { group in
            for caller in 0..<Self.callers {
                group.addTask {
                    try await Task.sleep(for: self.interval * (Double(caller) / Double(Self.callers)))
                    try await self.call()
                }
            }
            try await group.waitForAll()
        }
    }

    func end() { self.state.withLock { $0.isEnding = true } }

    // MARK: - Private

    private func call() async throws {
        var due = ContinuousClock.now
        while let number = self.next() {
            try await self.send(number)
            // At a steady rate, but never to catch up: a storm after each outage would be another test.
            due = max(due + self.interval, .now)
            try await Task.sleep(until: due, clock: .continuous)
        }
    }

    private func next() -> Int? {
        self.state.withLock { state in
            if state.isEnding { return nil }
            state.next += 1
            return state.next
        }
    }

    /// Every second message to each provider, each to a number of its own.
    private static func recipient(_ number: Int) -> String {
        (number.isMultiple(of: 2) ? "+4917" : "+4179") + String(100_000_000 + number).dropFirst(number % 2)
    }

    private func send(_ number: Int) async throws {
        let recipient = Self.recipient(number)
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            if try await self.trySending(number, to: recipient) {
                // Asked again now and then, as by a client that lost the answer: the same id must come back.
                if number.isMultiple(of: 50) { while try await !self.trySending(number, to: recipient) {} }
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure("message \(number) was not accepted within \(Self.patience)")
    }

    /// True when it was answered with 202; false when it has to be sent again.
    private func trySending(_ number: Int, to recipient: String) async throws -> Bool {
        guard let response = await self.answer(number, to: recipient) else { return false }
        switch response.status {
        case 202:
            guard let id = MessageID(try response.json["id"]?.string ?? "") else { throw Failure("202 without an id") }
            self.note(Accepted(id: id, number: recipient), number)
            return true
        case 409, 503:
            self.count("\(response.status) \(try response.json["code"]?.string ?? "")")
            return false
        default:
            self.end()
            throw Failure("message \(number): \(response.status) \(response.text)")
        }
    }

    private func answer(_ number: Int, to recipient: String) async -> HTTPResponse? {
        let body: JSON = [
            "to": .string(recipient), "body": .string("Your code is \(Self.canary)\(number)"), "priority": "otp",
        ]
        do {
            return try await self.deployment.api(
                "POST", "/v1/messages", body: body, idempotencyKey: "load-\(number)", timeout: .seconds(5))
        } catch {
            self.count("\(error.kind)")
            return nil
        }
    }

    private func count(_ word: String) { self.state.withLock { $0.repeated[word, default: 0] += 1 } }

    private func note(_ accepted: Accepted, _ number: Int) {
        self.state.withLock { state in
            let former = state.accepted.updateValue(accepted, forKey: number)
            if let former, former.id != accepted.id { state.contradictions.append("\(former.id) and \(accepted.id)") }
        }
    }
}
