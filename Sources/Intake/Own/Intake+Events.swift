import Callbacks
import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store
import Telling
import Timestamps

// What happened, and who was told of it.
extension Intake {
    /// `GET /v1/events`: a page of an account's events, newest first.
    func answerEvents(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
        let account = try self.principal(of: request, with: .read).account
        let query = try EventQuery(request.parameters)
        var events: [StoredEvent] = []
        for lane in self.lanes {
            // One more than asked for tells whether there is a next page.
            events += try await self.ask { () async throws(PostgresError) in
                try await self.store.events(
                    lane: lane, account: account, filter: query.filter, limit: query.limit + 1)
            }
        }
        events.sort { $0.id.rawValue > $1.id.rawValue }
        let shown = events.prefix(Int(query.limit))
        let next = events.count > shown.count ? shown.last.map { EventQuery.cursor($0.id) } : nil
        return Self.ok(["events": .array(shown.map(\.json)), "next": .init(next)])
    }

    /// `GET /v1/events/{id}`: what it tells, in the words of a webhook's body, and to whom.
    func answerEvent(_ id: EventID?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
        let principal = try self.principal(of: request, with: .read)
        let (event, facts) = try await self.event(id, of: principal)
        let (tried, pending) = try await self.ask { () async throws(PostgresError) in
            try await self.store.tellings(of: event.id, subject: event.subject)
        }
        let body = Callbacks.body(of: CallbackEvent(event.id, subject: event.subject, facts))
        return Self.ok(
            .object(
                [.init("id", .string("\(event.id)"))] + (body.members ?? [])
                    + [.init("deliveries", .array(Self.deliveries(tried, pending)))]))
    }

    /// An account's event and what it tells.
    func event(
        _ id: EventID?, of principal: Principal
    ) async throws(Problem) -> (event: StoredEvent, facts: EventFacts) {
        guard let id else { throw .notFound }
        let found = try await self.ask { () async throws(PostgresError) in
            try await self.store.event(id, of: principal.account)
        }
        guard let found else { throw .notFound }
        return found
    }

    // MARK: - Private

    /// By webhook, in the order in which they were first tried.
    private static func deliveries(_ tried: [StoredTelling], _ pending: [PendingTelling]) -> [JSON] {
        var names: [String] = []
        for name in tried.map(\.endpoint) + pending.map(\.endpoint) where !names.contains(name) { names.append(name) }
        return names.map { name in
            let due = pending.first { $0.endpoint == name }
            return [
                // The name of one that was deleted has its number behind it.
                "webhook": .string(String(name.prefix { $0 != " " })),
                "attempts": .array(tried.filter { $0.endpoint == name }.map(\.json)),
                "pending": due.map { ["due_at": .init($0.dueAt.map { "\($0)" })] } ?? .null,
            ]
        }
    }
}

extension StoredEvent {
    fileprivate var json: JSON {
        [
            "id": .string("\(self.id)"), "type": .string(self.type), "timestamp": .string("\(self.occurredAt)"),
            "subject": .string("\(self.subject)"), "sequence": .integer(Int64(self.sequence)),
            "reason": .init(self.reason),
        ]
    }
}

extension StoredTelling {
    fileprivate var json: JSON {
        [
            "attempt": .integer(Int64(self.attempt)), "outcome": .string(self.outcome),
            "status": self.status.map { .integer(Int64($0)) } ?? .null,
            "duration_ms": .integer(self.duration.milliseconds), "at": .string("\(self.settledAt)"),
            "is_last": .bool(self.isLast),
        ]
    }
}

/// What `GET /v1/events` understands.
private struct EventQuery {
    var filter = EventFilter()
    var limit: Int32 = 50

    private static let limits: ClosedRange<Int32> = 1...200

    init(_ form: Form) throws(Problem) {
        var problems: [JSONProblem] = []
        var seen: Set<String> = []
        for (name, value) in form.pairs {
            // One may ask for several types.
            let isNew = seen.insert(name).inserted || name == "type"
            let problem = self.set(name, value) ?? (isNew ? nil : "is given twice")
            if let problem { problems.append(.init(name, problem)) }
        }
        guard problems.isEmpty else { throw .invalid(Array(problems.prefix(FieldReader.problemLimit))) }
    }

    /// Takes one parameter; returns what is wrong with it.
    private mutating func set(_ name: String, _ value: String) -> String? {
        switch name {
        case "type":
            guard EventType(rawValue: value) != nil else {
                return "must be one of \(EventType.allCases.map(\.rawValue).joined(separator: ", "))"
            }
            if !self.filter.types.contains(value) { self.filter.types.append(value) }
            return nil
        case "subject":
            self.filter.subject = MessageID(value)
            return self.filter.subject == nil ? "must be the id of a message or of a verification" : nil
        case "since":
            self.filter.from = Timestamp(value)
            return self.filter.from == nil ? "must be a time in RFC 3339" : nil
        case "until":
            self.filter.until = Timestamp(value)
            return self.filter.until == nil ? "must be a time in RFC 3339" : nil
        case "cursor":
            self.filter.before = Self.id(ofCursor: value)
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

    /// Opaque, so that nobody builds one.
    static func cursor(_ id: EventID) -> String { Base64.encode(Array("\(id)".utf8), .url) }

    private static func id(ofCursor text: String) -> EventID? {
        Base64.decode(text, .url).flatMap { EventID(String(decoding: $0, as: UTF8.self)) }
    }
}
