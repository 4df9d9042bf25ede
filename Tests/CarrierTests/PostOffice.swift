import Carrier
import Crypto
import HTTP
import JSON
import Synchronization
import Timestamps
import WebClient

/// Stands where receipts are posted to: keeps them, and answers as the test says.
final class PostOffice: Sendable {
    private struct State {
        var answers: [Int?] = []
        var posts: [WebRequest] = []
    }

    private let state = Mutex(State())
    private let arrivals: AsyncStream<WebRequest>
    private let arrival: AsyncStream<WebRequest>.Continuation

    init() { (self.arrivals, self.arrival) = AsyncStream.makeStream() }

    /// Answers the next posts with these; all after them with 200.
    func answer(_ answers: Int?...) { self.state.withLock { $0.answers += answers } }

    var count: Int { self.state.withLock { $0.posts.count } }

    func post(_ request: WebRequest) async -> Int? {
        let answer = self.state.withLock { state in
            state.posts.append(request)
            return state.answers.isEmpty ? 200 : state.answers.removeFirst()
        }
        self.arrival.yield(request)
        return answer
    }

    func next() async -> WebRequest {
        for await request in self.arrivals { return request }
        preconditionFailure("the stream never ends")
    }
}

/// A carrier that runs for the time of `body`. The time is always 2026-11-21T09:15:00.250Z.
func withCarrier(
    _ change: (inout Carrier.Configuration) -> Void = { _ in },
    _ body: (_ carrier: Carrier, _ office: PostOffice) async throws -> Void
) async throws {
    let office = PostOffice()
    let carrier = Carrier(configuration: .test(change), now: { .test }, post: office.post)
    try await withThrowingTaskGroup { group in
        group.addTask { try await carrier.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await body(carrier, office)) } catch { result = .failure(error) }
        carrier.drain()
        try await group.waitForAll()
        try result.get()
    }
}

extension Timestamp {
    static let test = Timestamp(microseconds: 1_795_252_500_250_000)
}

extension Carrier.Configuration {
    /// Known accounts, no delay, retries after a millisecond.
    static func test(_ change: (inout Carrier.Configuration) -> Void = { _ in }) -> Carrier.Configuration {
        var configuration = Carrier.Configuration()
        configuration.seed = 7
        configuration.receiptDelay = .zero
        configuration.vonage.apiKey = "abcd1234"
        configuration.vonage.apiSecret = Secret("s3cret")
        configuration.vonage.signatureSecret = Secret("signing")
        configuration.vonage.receiptURL = "http://receiver/vonage"
        configuration.vonage.retries = [.milliseconds(1), .milliseconds(1)]
        configuration.infobip.apiKey = Secret("k3y")
        configuration.infobip.receiptURL = "http://receiver/infobip"
        configuration.infobip.receiptGathering = .zero
        configuration.infobip.retries = [.milliseconds(1), .milliseconds(1)]
        configuration.own.apiKey = Secret("own-k3y")
        configuration.own.retries = [.milliseconds(1), .milliseconds(1)]
        change(&configuration)
        return configuration
    }
}

extension Carrier {
    /// Sends by the first provider's contract, with key and secret in a form.
    func sendVonage(_ pairs: (String, String)...) async -> HTTPResponse {
        let account = [("api_key", "abcd1234"), ("api_secret", "s3cret")]
        return await self.respond(to: .form("/sms/json", account + pairs))
    }

    /// Sends to one number by the first provider's contract.
    func sendVonage(to number: String, reference: String = "r-1") async -> HTTPResponse {
        await self.sendVonage(("from", "Acme"), ("to", number), ("text", "Code 1"), ("client-ref", reference))
    }

    /// Sends by the second provider's contract.
    func sendInfobip(_ body: JSON, key: String = "k3y") async -> HTTPResponse {
        await self.respond(to: .json("/sms/3/messages", body, ["Authorization": "App \(key)"]))
    }

    /// Sends to one number by the second provider's contract.
    func sendInfobip(to number: String, id: String = "m-1") async -> HTTPResponse {
        await self.sendInfobip([
            "messages": [
                [
                    "sender": "Acme", "destinations": [["to": .string(number), "messageId": .string(id)]],
                    "content": ["text": "Code 1"],
                ]
            ]
        ])
    }

    /// Sends by the carrier's own contract; the path says what.
    func sendOwn(_ path: String, _ body: JSON, key: String = "own-k3y") async -> HTTPResponse {
        await self.respond(to: .json(path, body, ["Authorization": "Bearer \(key)"]))
    }

    func get(_ target: String) async -> HTTPResponse {
        let pieces = target.split(separator: "?", maxSplits: 1).map(String.init)
        return await self.respond(to: HTTPRequest(path: pieces[0], query: pieces.count > 1 ? pieces[1] : nil))
    }

    func addFault(_ rule: JSON) async -> Int { await self.respond(to: .json("/faults", rule)).status }
}

extension HTTPRequest {
    static func form(_ path: String, _ pairs: [(String, String)], _ fields: HTTPFields = [:]) -> HTTPRequest {
        var fields = fields
        fields["Content-Type"] = "application/x-www-form-urlencoded"
        return HTTPRequest(method: "POST", path: path, fields: fields, body: Form(pairs).serialized())
    }

    static func json(_ path: String, _ body: JSON, _ fields: HTTPFields = [:]) -> HTTPRequest {
        var fields = fields
        fields["Content-Type"] = "application/json"
        return HTTPRequest(method: "POST", path: path, fields: fields, body: body.serialized())
    }
}

extension HTTPResponse {
    var text: String { String(decoding: self.body, as: UTF8.self) }
    var json: JSON { (try? JSON(parsing: self.body)) ?? .null }
}

extension WebRequest {
    var text: String { String(decoding: self.body, as: UTF8.self) }
    var json: JSON { (try? JSON(parsing: self.body)) ?? .null }

    /// The parameters of a receipt posted by GET.
    var query: Form {
        Form(parsing: self.url.split(separator: "?", maxSplits: 1).dropFirst().first.map(String.init) ?? "") ?? Form([])
    }
}
