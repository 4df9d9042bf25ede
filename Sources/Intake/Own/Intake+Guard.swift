import Egress
import Guard
import HTTP
import JSON
import Messaging
import Postgres
import Store
import Timestamps
import Verification

// What the guard has refused, and blocks: the operator's, whose keys alone have the scope.
extension Intake {
    func answerGuardBlocks(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch request.method {
        case "GET", "HEAD": return try await self.guardBlocks(request, for: self.principal(of: request, with: .guard))
        case "POST": return try await self.block(request, for: self.principal(of: request, with: .guard))
        default: throw .methodNotAllowed("GET, POST")
        }
    }

    /// Lifts a block: `DELETE /v1/guard/blocks/{id}`, with `for` the guard makes no other of the same for as long.
    func answerGuardBlock(_ id: Int64?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "DELETE" else { throw .methodNotAllowed("DELETE") }
        let principal = try self.principal(of: request, with: .guard)
        let duration = try Self.rest(request.parameters)
        guard let id else { throw .notFound }
        let lifted = try await self.ask { () async throws(PostgresError) in
            try await self.store.liftGuardBlock(
                id, account: principal.account, by: "account \(principal.accountName)", for: duration)
        }
        guard let lifted else { throw .notFound }
        try await self.lookForBlocks()
        return Self.ok(lifted.json)
    }

    /// `GET /v1/guard/refusals`.
    func answerGuardRefusals(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
        let account = try self.principal(of: request, with: .guard).account
        let since = try Self.since(request.parameters)
        let counts = try await self.ask { () async throws(PostgresError) in
            try await self.store.guardRefusals(of: account, since: since)
        }
        let refusals = counts.map { count -> JSON in
            [
                "reason": .string(count.reason), "country": .init(count.country.isEmpty ? nil : count.country),
                "refused": .integer(count.refused), "watched": .integer(count.watched),
            ]
        }
        return Self.ok(["since": .string("\(since)"), "refusals": .array(refusals)])
    }

    // MARK: - Private

    /// Blocks in one list.
    private static let blockLimit: Int32 = 200

    private func guardBlocks(_ request: HTTPRequest, for principal: Principal) async throws(Problem) -> HTTPResponse {
        let (isWhole, before) = try Self.page(request.parameters)
        var found = try await self.ask { () async throws(PostgresError) in
            try await self.store.guardBlocks(
                of: principal.account, isWhole: isWhole, before: before, limit: Self.blockLimit + 1)
        }
        let hasMore = found.count > Int(Self.blockLimit)
        found = Array(found.prefix(Int(Self.blockLimit)))
        return Self.ok([
            "blocks": .array(found.map(\.json)), "next": hasMore ? .init(found.last.map { "\($0.id)" }) : .null,
        ])
    }

    private func block(_ request: HTTPRequest, for principal: Principal) async throws(Problem) -> HTTPResponse {
        let asked = try BlockReader(request.json)
        let value = asked.scope.isHashed ? self.gate.hashing.hashes(asked.value)[0] : asked.value
        let block = GuardBlock(
            account: asked.isForAll ? nil : principal.account, scope: asked.scope, value: value, until: nil)
        let stored = try await self.ask(changes: true) { () async throws(PostgresError) in
            try await self.store.putGuardBlock(block, reason: asked.reason, for: asked.duration)
        }
        try await self.lookForBlocks()
        return Self.created(stored.json, at: "/v1/guard/blocks/\(stored.id)")
    }

    /// Here at once, elsewhere within a second.
    private func lookForBlocks() async throws(Problem) {
        try await self.ask { () async throws(PostgresError) in try await self.gate.lookForBlocks() }
    }

    private static func page(_ form: Form) throws(Problem) -> (isWhole: Bool, before: Int64) {
        try Self.known(["ended", "cursor"], form)
        guard ["true", "false", nil].contains(form["ended"]) else {
            throw .invalid([.init("ended", "must be true or false")])
        }
        guard let cursor = form["cursor"] else { return (form["ended"] == "true", .max) }
        guard let before = Int64(cursor) else { throw .invalid([.init("cursor", "must be the next of a page")]) }
        return (form["ended"] == "true", before)
    }

    private static func rest(_ form: Form) throws(Problem) -> Duration? {
        try Self.known(["for"], form)
        guard let text = form["for"] else { return nil }
        guard let period = Period(text) else { throw .invalid([.init("for", BlockReader.period)]) }
        return period.duration
    }

    private static func since(_ form: Form) throws(Problem) -> Timestamp {
        try Self.known(["since"], form)
        guard let text = form["since"] else { return .now - .seconds(86_400) }
        guard let moment = Timestamp(text) else { throw .invalid([.init("since", "must be a time in RFC 3339")]) }
        return max(moment, .now - Store.guardRefusalRetention)
    }

    private static func known(_ names: Set<String>, _ form: Form) throws(Problem) {
        var seen: Set<String> = []
        let problems = form.pairs.compactMap { pair -> JSONProblem? in
            guard names.contains(pair.name) else { return JSONProblem(pair.name, "is no parameter here") }
            return seen.insert(pair.name).inserted ? nil : JSONProblem(pair.name, "is given twice")
        }
        guard problems.isEmpty else { throw .invalid(problems) }
    }
}

/// What is to be blocked.
private struct BlockReader {
    var scope: GuardBlock.Scope
    var value: String
    var reason: String
    var duration: Duration?
    var isForAll: Bool

    static let period = "must be a length of time, as in 15m, 12h or 7d"
    private static let reasonCharacters = 1...200

    init(_ json: JSON) throws(Problem) {
        var reader = FieldReader()
        _ = reader.isObject(json, known: ["scope", "value", "reason", "for", "all_accounts"], at: "")
        let scopes = GuardBlock.Scope.allCases.map(\.rawValue).joined(separator: ", ")
        let scope = reader.parsed(
            json, "scope", expected: "one of \(scopes)", required: true, at: "", GuardBlock.Scope.init(rawValue:))
        let value = scope.flatMap { Self.value(json, $0, &reader) }
        self.reason = reader.string(json, "reason", characters: Self.reasonCharacters, at: "") ?? "operator"
        self.duration = reader.parsed(json, "for", expected: "a length of time, as in 15m, 12h or 7d", at: "") {
            Period($0)?.duration
        }
        self.isForAll = reader.flag(json, "all_accounts", at: "") ?? false
        guard reader.problems.isEmpty, let scope, let value else { throw .invalid(reader.problems) }
        self.scope = scope
        self.value = value
    }

    /// In the form that messages are held against.
    private static func value(_ json: JSON, _ scope: GuardBlock.Scope, _ reader: inout FieldReader) -> String? {
        switch scope {
        case .account:
            if reader.value(json, "value", at: "") != nil { reader.fail("/value", "is not for the scope account") }
            return ""
        case .number:
            return reader.parsed(json, "value", expected: "a number in E.164", required: true, at: "") {
                PhoneNumber(canonical: $0)?.e164
            }
        case .prefix:
            return reader.parsed(json, "value", expected: "a plus sign and 1 to 15 digits", required: true, at: "") {
                !$0.isEmpty && PhoneNumber.isPrefix($0) ? $0 : nil
            }
        case .country:
            return reader.parsed(json, "value", expected: "a country, as in GB", required: true, at: "") {
                GuardPolicy.isCountry($0) && $0 != "*" ? $0 : nil
            }
        case .channel:
            return reader.parsed(json, "value", expected: "sms or voice", required: true, at: "") {
                ["sms", "voice"].contains($0) ? $0 : nil
            }
        case .address:
            return reader.parsed(json, "value", expected: "an IPv4 or IPv6 address", required: true, at: "") {
                NetworkAddress($0).map { "\($0.household)" }
            }
        case .device:
            return reader.string(json, "value", characters: FieldReader.deviceCharacters, required: true, at: "")
        }
    }
}

extension StoredGuardBlock {
    /// What is kept as a hash has no value that says anything.
    fileprivate var json: JSON {
        [
            "id": .string("\(self.id)"), "scope": .string(self.block.scope.rawValue),
            "value": .init(self.block.scope.isHashed || self.block.value.isEmpty ? nil : self.block.value),
            "all_accounts": .bool(self.block.account == nil), "reason": .string(self.reason),
            "level": .integer(Int64(self.level)), "made_by": .string(self.isGuards ? "guard" : "operator"),
            "made_at": .string("\(self.madeAt)"), "until": .init(self.block.until.map { "\($0)" }),
            "lifted_at": .init(self.liftedAt.map { "\($0)" }), "lifted_until": .init(self.liftedUntil.map { "\($0)" }),
        ]
    }
}
