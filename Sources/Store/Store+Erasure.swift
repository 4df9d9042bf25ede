public import Messaging
public import Postgres
public import Timestamps

/// An erasure that begins.
public struct NewErasure: Sendable {
    /// Nil: of all accounts.
    public var account: AccountID?
    /// Which key of the API asks, by its number; nil: the operator. Its name is what is kept.
    public var apiKey: Int32?
    /// Which master key `mac` was made with.
    public var keyID: Int16
    /// A keyed hash of the recipient; 32 bytes.
    public var mac: [UInt8]

    public init(account: AccountID?, apiKey: Int32?, keyID: Int16, mac: [UInt8]) {
        self.account = account
        self.apiKey = apiKey
        self.keyID = keyID
        self.mac = mac
    }
}

/// How much was erased.
public struct ErasureCounts: Sendable, Hashable {
    /// That had not been sent, and are not sent any more.
    public var cancelled = 0
    public var messages = 0
    public var verifications = 0
    /// What was counted of a recipient, codes found by their scope, and what was looked up.
    public var others = 0
    /// Still on their way: to be asked for again.
    public var underWay = 0

    public init() {}
}

/// What is kept of an erasure.
public struct StoredErasure: Sendable, Hashable {
    public var id: Int64
    /// Nil: of all accounts.
    public var account: String?
    /// The name of the key that asked; nil: the operator.
    public var key: String?
    public var begunAt: Timestamp
    /// Nil while it runs, and when it was broken off.
    public var endedAt: Timestamp?
    public var counts: ErasureCounts
}

// A recipient's rows are found by account, so an erasure goes account by account and lane by lane, a batch a transaction. What was done
// is counted in the batch's own transaction: broken off anywhere, the account of it is right, and another one takes up the rest.
extension Store {
    /// What stands where a recipient was.
    public static let erasedRecipient = "erased"

    /// Notes that an erasure begins; returns its number.
    public func beginErasure(_ erasure: NewErasure) async throws(PostgresError) -> Int64 {
        try await self.pool.query(
            """
            INSERT INTO erasures (account_id, api_key, key_id, recipient_mac)
            VALUES (\(erasure.account?.rawValue), (SELECT name FROM api_keys WHERE id = \(erasure.apiKey)), \(erasure.keyID), \(Bytes(erasure.mac)))
            RETURNING id
            """
        ) { row throws(PostgresError) in try row.decode(0, as: Int64.self) }[0]
    }

    /// Notes that an erasure has ended, and how many messages were still on their way.
    public func endErasure(_ erasure: Int64, underWay: Int) async throws(PostgresError) -> ErasureCounts {
        try await self.pool.query(
            """
            UPDATE erasures SET ended_at = now(), under_way = \(Int32(clamping: underWay)) WHERE id = \(erasure)
            RETURNING cancelled, messages, verifications, others, under_way
            """
        ) { row throws(PostgresError) in try ErasureCounts(row: row, from: 0) }.first ?? ErasureCounts()
    }

    /// Those of `accounts` of which a lane has something of a recipient.
    public func accounts(
        among accounts: [AccountID], knowing recipients: [String], lane: Lane
    ) async throws(PostgresError) -> [AccountID] {
        try await self.pool.query(
            """
            SELECT a.id FROM unnest(\(accounts.map(\.rawValue))) AS a (id)
            WHERE EXISTS (SELECT FROM messages
                          WHERE lane = \(lane.column) AND account_id = a.id AND recipient = ANY(\(recipients)))
               OR EXISTS (SELECT FROM verifications
                          WHERE lane = \(lane.column) AND account_id = a.id AND recipient = ANY(\(recipients)))
               OR EXISTS (SELECT FROM scoped_codes
                          WHERE lane = \(lane.column) AND account_id = a.id AND recipient = ANY(\(recipients)))
               OR EXISTS (SELECT FROM recipient_limits
                          WHERE lane = \(lane.column) AND account_id = a.id AND recipient = ANY(\(recipients)))
               OR EXISTS (SELECT FROM recipient_failures
                          WHERE lane = \(lane.column) AND account_id = a.id AND recipient = ANY(\(recipients)))
            ORDER BY a.id
            """, timeout: Self.scanTimeout
        ) { row throws(PostgresError) in AccountID(rawValue: try row.decode(0)) }
    }

    /// Messages to a recipient that wait to be sent or are being sent, at most `limit`, behind `after`; oldest first.
    public func messagesUnderWay(
        lane: Lane, account: AccountID, recipients: [String], after: MessageID, limit: Int32
    ) async throws(PostgresError) -> [MessageID] {
        try await self.pool.query(
            """
            SELECT m.id FROM messages m
            WHERE m.lane = \(lane.column) AND m.account_id = \(account.rawValue) AND m.recipient = ANY(\(recipients))
              AND m.id > \(after)
              -- By whole keys, whatever the planner thinks of the queue's length.
              AND coalesce((SELECT true FROM outbox WHERE lane = \(lane.column) AND id = m.id),
                           (SELECT true FROM scheduled WHERE lane = \(lane.column) AND id = m.id), false)
            ORDER BY m.id LIMIT \(limit)
            """, timeout: Self.scanTimeout
        ) { row throws(PostgresError) in try row.decode(0, as: MessageID.self) }
    }

    /// How many messages there are to a recipient, wherever they are; counting stops at `limit`.
    public func countMessages(
        lane: Lane, account: AccountID, recipients: [String], limit: Int32
    ) async throws(PostgresError) -> Int {
        try await self.pool.query(
            """
            SELECT count(*) FROM (
                SELECT FROM messages
                WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND recipient = ANY(\(recipients))
                LIMIT \(limit)
            ) AS left_over
            """, timeout: Self.scanTimeout
        ) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }[0]
    }

    /// Notes that an erasure cancelled messages.
    public func count(cancelled: Int, of erasure: Int64) async throws(PostgresError) {
        _ = try await self.pool.execute(
            "UPDATE erasures SET cancelled = cancelled + \(Int32(clamping: cancelled)) WHERE id = \(erasure)")
    }

    /// Takes the recipient, and what the customer noted, out of messages that are not under way, at most `limit` of them; none of them
    /// goes on to another provider. Returns how many, and whether there are no more that could be.
    ///
    /// The rows are locked before it is looked what waits to be sent: whoever sends one on changes its row first.
    public func eraseMessages(
        _ erasure: Int64, lane: Lane, account: AccountID, recipients: [String], limit: Int32
    ) async throws(PostgresError) -> (erased: Int, isLast: Bool) {
        try await self.transaction { transaction throws(PostgresError) in
            let found = try await transaction.query(
                """
                SELECT m.id FROM messages m
                WHERE m.lane = \(lane.column) AND m.account_id = \(account.rawValue) AND m.recipient = ANY(\(recipients))
                  AND NOT coalesce((SELECT true FROM outbox WHERE lane = \(lane.column) AND id = m.id),
                                   (SELECT true FROM scheduled WHERE lane = \(lane.column) AND id = m.id), false)
                ORDER BY m.id LIMIT \(limit) FOR UPDATE OF m
                """, timeout: Self.scanTimeout
            ) { row throws(PostgresError) in try row.decode(0, as: MessageID.self) }
            if found.isEmpty { return (0, true) }
            let days = Days(of: found)
            let count = try await transaction.execute(
                """
                UPDATE messages m SET
                    recipient = \(Self.erasedRecipient), reference = NULL, metadata = NULL, callback_url = NULL, body = NULL
                WHERE m.lane = \(lane.column) AND m.id = ANY(\(found)) AND m.id >= \(days.first) AND m.id < \(days.end)
                  AND NOT coalesce((SELECT true FROM outbox WHERE lane = \(lane.column) AND id = m.id),
                                   (SELECT true FROM scheduled WHERE lane = \(lane.column) AND id = m.id), false)
                """)
            try await Self.note(erasure, messages: count, in: transaction)
            return (count, count == 0 || found.count < Int(limit))
        }
    }

    /// Has none of a recipient's codes go on to another provider; returns how many would have, maybe.
    public func leaveStandby(lane: Lane, account: AccountID, recipients: [String]) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            DELETE FROM standby WHERE lane = \(lane.column) AND id = ANY(ARRAY(
                SELECT s.id FROM messages m JOIN standby s ON s.lane = \(lane.column) AND s.id = m.id
                WHERE m.lane = \(lane.column) AND m.account_id = \(account.rawValue) AND m.recipient = ANY(\(recipients))
            ))
            """, timeout: Self.scanTimeout)
    }

    /// Ends a recipient's verifications and takes the recipient out of them, at most `limit` of them; returns how many. Nobody is told
    /// that they ended.
    public func eraseVerifications(
        _ erasure: Int64, lane: Lane, account: AccountID, recipients: [String], limit: Int32
    ) async throws(PostgresError) -> Int {
        try await self.transaction { transaction throws(PostgresError) in
            let count = try await transaction.execute(
                """
                WITH found AS MATERIALIZED (
                    SELECT id FROM verifications
                    WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND recipient = ANY(\(recipients))
                    ORDER BY id LIMIT \(limit) FOR UPDATE
                )
                UPDATE verifications v SET
                    recipient = \(Self.erasedRecipient), code = NULL, expires_at = least(v.expires_at, now())
                FROM found f WHERE v.lane = \(lane.column) AND v.id = f.id
                """, timeout: Self.scanTimeout)
            try await Self.note(erasure, verifications: count, in: transaction)
            return count
        }
    }

    /// Forgets what a recipient has used up and guessed wrong of an account, and its codes that are found by their scope.
    public func eraseCounts(
        _ erasure: Int64, lane: Lane, account: AccountID, recipients: [String]
    ) async throws(PostgresError) {
        try await self.transaction { transaction throws(PostgresError) in
            var count = 0
            count += try await transaction.execute(
                """
                DELETE FROM scoped_codes
                WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND recipient = ANY(\(recipients))
                """)
            count += try await transaction.execute(
                """
                DELETE FROM recipient_limits
                WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND recipient = ANY(\(recipients))
                """)
            count += try await transaction.execute(
                """
                DELETE FROM recipient_failures
                WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND recipient = ANY(\(recipients))
                """)
            try await Self.note(erasure, others: count, in: transaction)
        }
    }

    /// Forgets what was looked up of a number, whoever had it looked up: it is asked again when it is needed.
    public func eraseLookUps(_ erasure: Int64, recipients: [String]) async throws(PostgresError) {
        try await self.transaction { transaction throws(PostgresError) in
            let count = try await transaction.execute(
                "DELETE FROM look_ups WHERE lane = 0 AND number = ANY(\(recipients))")
            try await Self.note(erasure, others: count, in: transaction)
        }
    }

    /// The newest erasures, or those with one of these keyed hashes; at most `limit`.
    public func erasures(macs: [[UInt8]]?, limit: Int32) async throws(PostgresError) -> [StoredErasure] {
        let macs = macs.map { $0.map(Bytes.init) }
        return try await self.pool.query(
            """
            SELECT e.id, a.name, e.api_key, e.begun_at, e.ended_at, e.cancelled, e.messages, e.verifications, e.others, e.under_way
            FROM erasures e LEFT JOIN accounts a ON a.id = e.account_id
            WHERE \(macs)::bytea[] IS NULL OR e.recipient_mac = ANY(\(macs))
            ORDER BY e.id DESC LIMIT \(limit)
            """
        ) { row throws(PostgresError) in
            StoredErasure(
                id: try row.decode(0), account: try row.decodeIfPresent(1), key: try row.decodeIfPresent(2),
                begunAt: try row.decode(3), endedAt: try row.decodeIfPresent(4),
                counts: try ErasureCounts(row: row, from: 5))
        }
    }

    /// All accounts, or the one of this name.
    public func accounts(named name: String?) async throws(PostgresError) -> [AccountID] {
        try await self.pool.query("SELECT id FROM accounts WHERE \(name) IS NULL OR name = \(name) ORDER BY id") {
            row throws(PostgresError) in AccountID(rawValue: try row.decode(0))
        }
    }

    // MARK: - Private

    /// Counts in the transaction that erases, and in a statement of its own: the account of erasures has no lane.
    private static func note(
        _ erasure: Int64, messages: Int = 0, verifications: Int = 0, others: Int = 0,
        in transaction: borrowing Transaction
    ) async throws(PostgresError) {
        _ = try await transaction.execute(
            """
            UPDATE erasures SET
                messages = messages + \(Int32(clamping: messages)),
                verifications = verifications + \(Int32(clamping: verifications)), others = others + \(Int32(clamping: others))
            WHERE id = \(erasure)
            """)
    }
}

extension ErasureCounts {
    fileprivate init(row: borrowing Row, from column: Int) throws(PostgresError) {
        self.cancelled = Int(try row.decode(column, as: Int32.self))
        self.messages = Int(try row.decode(column + 1, as: Int32.self))
        self.verifications = Int(try row.decode(column + 2, as: Int32.self))
        self.others = Int(try row.decode(column + 3, as: Int32.self))
        self.underWay = Int(try row.decode(column + 4, as: Int32.self))
    }
}
