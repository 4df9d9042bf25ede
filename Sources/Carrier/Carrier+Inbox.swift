import HTTP
import JSON
import Messaging
import Synchronization

extension Carrier {
    func showInbox(_ request: HTTPRequest) -> HTTPResponse {
        guard let query = Form(parsing: request.query ?? "") else { return .problem(400, "the query is malformed") }
        let messages = self.state.withLock { state in
            query["to"].map { state.inbox.messages(to: Self.recipient($0)) } ?? state.inbox.all
        }
        return .jsonLines(messages.lazy.map(\.json))
    }

    func emptyInbox() -> HTTPResponse {
        self.state.withLock { $0.inbox.clear() }
        return HTTPResponse(status: 204)
    }

    func showArrivals(_ request: HTTPRequest) -> HTTPResponse {
        guard let query = Form(parsing: request.query ?? "") else { return .problem(400, "the query is malformed") }
        let counts = self.state.withLock { $0.arrivals.counts }
        if let reference = query["reference"] {
            return .json(200, Self.arrival(reference, counts[reference] ?? 0))
        }
        let minimum = query["minimum"].flatMap { Int($0) } ?? 1
        return .jsonLines(counts.lazy.filter { $0.value >= minimum }.map { Self.arrival($0.key, $0.value) })
    }

    private static func arrival(_ reference: String, _ count: Int) -> JSON {
        ["reference": .string(reference), "count": JSON(count)]
    }

    /// A plus sign in a query means a blank, and people forget to encode it.
    private static func recipient(_ text: String) -> String {
        if let address = EmailAddress(text.replacing(" ", with: "+")) { return address.address }
        return "+" + text.drop { $0 == " " || $0 == "+" }
    }
}
