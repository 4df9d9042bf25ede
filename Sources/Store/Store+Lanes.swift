public import Messaging
public import Postgres

/// What keeps the number of lanes from being raised.
public enum LaneProblem: Error, Hashable, CustomStringConvertible {
    /// Some that there are would be no more; ids name them.
    case fewer(than: Int)
    /// The lane of a row is fixed once tables are distributed by it.
    case isDistributed
    /// Other programs are connected; the names that they go by.
    case inUse([String])
    /// A worker may still be alive: it has been silent for less than its lease.
    case workersAlive(Int)
    /// Codes can still be used whose recipients' limits would be looked for elsewhere; until the last has ended.
    case codesAlive(until: Duration)

    public var description: String {
        switch self {
        case .fewer(let count): "there are \(count) lanes already, and their number is never lowered"
        case .isDistributed: "the tables are distributed, and their number of lanes stays as it is"
        case .inUse(let names): "stop every other process first; connected: \(names.joined(separator: ", "))"
        case .workersAlive(let count):
            "stop every worker first; \(count) have been heard of within their lease"
        case .codesAlive(let wait):
            "codes can still be used: with the API stopped, come again in \(max(1, wait.components.seconds)) seconds"
        }
    }
}

extension Store {
    public static let mostLanes = 256

    /// The lanes of this database, from the first. One number for all processes: see ``LaneChoice``.
    public func lanes() async throws(PostgresError) -> [Lane] {
        let count = try await self.pool.query("SELECT lanes FROM configuration") { row throws(PostgresError) in
            Int(try row.decode(0, as: Int16.self))
        }.first
        return Self.lanes(count ?? 1)
    }

    /// `count`: 1 to ``mostLanes``.
    public static func lanes(_ count: Int) -> [Lane] { (0..<count).map { Lane(rawValue: UInt8($0)) } }

    /// Makes there be `count` lanes, 1 to ``mostLanes``; false when there are as many already.
    ///
    /// What is found by its recipient or its key, and not by an id, moves to the lane where it will be looked for: failures,
    /// limits and idempotency keys. Messages and all that is theirs stay where their ids say.
    ///
    /// Throws ``LaneProblem``, and nothing was changed. Nothing else may run meanwhile, since another process would go on looking
    /// in the old places: who is connected, which workers live and which codes can be used is asked first. Processes that
    /// see the number change nevertheless end themselves.
    public func raiseLanes(to count: Int) async throws -> Bool {
        try await self.pool.transaction { transaction in
            let old = try await transaction.query("SELECT lanes FROM configuration FOR UPDATE") {
                row throws(PostgresError) in Int(try row.decode(0, as: Int16.self))
            }[0]
            if count == old { return false }
            if count < old { throw LaneProblem.fewer(than: old) }
            if try await Self.isDistributed("messages", in: transaction) { throw LaneProblem.isDistributed }
            if let problem = try await Self.obstacle(Self.lanes(old), in: transaction) { throw problem }
            for table in Self.tablesFoundByName {
                try await Self.move(table, to: LaneChoice(lanes: Self.lanes(count)), in: transaction)
            }
            try await transaction.execute(
                "UPDATE configuration SET lanes = \(Int16(count)), revision = revision + 1")
            return true
        }
    }

    // MARK: - Private

    private static func obstacle(
        _ lanes: [Lane], in transaction: borrowing Transaction
    ) async throws(PostgresError) -> LaneProblem? {
        let names = try await transaction.query(
            """
            SELECT DISTINCT application_name FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'pinpost-%'
              AND application_name NOT IN ('pinpost-migrate', 'pinpost-report')
            ORDER BY 1 LIMIT 20
            """
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
        if !names.isEmpty { return .inUse(names) }
        let workers = try await transaction.query(
            "SELECT count(*) FROM workers WHERE lost_at IS NULL AND heartbeat_at > now() - lease"
        ) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }[0]
        if workers > 0 { return .workersAlive(workers) }
        let wait = try await transaction.query(
            """
            SELECT greatest(
                (SELECT max(expires_at) - now() FROM verifications
                 WHERE lane = ANY(\(lanes.map(\.column)))
                   AND code IS NOT NULL AND expires_at > now()),
                (SELECT max(made_at) + interval '15 minutes' - now() FROM scoped_codes
                 WHERE lane = ANY(\(lanes.map(\.column)))
                   AND made_at > now() - interval '15 minutes'))
            """,
            timeout: Self.scanTimeout
        ) { row throws(PostgresError) in try row.decodeIfPresent(0, as: Duration.self) }[0]
        return wait.map { .codesAlive(until: $0) }
    }

    /// A table whose rows are found by an account and a text.
    private struct NamedTable {
        var name: SQL.Fragment
        /// The column of the text.
        var text: SQL.Fragment
    }

    private static let tablesFoundByName: [NamedTable] = [
        NamedTable(name: "recipient_failures", text: "recipient"),
        NamedTable(name: "recipient_limits", text: "recipient"),
        NamedTable(name: "idempotency_keys", text: "key"),
    ]

    private struct NamedRow {
        var lane: Int16
        var account: AccountID
        var text: String

        init(lane: Int16, account: AccountID, text: String) {
            self.lane = lane
            self.account = account
            self.text = text
        }

        init(row: borrowing Row) throws(PostgresError) {
            self.lane = try row.decode(0)
            self.account = AccountID(rawValue: try row.decode(1))
            self.text = try row.decode(2)
        }
    }

    private static func moving(_ rows: [NamedRow], of table: NamedTable, to choice: LaneChoice) -> SQL {
        let lanes = rows.map { choice.lane(of: $0.text, account: $0.account).column }
        return """
            UPDATE \(table.name) t SET lane = n.new
            FROM unnest(\(rows.map(\.lane)), \(rows.map(\.account.rawValue)), \(rows.map(\.text)), \(lanes))
                AS n (lane, account_id, name, new)
            WHERE t.lane = n.lane AND t.account_id = n.account_id AND t.\(table.text) = n.name AND n.new <> n.lane
            """
    }

    private static func move(
        _ table: NamedTable, to choice: LaneChoice, in transaction: borrowing Transaction
    ) async throws(PostgresError) {
        // A day's keys may be millions: page by page. What was moved to a later lane is met again, and stays.
        var last = NamedRow(lane: -1, account: AccountID(rawValue: 0), text: "")
        while true {
            let rows = try await transaction.query(
                """
                SELECT DISTINCT lane, account_id, \(table.text) FROM \(table.name)
                WHERE (lane, account_id, \(table.text)) > (\(last.lane), \(last.account.rawValue), \(last.text))
                ORDER BY 1, 2, 3 LIMIT \(Int64(Self.moveLimit))
                """, timeout: Self.scanTimeout, decode: NamedRow.init)
            try await transaction.execute(Self.moving(rows, of: table, to: choice), timeout: Self.scanTimeout)
            guard rows.count == Self.moveLimit, let end = rows.last else { return }
            last = end
        }
    }

    /// Rows moved by one statement.
    private static let moveLimit = 10_000
}
