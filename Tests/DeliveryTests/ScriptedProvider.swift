import HTTP
import JSON
import Synchronization

/// Stands where a provider's API would: keeps what it is asked, and answers as the test says.
final class ScriptedProvider: Sendable {
    /// What one request asks for.
    struct Asked: Sendable {
        /// Our references: one for Vonage, many for Infobip.
        var references: [String]
        var recipients: [String]
        var at: ContinuousClock.Instant
    }

    enum Answer: Sendable {
        /// Every message is taken.
        case taken
        /// Too fast, inside a 200, with the milliseconds to wait.
        case throttled(Int)
        case status(Int)
        /// Refused with this status, inside a 200. Vonage's way only.
        case refused(String)
        /// The connection is closed without a word.
        case dropped
        /// These references are refused with the status id, the others taken. Infobip's way only.
        case refusing([String], status: Int64)
    }

    private struct State {
        var asked: [Asked] = []
        var answers: [Answer] = []
        var usual = Answer.taken
        var known: [String: String] = [:]
        var inquiries: [String] = []
        var now = 0
        var most = 0
    }

    private let state = Mutex(State())
    private let turnstile = Turnstile()

    /// Answers the next requests with these, in the order in which they come.
    func answer(_ answers: Answer...) { self.state.withLock { $0.answers += answers } }

    /// Answers all others with this.
    func answerAlways(_ answer: Answer) { self.state.withLock { $0.usual = answer } }

    /// Answers nothing until ``release()``.
    func hold() { self.turnstile.hold() }

    func release() { self.turnstile.release() }

    /// What it tells of a reference when it is asked; see ``AskableDriver``.
    func know(_ reference: String, _ state: String) { self.state.withLock { $0.known[reference] = state } }

    /// References that were asked about.
    var inquiries: [String] { self.state.withLock { $0.inquiries } }

    var asked: [Asked] { self.state.withLock { $0.asked } }
    var references: [String] { self.asked.flatMap(\.references) }
    /// The most requests that were being answered at once.
    var mostAtOnce: Int { self.state.withLock { $0.most } }

    func waitForRequests(_ count: Int) async throws {
        while self.asked.count < count { try await Task.sleep(for: .milliseconds(2)) }
    }

    // MARK: - HTTP

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        if request.method == "GET" { return self.answerInquiry(request) }
        let asked = Self.asked(request)
        let answer = self.state.withLock { state in
            state.asked.append(asked)
            state.now += 1
            state.most = max(state.most, state.now)
            return state.answers.isEmpty ? state.usual : state.answers.removeFirst()
        }
        await self.turnstile.pass()
        self.state.withLock { $0.now -= 1 }
        return Self.response(answer, to: asked, isVonage: request.path.hasSuffix("/sms/json"))
    }

    private func answerInquiry(_ request: HTTPRequest) -> HTTPResponse {
        let reference = request.query ?? ""
        let known = self.state.withLock { state in
            state.inquiries.append(reference)
            return state.known[reference]
        }
        return HTTPResponse(status: known == nil ? 404 : 200, body: Array((known ?? "").utf8))
    }

    private static func asked(_ request: HTTPRequest) -> Asked {
        if request.path.hasSuffix("/sms/json") {
            let form = Form(parsing: request.body)
            return Asked(references: [form?["client-ref"] ?? ""], recipients: [form?["to"] ?? ""], at: .now)
        }
        let messages = (try? JSON(parsing: request.body))?["messages"]?.array ?? []
        return Asked(
            references: messages.map { $0["destinations"]?[0]?["messageId"]?.string ?? "" },
            recipients: messages.map { $0["destinations"]?[0]?["to"]?.string ?? "" }, at: .now)
    }

    private static func response(_ answer: Answer, to asked: Asked, isVonage: Bool) -> HTTPResponse {
        switch answer {
        case .dropped: .dropConnection
        case .status(let status): HTTPResponse(status: status)
        case .refused(let status): self.vonage(status)
        case .throttled(let milliseconds):
            self.vonage("1", "Throughput Rate Exceeded - please wait [ \(milliseconds) ] and retry")
        case .taken: isVonage ? self.vonage("0", id: "p-\(asked.references[0])") : self.infobip(asked, [], 26)
        case .refusing(let references, let status): self.infobip(asked, references, status)
        }
    }

    private static func vonage(_ status: String, _ text: String = "", id: String = "") -> HTTPResponse {
        let message: JSON = ["message-id": .string(id), "status": .string(status), "error-text": .string(text)]
        return self.ok(["message-count": "1", "messages": [message]])
    }

    private static func infobip(_ asked: Asked, _ refused: [String], _ status: Int64) -> HTTPResponse {
        let messages = asked.references.map { reference -> JSON in
            let id: Int64 = refused.contains(reference) ? status : 26
            return ["messageId": .string(reference), "status": ["id": .integer(id), "groupId": id == 26 ? 1 : 5]]
        }
        return self.ok(["messages": .array(messages)])
    }

    private static func ok(_ json: JSON) -> HTTPResponse {
        HTTPResponse(status: 200, fields: ["Content-Type": "application/json"], body: json.serialized())
    }
}

/// Runs a provider's web server for the time of `body`, on this port or on a free one.
func withProvider(
    port: UInt16 = 0, _ body: (_ provider: ScriptedProvider, _ port: UInt16) async throws -> Void
) async throws {
    let provider = ScriptedProvider()
    try await withWebServer(port: port, atEnd: { provider.release() }) {
        await provider.respond(to: $0)
    } _: { port in
        try await body(provider, port)
    }
}
