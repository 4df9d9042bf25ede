public import Messaging
public import Postgres
import Timestamps

// Receipts of messages that nobody knew when they came: the provider was quicker than the settlement, or it is not ours.
extension Store {
    /// Joins receipts kept within the last `age` to messages of one lane whose parts have become known. Returns how many; at
    /// most `limit` a call.
    ///
    /// Each kept receipt is looked for by its part, in the partitions of the days before it came: LATERAL with a LIMIT
    /// stays index probes whatever the planner thinks of the tables' sizes, and what nobody will ever claim costs the
    /// same few probes however long the history is.
    /// They are kept in the first lane. For messages of another, what is kept is read, looked for and deleted by three statements,
    /// each of one lane, and at most ``keptLimit`` of them a call.
    public func joinUnmatched(lane: Lane, age: Duration, limit: Int32) async throws(PostgresError) -> ReceiptCounts {
        try await self.transaction { transaction throws(PostgresError) in
            let found =
                lane.rawValue == 0
                ? try await Self.takeUnmatched(lane: lane, age: age, limit: limit, in: transaction)
                : try await Self.takeUnmatched(ofOther: lane, age: age, limit: limit, in: transaction)
            var counts = ReceiptCounts()
            guard !found.isEmpty else { return counts }
            let rows = try await transaction.query(Self.application(of: found, lane: lane, days: Days(of: found))) {
                row throws(PostgresError) in try Applied(row: row)
            }
            counts.add(rows, of: found.count, lane: lane)
            return counts
        }
    }

    /// Whether a receipt was kept within the last `age`; when none was, there is nothing to join in any lane.
    public func hasUnmatched(age: Duration) async throws(PostgresError) -> Bool {
        try await self.pool.query(
            "SELECT EXISTS (SELECT FROM unmatched_receipts WHERE lane = 0 AND received_at > now() - \(age))"
        ) { row throws(PostgresError) in try row.decode(0, as: Bool.self) }[0]
    }

    /// Kept receipts that one call looks for in a lane other than theirs, the newest.
    public static let keptLimit: Int32 = 10_000

    /// Deletes kept receipts that nothing has claimed for `age`, at most `limit` a call; returns how many were given up.
    public func dropUnmatched(olderThan age: Duration, limit: Int32) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            DELETE FROM unmatched_receipts WHERE lane = 0 AND ctid = ANY(ARRAY(
                SELECT ctid FROM unmatched_receipts
                WHERE lane = 0 AND received_at < now() - \(age) ORDER BY received_at LIMIT \(limit)
            ))
            """
        )
    }

    // MARK: - Private

    private static func takeUnmatched(
        lane: Lane, age: Duration, limit: Int32, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> [IncomingReceipt] {
        try await transaction.query(
            """
            WITH known AS MATERIALIZED (
                SELECT u.ctid AS place, p.message_id, p.series FROM unmatched_receipts u
                CROSS JOIN LATERAL (
                    SELECT message_id, series FROM parts
                    WHERE lane = \(lane.column) AND part = u.part AND provider_id = u.provider_id
                      AND message_id >= first_id_of(u.received_at - interval '8 days')
                    -- The newest: some providers begin to count anew.
                    ORDER BY message_id DESC LIMIT 1
                ) p
                WHERE u.lane = 0 AND u.received_at > now() - \(age)
                LIMIT \(limit) FOR UPDATE OF u SKIP LOCKED
            )
            DELETE FROM unmatched_receipts u USING known WHERE u.lane = 0 AND u.ctid = known.place
            RETURNING known.message_id, u.provider_id, u.part, u.status, u.code, u.state, u.reason,
                      u.covers_message, u.occurred_at, known.series, u.action, u.permanence
            """,
            decode: IncomingReceipt.init
        )
    }

    private static func takeUnmatched(
        ofOther lane: Lane, age: Duration, limit: Int32, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> [IncomingReceipt] {
        let kept = try await transaction.query(
            """
            SELECT provider_id, part, received_at FROM unmatched_receipts
            WHERE lane = 0 AND received_at > now() - \(age) ORDER BY received_at DESC LIMIT \(Self.keptLimit)
            """,
            decode: KeptReceipt.init)
        guard !kept.isEmpty else { return [] }
        let known = try await transaction.query(
            """
            SELECT w.provider_id, w.part, p.message_id, p.series
            FROM unnest(\(kept.map(\.provider)), \(kept.map(\.part)), \(kept.map(\.receivedAt)))
                AS w (provider_id, part, received_at)
            CROSS JOIN LATERAL (
                SELECT message_id, series FROM parts
                WHERE lane = \(lane.column) AND part = w.part AND provider_id = w.provider_id
                  AND message_id >= first_id_of(w.received_at - interval '8 days')
                ORDER BY message_id DESC LIMIT 1
            ) p
            LIMIT \(limit)
            """,
            decode: KnownPart.init)
        guard !known.isEmpty else { return [] }
        // Whoever else has taken one has deleted it by the time that this comes to it.
        return try await transaction.query(
            """
            DELETE FROM unmatched_receipts u
            USING (
                SELECT DISTINCT ON (provider_id, part) * FROM unnest(
                    \(known.map(\.provider)), \(known.map(\.part)), \(known.map(\.message)), \(known.map(\.series))
                ) AS k (provider_id, part, message_id, series)
            ) known
            WHERE u.lane = 0 AND u.provider_id = known.provider_id AND u.part = known.part
            RETURNING known.message_id, u.provider_id, u.part, u.status, u.code, u.state, u.reason,
                      u.covers_message, u.occurred_at, known.series, u.action, u.permanence
            """,
            decode: IncomingReceipt.init)
    }
}

/// A receipt that is kept.
private struct KeptReceipt {
    var provider: Int32
    var part: String
    var receivedAt: Timestamp

    init(row: borrowing Row) throws(PostgresError) {
        self.provider = try row.decode(0)
        self.part = try row.decode(1)
        self.receivedAt = try row.decode(2)
    }
}

/// The message that a kept receipt is of.
private struct KnownPart {
    var provider: Int32
    var part: String
    var message: MessageID
    var series: Int16

    init(row: borrowing Row) throws(PostgresError) {
        self.provider = try row.decode(0)
        self.part = try row.decode(1)
        self.message = try row.decode(2)
        self.series = try row.decode(3)
    }
}

extension IncomingReceipt {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        let verdict = Verdict(
            try row.decode(5, oneOf: Verdict.ProviderState.self),
            Verdict.Permanence(rawValue: try row.decode(11)) ?? .none,
            Verdict.Action(rawValue: try row.decode(10)) ?? .none, try row.decode(6, oneOf: Verdict.Reason.self)
        )
        self.init(
            provider: ProviderID(rawValue: try row.decode(1)),
            receipt: Receipt(
                message: MessageReference(id: try row.decode(0), series: try row.decode(9)), part: try row.decode(2),
                coversMessage: try row.decode(7), verdict: verdict, status: try row.decode(3),
                code: try row.decode(4), occurredAt: try row.decodeIfPresent(8)
            )
        )
    }
}
