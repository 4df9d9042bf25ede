import Callbacks
import HTTP
import JSON
import Postgres

/// A change of a state, as it is told.
struct ToldChange: Hashable, Comparable, Sendable, CustomStringConvertible {
    var subject: String
    var sequence: Int64
    /// Nil where nothing but their number is known.
    var type: String?

    var description: String { "\(self.subject) \(self.sequence) \(self.type ?? "")" }

    static func < (left: Self, right: Self) -> Bool { (left.subject, left.sequence) < (right.subject, right.sequence) }
}

/// What customers were told in the end, and whether it is what has happened.
struct EventAftermath {
    /// What came in at the endpoints, in its order.
    var arrivals: [EventReceiver.Arrival]
    /// What the events say.
    var noted: [ToldChange]
    /// What the states of messages and verifications say: each has changed as often as its row has counted.
    var happened: [ToldChange]

    init(_ deployment: Deployment, _ arrivals: [EventReceiver.Arrival]) async throws {
        self.arrivals = arrivals
        self.noted = try await Self.changes("SELECT subject_id::text, sequence, type FROM events", deployment)
        self.happened = try await Self.changes(
            """
            SELECT s.id::text, n::smallint, CASE WHEN n = s.sequence THEN s.kind || s.state END
            FROM (
                SELECT id, 'message.' AS kind, state, sequence FROM messages
                -- One that has expired says so by having no code any more.
                UNION ALL SELECT id, 'verification.', CASE state WHEN 'pending' THEN 'expired' ELSE state END, sequence
                FROM verifications
            ) s, generate_series(1, greatest(s.sequence, 1)) n
            """, deployment)
    }

    /// Throws when a change is missing among those that were acknowledged, or one is told that is none.
    func checkCompleteness() throws {
        let told = try Set(self.arrivals.filter(\.isAcknowledged).map(Self.change))
        try Self.requireNone("noted and not told", Set(self.noted).subtracting(told))
        try Self.requireNone("told and not noted", told.subtracting(self.noted))
        guard Set(self.noted).count == self.noted.count else { throw Failure("a change was noted twice") }
        let places = { (changes: [ToldChange]) in
            Set(changes.map { ToldChange(subject: $0.subject, sequence: $0.sequence) })
        }
        try Self.requireNone("happened and not noted", places(self.happened).subtracting(places(self.noted)))
        try Self.requireNone("noted and never happened", places(self.noted).subtracting(places(self.happened)))
        let ends = Set(self.happened.filter { $0.type != nil })
        try Self.requireNone("told as something else", ends.subtracting(told))
    }

    /// Throws when a subject's changes came out of their order, or one had more than one body.
    func checkOrder() throws {
        var last: [String: Int64] = [:]
        var bodies: [String: [UInt8]] = [:]
        for arrival in self.arrivals {
            let change = try Self.change(arrival)
            if let former = bodies.updateValue(arrival.request.body, forKey: arrival.id) {
                guard former == arrival.request.body else { throw Failure("\(arrival.id) has two bodies") }
                continue
            }
            guard change.sequence > last[change.subject, default: 0] else {
                throw Failure("\(change) was told after \(last[change.subject] ?? 0)")
            }
            last[change.subject] = change.sequence
        }
        guard bodies.count == self.noted.count else { throw Failure("\(bodies.count) ids, \(self.noted.count) events") }
    }

    /// - `keys`: by path.
    func checkSignatures(_ keys: [String: [CallbackSecrets.SigningKey]]) throws {
        let unsigned = self.arrivals.filter { arrival in
            !arrival.isSigned(by: keys[String(arrival.request.path.dropFirst())] ?? [])
        }
        try Self.requireNone("not signed as they should be", unsigned.map(\.id))
    }

    // MARK: - Private

    static func change(_ arrival: EventReceiver.Arrival) throws -> ToldChange {
        let json = try JSON(parsing: arrival.request.body)
        guard let subject = json["data"]?["id"]?.string, let sequence = json["data"]?["sequence"]?.integer else {
            throw Failure("\(arrival.id) tells nothing")
        }
        return ToldChange(subject: subject, sequence: sequence, type: json["type"]?.string)
    }

    private static func changes(_ query: SQL, _ deployment: Deployment) async throws -> [ToldChange] {
        try await deployment.database.query(query) { row throws(PostgresError) in
            ToldChange(
                subject: try row.decode(0), sequence: Int64(try row.decode(1, as: Int16.self)),
                type: try row.decodeIfPresent(2))
        }
    }

    private static func requireNone(_ what: String, _ found: some Collection<some Any>) throws {
        guard !found.isEmpty else { return }
        throw Failure("\(found.count) \(what): \(found.prefix(5).map { "\($0)" }.joined(separator: "\n"))")
    }
}
