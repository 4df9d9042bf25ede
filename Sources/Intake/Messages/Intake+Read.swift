import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store
import Telemetry
import Timestamps

extension Intake {
    /// `GET /v1/messages/{id}`: the message and its timeline.
    func show(_ id: MessageID?, for principal: Principal) async throws(Problem) -> HTTPResponse {
        guard let id else { throw .notFound }
        let found = try await self.ask { () async throws(PostgresError) in
            try await self.store.timeline(of: id, account: principal.account)
        }
        guard let found else { throw .notFound }
        return Self.ok(found.json)
    }

    /// `POST /v1/messages/{id}/cancel`.
    func cancel(_ id: MessageID?, for principal: Principal) async throws(Problem) -> HTTPResponse {
        guard let id else { throw .notFound }
        let result = try await self.ask { () async throws(PostgresError) in
            try await self.store.cancel(id, account: principal.account)
        }
        switch result {
        case .cancelled: return Self.ok(["id": .string("\(id)"), "status": "cancelled"])
        case .notFound: throw .notFound
        // What was cancelled before is cancelled now: the second request of a careful client is no error.
        case .refused(.cancelled): return Self.ok(["id": .string("\(id)"), "status": "cancelled"])
        case .refused(let state):
            throw Problem(409, "too_late", "The message can no longer be cancelled; its status is \(state.rawValue).")
        }
    }

    /// `GET /v1/messages`: a page of an account's messages, newest first.
    func list(_ request: HTTPRequest, for principal: Principal) async throws(Problem) -> HTTPResponse {
        let query = try ListQuery(request.parameters)
        var pages: [MessagePage] = []
        for lane in self.lanes {
            pages.append(
                try await self.ask { () async throws(PostgresError) in
                    try await self.store.messages(
                        lane: lane, account: principal.account, filter: query.filter, limit: query.limit)
                })
        }
        let page = MessagePage.merging(pages, limit: Int(query.limit))
        return Self.ok([
            "messages": .array(page.messages.map { .object($0.members) }),
            "next": .init(page.next?.cursor),
        ])
    }
}

extension MessagePage {
    /// Pages of several lanes as one. It ends where the first of them that has more ends, since beyond that others may
    /// be missing.
    static func merging(_ pages: [MessagePage], limit: Int) -> MessagePage {
        guard pages.count > 1 else { return pages[0] }
        let horizon = pages.compactMap(\.next).max()
        let messages = pages.flatMap(\.messages)
            .filter { message in horizon.map { message.id >= $0 } ?? true }
            .sorted { $0.id > $1.id }
        guard messages.count > limit else { return MessagePage(messages: messages, next: horizon) }
        let shown = Array(messages.prefix(limit))
        return MessagePage(messages: shown, next: shown.last?.id)
    }
}

/// What `GET /v1/messages` understands.
private struct ListQuery {
    var filter = MessageFilter()
    var limit: Int32 = 50

    static let limits: ClosedRange<Int32> = 1...200

    init(_ form: Form) throws(Problem) {
        var problems: [JSONProblem] = []
        var seen: Set<String> = []
        for (name, value) in form.pairs {
            let problem = self.set(name, value) ?? (seen.insert(name).inserted ? nil : "is given twice")
            if let problem { problems.append(.init(name, problem)) }
        }
        guard problems.isEmpty else { throw .invalid(problems) }
    }

    /// Takes one parameter; returns what is wrong with it.
    private mutating func set(_ name: String, _ value: String) -> String? {
        switch name {
        case "to":
            // An unescaped plus sign is a space by the rules of forms; no recipient holds one.
            let text = value.replacing(" ", with: "+")
            self.filter.recipient = PhoneNumber(canonical: text)?.e164 ?? EmailAddress(text)?.address
            return self.filter.recipient == nil ? "must be a number in E.164 or a mail address" : nil
        case "reference":
            self.filter.reference = value
            return value.utf8.contains(0) ? "must not hold a NUL" : nil
        case "status":
            self.filter.state = MessageState(rawValue: value)
            let known = MessageState.allCases.map(\.rawValue).joined(separator: ", ")
            return self.filter.state == nil ? "must be one of \(known)" : nil
        case "since":
            self.filter.from = Timestamp(value)
            return self.filter.from == nil ? "must be a time in RFC 3339" : nil
        case "until":
            self.filter.until = Timestamp(value)
            return self.filter.until == nil ? "must be a time in RFC 3339" : nil
        case "cursor":
            self.filter.before = MessageID(cursor: value)
            return self.filter.before == nil ? "must be a cursor that a list has given" : nil
        case "limit":
            guard let limit = Int32(value), Self.limits.contains(limit) else {
                return "must be between \(Self.limits.lowerBound) and \(Self.limits.upperBound)"
            }
            self.limit = limit
            return nil
        default: return "is no parameter of this list"
        }
    }

}

extension MessageID {
    /// Where a list goes on; opaque, so that nobody builds one.
    var cursor: String { Base64.encode(Array("\(self)".utf8), .url) }

    init?(cursor text: String) {
        guard let bytes = Base64.decode(text, .url) else { return nil }
        self.init(String(decoding: bytes, as: UTF8.self))
    }
}

extension StoredMessage {
    fileprivate var members: [JSON.Member] {
        [
            .init("id", .string("\(self.id)")),
            .init("status", .string(self.state.rawValue)),
            .init("reason", .init(self.reason)),
            .init("corrected", .bool(self.corrected)),
            .init("duplicated", .bool(self.duplicated)),
            .init("channel", .string(self.channel.rawValue)),
            .init("priority", .string(self.priority.name)),
            .init("to", .string(self.recipient)),
            .init("from", .init(self.sender)),
            .init("parts", .integer(Int64(self.parts))),
            .init("reference", .init(self.reference)),
            .init("metadata", self.metadata.flatMap { try? JSON(parsing: Array($0.utf8)) } ?? .null),
            .init("accepted_at", .string("\(self.acceptedAt)")),
            .init("send_at", .init(self.sendAt.map { "\($0)" })),
            .init("expires_at", .string("\(self.expiresAt)")),
            .init("changed_at", .string("\(self.changedAt)")),
            .init("price", .init(self.price.map { $0.amount.text() })),
            .init("currency", .init(self.price.flatMap { _ in self.currency })),
        ]
    }
}

extension Timeline {
    fileprivate var json: JSON {
        let accepted: (Timestamp, JSON) = (
            self.message.acceptedAt, ["event": "accepted", "at": .string("\(self.message.acceptedAt)")]
        )
        let events =
            [accepted] + self.attempts.map { ($0.settledAt, $0.json) } + self.receipts.map { ($0.receivedAt, $0.json) }
        let ordered = events.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
        return .object(self.message.members + [.init("timeline", .array(ordered.map(\.element.1)))])
    }
}

extension StoredAttempt {
    fileprivate var json: JSON {
        [
            "event": "attempt", "at": .string("\(self.settledAt)"), "attempt": .integer(Int64(self.attempt)),
            "provider": .string(self.provider), "outcome": .string(self.outcome), "reason": .string(self.reason),
            "code": .init(self.code.isEmpty ? nil : self.code),
            "milliseconds": .integer(self.duration.milliseconds),
        ]
    }
}

extension StoredReceipt {
    fileprivate var json: JSON {
        [
            "event": "receipt", "at": .string("\(self.receivedAt)"), "provider": .string(self.provider),
            "part": .init(self.part.isEmpty ? nil : self.part), "state": .string(self.state),
            "reason": .string(self.reason), "status": .string(self.status),
            "code": .init(self.code.isEmpty ? nil : self.code),
            "occurred_at": .init(self.occurredAt.map { "\($0)" }),
        ]
    }
}
