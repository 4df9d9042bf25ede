import HTTP
import JSON
import Messaging
import Postgres
import Store

extension Intake {
    /// Erases a recipient of the account that asks. The number stands in the body: it has no place in an address, which proxies log.
    func answerErasure(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .manage)
        let recipient = try CodeReader.unlocking(request.json)
        let outcome = try await self.ask { () async throws(PostgresError) in
            try await self.eraser.erase(
                recipient, of: [principal.account], for: principal.account, apiKey: principal.apiKey,
                limit: Eraser.requestLimit)
        }
        return Self.ok(outcome.json)
    }
}

extension Eraser.Outcome {
    fileprivate var json: JSON {
        [
            "cancelled": .integer(Int64(self.counts.cancelled)), "messages": .integer(Int64(self.counts.messages)),
            "verifications": .integer(Int64(self.counts.verifications)), "others": .integer(Int64(self.counts.others)),
            "under_way": .integer(Int64(self.counts.underWay)),
            "done": .bool(self.isDone && self.counts.underWay == 0),
        ]
    }
}
