import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store

// Numbers whose owners want no messages. They stand in bodies only: a number has no place in an address, which proxies log.
extension Intake {
    func answerOptOuts(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let account = try self.principal(of: request, with: .manage).account
        let recipient = try CodeReader.unlocking(request.json)
        let added = try await self.ask { () async throws(PostgresError) in
            try await self.optOuts.add(recipient, of: account)
        }
        return Self.ok(["added": .bool(added)])
    }

    func answerOptOutRemoval(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let account = try self.principal(of: request, with: .manage).account
        let recipient = try CodeReader.unlocking(request.json)
        let removed = try await self.ask { () async throws(PostgresError) in
            try await self.store.removeOptOut(recipient.key, of: account)
        }
        return Self.ok(["removed": .bool(removed)])
    }

    /// A page of them, or the one that is asked for.
    func answerOptOutSearch(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let account = try self.principal(of: request, with: .read, .manage).account
        let search = try OptOutSearch(request.body.isEmpty ? [:] : request.json)
        // One more than asked for tells whether there is a next page.
        var found = try await self.ask { () async throws(PostgresError) in
            try await self.store.optOuts(
                of: account, recipient: search.recipient, after: search.after, limit: search.limit + 1)
        }
        let hasMore = found.count > Int(search.limit)
        found = Array(found.prefix(Int(search.limit)))
        let next = hasMore ? found.last.map { OptOutSearch.cursor($0.recipient) } : nil
        return Self.ok(["opt_outs": .array(found.map(\.json)), "next": .init(next)])
    }
}

extension OptOut {
    fileprivate var json: JSON { ["to": .string(self.recipient), "made_at": .string("\(self.madeAt)")] }
}

private struct OptOutSearch {
    var recipient: String?
    var after = ""
    var limit: Int32

    private static let limits: ClosedRange<Int64> = 1...1000
    private static let standardLimit: Int64 = 100

    init(_ json: JSON) throws(Problem) {
        var reader = FieldReader()
        _ = reader.isObject(json, known: ["to", "limit", "cursor"], at: "")
        self.recipient = reader.parsed(json, "to", expected: "a number in E.164 or a mail address", at: "") {
            (Recipient(canonical: $0, channel: .sms) ?? Recipient($0, channel: .email))?.key
        }
        self.limit = Int32(reader.integer(json, "limit", in: Self.limits, at: "") ?? Self.standardLimit)
        let cursor = reader.parsed(json, "cursor", expected: "a cursor that a search has given", at: "") { text in
            Base64.decode(text, .url).flatMap { String(validating: $0, as: UTF8.self) }
                .flatMap { $0.utf8.contains(0) ? nil : $0 }
        }
        guard reader.problems.isEmpty else { throw .invalid(reader.problems) }
        self.after = cursor ?? ""
    }

    static func cursor(_ recipient: String) -> String { Base64.encode(Array(recipient.utf8), .url) }
}
