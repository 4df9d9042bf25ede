public import Messaging
public import Postgres
public import Routing
import Timestamps

/// A message that this worker holds and may hand to its provider.
public struct Claim: Sendable {
    public var id: MessageID
    public var account: AccountID
    public var provider: ProviderID
    public var priority: Priority
    /// From 1; counted when it was claimed.
    public var attempt: Int16
    public var series: Int16
    /// How often in a row the provider has asked us to slow down.
    public var waits: Int16
    /// The targets of its route that it has been to before this provider.
    public var tried: TargetSet
    public var state: MessageState
    public var channel: Channel
    public var recipient: String
    public var sender: String?
    /// Segments.
    public var parts: Int16
    /// Sealed; nil when the message needs no sending any more.
    public var body: [UInt8]?
    /// Until the message may no longer be handed over; negative when that has passed.
    public var remaining: Duration
    /// How long ago it became ready.
    public var age: Duration
    /// How many its account could have got in this claim at this priority.
    public var quota: Int32
    /// There was no room for all accounts and priorities that the claim came by.
    public var isCut: Bool
    /// No older one was left behind where the claim began to look; nil when it looked at all.
    public var oldestLeft: MessageID?

    public var reference: MessageReference { MessageReference(id: self.id, series: self.series) }

    public var flow: ClaimFlow {
        ClaimFlow(provider: self.provider, priority: self.priority, account: self.account)
    }
}

/// How many messages a worker has room for, by provider.
public struct ClaimRequest: Sendable {
    public var provider: ProviderID
    public var limit: Int32
    /// Where to begin among the accounts, for each priority: behind the last that the previous claim served.
    public var after: [Priority: AccountID]

    public init(provider: ProviderID, limit: Int32, after: [Priority: AccountID]) {
        self.provider = provider
        self.limit = limit
        self.after = after
    }

    func after(_ priority: Priority) -> Int32 { self.after[priority]?.rawValue ?? 0 }
}

/// An account's messages of one priority for one provider.
public struct ClaimFlow: Sendable, Hashable {
    public var provider: ProviderID
    public var priority: Priority
    public var account: AccountID

    public init(provider: ProviderID, priority: Priority, account: AccountID) {
        self.provider = provider
        self.priority = priority
        self.account = account
    }
}

/// Where a claim begins that does not look at all of the queue.
public struct ClaimStart: Sendable {
    /// No id below is looked at.
    public var from: MessageID
    /// Providers in service: what waits for others is in nobody's way.
    public var served: [ProviderID]
    /// Looked for by themselves, however many messages of others stand before theirs.
    public var known: [ClaimFlow]

    public init(from: MessageID, served: [ProviderID], known: [ClaimFlow]) {
        self.from = from
        self.served = served
        self.known = known
    }
}

extension Store {
    /// Leases ready messages of one lane to `worker`, about `limit` for each provider named: shares
    /// are rounded up.
    ///
    /// The walk. `flow` hops through the index from one account with ready messages to the next, at most `accountLimit`
    /// of them for each provider and priority, and never reads the backlog in between. `quota` divides a provider's
    /// limit: the priorities that have messages share 16 : 3 : 1, so that codes go ahead and nothing starves; the
    /// accounts of a priority share equally, each at least one message; where there is no room even for that, chance decides
    /// with the same weights. So one message of a small account waits for no million of a large one.
    /// `due` takes each flow's oldest. What a flow cannot use is left for the next claim, which follows at once.
    ///
    /// The candidates are locked in a MATERIALIZED CTE: left inline, PostgreSQL may evaluate the limited subquery more
    /// than once and update more rows than asked for. The look-up of each message is LATERAL with a LIMIT so that it
    /// stays one index probe in one partition whatever the planner thinks of the tables' sizes.
    ///
    /// A worker whose lease has run out claims nothing, even if it does not know yet.
    ///
    /// - `start`: looks at no id below. While a transaction is left open somewhere, no dead row can be cleared up, and what was claimed
    ///   in the meantime stands in front of what is ready: the walk would read all of it, each time. Then `found` takes the accounts
    ///   of what is ready behind the start, and of what has come lately, from the primary key, ``aheadLimit`` rows of each; and
    ///   those of the known ones that have something.
    public func claim(
        lane: Lane, worker: WorkerID, requests: [ClaimRequest], start: ClaimStart? = nil,
        accountLimit: Int32 = Self.accountLimit
    ) async throws(PostgresError) -> [Claim] {
        let days = Days.ofReady
        // What is older has expired, and would be held without being returned; see ``expireStranded(lane:served:limit:)``.
        let least = max(start?.from ?? days.first.id, days.first.id)
        let (from, served, known) = (start.map { _ in least }, start?.served ?? [], start?.known ?? [])
        let recent: MessageID? = from.map { max($0, MessageID.first(at: Timestamp.now - Self.recentAge)) }
        let statement: SQL = """
            WITH RECURSIVE wanted AS (
                SELECT w.provider_id, w.capacity, p.priority, p.weight, p.after_account
                FROM unnest(\(requests.map(\.provider.rawValue)), \(requests.map(\.limit)),
                            \(requests.map { $0.after(.otp) }), \(requests.map { $0.after(.transactional) }),
                            \(requests.map { $0.after(.bulk) }))
                    AS w (provider_id, capacity, after_otp, after_transactional, after_bulk)
                CROSS JOIN LATERAL (VALUES
                    (0::smallint, 16, w.after_otp), (1::smallint, 3, w.after_transactional),
                    (2::smallint, 1, w.after_bulk)
                ) AS p (priority, weight, after_account)
                WHERE EXISTS (SELECT FROM workers WHERE id = \(worker.rawValue) AND lost_at IS NULL)
            ), walked AS (
                SELECT w.provider_id, w.priority, w.capacity, w.weight, first.account_id, 1 AS step
                FROM wanted w CROSS JOIN LATERAL (
                    -- Behind the last account, or from the beginning when nobody is there: no priority goes without.
                    (SELECT account_id FROM outbox
                     WHERE lane = \(lane.column) AND priority = w.priority AND provider_id = w.provider_id
                       AND account_id > w.after_account AND worker_id IS NULL
                     ORDER BY account_id LIMIT 1)
                    UNION ALL
                    (SELECT account_id FROM outbox
                     WHERE lane = \(lane.column) AND priority = w.priority AND provider_id = w.provider_id
                       AND account_id > 0 AND worker_id IS NULL
                     ORDER BY account_id LIMIT 1)
                    LIMIT 1
                ) first
                WHERE \(from) IS NULL
                UNION ALL
                SELECT f.provider_id, f.priority, f.capacity, f.weight, next.account_id, f.step + 1
                FROM walked f CROSS JOIN LATERAL (
                    SELECT account_id FROM outbox
                    WHERE lane = \(lane.column) AND priority = f.priority AND provider_id = f.provider_id
                      AND account_id > f.account_id AND worker_id IS NULL
                    ORDER BY account_id LIMIT 1
                ) next
                -- Never more accounts than there is room for, since each gets one message at least.
                WHERE f.step < least(\(accountLimit), greatest(1, f.capacity / 3))
            ), ahead AS MATERIALIZED (
                SELECT id, provider_id, priority, account_id FROM outbox
                WHERE lane = \(lane.column) AND id >= \(from) AND worker_id IS NULL
                  AND provider_id = ANY(\(served.map(\.rawValue)))
                ORDER BY id LIMIT \(Self.aheadLimit)
            ), lately AS MATERIALIZED (
                SELECT provider_id, priority, account_id FROM outbox
                WHERE lane = \(lane.column) AND id >= \(recent) AND worker_id IS NULL ORDER BY id DESC LIMIT \(Self.aheadLimit)
            ), found AS (
                SELECT provider_id, priority, account_id FROM ahead
                UNION
                SELECT provider_id, priority, account_id FROM lately
                UNION
                SELECT k.provider_id, k.priority, k.account_id
                FROM unnest(\(known.map(\.provider.rawValue)), \(known.map(\.priority.rawValue)),
                            \(known.map(\.account.rawValue))) AS k (provider_id, priority, account_id)
                CROSS JOIN LATERAL (
                    SELECT 1 FROM outbox
                    WHERE lane = \(lane.column) AND priority = k.priority AND provider_id = k.provider_id
                      AND (account_id, id) >= (k.account_id, \(least)) AND account_id <= k.account_id AND worker_id IS NULL
                    ORDER BY account_id, id LIMIT 1
                ) ready
            ), flow AS (
                SELECT * FROM walked
                UNION ALL
                SELECT provider_id, priority, capacity, weight, account_id, step FROM (
                    SELECT w.*, f.account_id, row_number() OVER (
                               PARTITION BY w.provider_id, w.priority
                               ORDER BY f.account_id <= w.after_account, f.account_id
                           )::integer AS step
                    FROM wanted w JOIN found f ON f.provider_id = w.provider_id AND f.priority = w.priority
                ) AS in_turn
                WHERE step <= least(\(accountLimit), greatest(1, capacity / 3))
            ), share AS (
                SELECT provider_id, priority,
                       -- In numerics: whole numbers would give the small shares nothing.
                       max(capacity)::numeric * max(weight) / sum(max(weight)) OVER (PARTITION BY provider_id)
                           / count(*) AS each_account
                FROM flow GROUP BY provider_id, priority
            ), quota AS MATERIALIZED (
                SELECT provider_id, priority, account_id, quota, cut
                FROM (
                    SELECT taken.*, max(before) OVER (PARTITION BY provider_id) >= capacity AS cut
                    FROM (
                        SELECT f.provider_id, f.priority, f.account_id, f.capacity,
                               ceil(s.each_account)::integer AS quota,
                               coalesce(sum(ceil(s.each_account)) OVER (
                                   PARTITION BY f.provider_id ORDER BY f.step, -ln(1 - random()) / f.weight
                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                               ), 0) AS before
                        FROM flow f JOIN share s USING (provider_id, priority)
                    ) taken
                ) chosen
                WHERE before < capacity
            ), due AS MATERIALIZED (
                SELECT o.id, q.quota, q.cut
                FROM quota q CROSS JOIN LATERAL (
                    SELECT id FROM outbox
                    WHERE lane = \(lane.column) AND priority = q.priority AND provider_id = q.provider_id
                      AND (account_id, id) >= (q.account_id, \(least)) AND account_id <= q.account_id AND worker_id IS NULL
                    -- In the order of outbox_ready, and by conditions that are no other index's: the primary key gives the same
                    -- rows by reading everybody else's on the way, or all of the queue to sort it.
                    ORDER BY account_id, id LIMIT q.quota
                    FOR UPDATE SKIP LOCKED
                ) o
                -- More than the quotas add up to. Of a LIMIT that it cannot read the planner expects a tenth of the table,
                -- and would then read all of a long queue to find these few again.
                LIMIT \(Self.mostClaims(requests, accountLimit: accountLimit))
            ), claimed AS (
                UPDATE outbox SET worker_id = \(worker.rawValue), attempt = attempt + 1
                FROM due WHERE outbox.lane = \(lane.column) AND outbox.id = due.id
                RETURNING outbox.id, outbox.account_id, outbox.provider_id, outbox.priority, outbox.attempt,
                          outbox.series, outbox.waits, outbox.tried, due.quota, due.cut
            )
            SELECT c.id, c.account_id, c.provider_id, c.priority, c.attempt, c.series, c.waits, m.state, m.channel,
                   m.recipient, m.sender, m.body, m.remaining, m.age, c.quota, c.cut, c.tried, m.parts,
                   -- Those that stood first may all be taken.
                   coalesce((SELECT id FROM ahead WHERE id NOT IN (SELECT id FROM due) ORDER BY id LIMIT 1),
                            (SELECT id FROM ahead ORDER BY id DESC LIMIT 1))
            FROM claimed c CROSS JOIN LATERAL (
                SELECT state, channel, recipient, sender, body, parts, expires_at - now() AS remaining,
                       now() - greatest(accepted_at, send_at) AS age
                FROM messages WHERE lane = \(lane.column) AND id = c.id AND id >= \(days.first) AND id < \(days.end) LIMIT 1
            ) m
            ORDER BY c.priority, c.id
            """
        return try await self.pool.query(statement.preparedForLookUps, decode: Claim.init)
    }

    /// What all quotas can come to: each account's share is rounded up.
    private static func mostClaims(_ requests: [ClaimRequest], accountLimit: Int32) -> Int64 {
        requests.reduce(0) { $0 + Int64($1.limit) + Int64(Priority.allCases.count) * Int64(accountLimit) }
    }

    /// See ``claim(lane:worker:requests:start:accountLimit:)``.
    static let aheadLimit: Int64 = 500
    private static let recentAge = Duration.seconds(10)

    /// Accounts that one claim serves, for each provider and priority.
    public static let accountLimit: Int32 = 16

    /// Gives claims back unsent, as if they had never been claimed; for a drain. Those that are no longer this worker's
    /// are left alone. Returns how many were given back.
    public func handBack(_ claims: [Claim], worker: WorkerID) async throws(PostgresError) -> Int {
        var count = 0
        for (lane, claims) in Dictionary(grouping: claims, by: \.id.lane) {
            count += try await self.pool.execute(
                """
                UPDATE outbox SET worker_id = NULL, attempt = outbox.attempt - 1
                FROM unnest(\(claims.map(\.id)), \(claims.map(\.attempt))) AS mine (id, attempt)
                WHERE outbox.lane = \(lane.column) AND outbox.id = mine.id
                  AND outbox.worker_id = \(worker.rawValue) AND outbox.attempt = mine.attempt
                """
            )
        }
        return count
    }

    /// Gives up what `worker` holds in the database beyond what it knows to hold; returns how many.
    ///
    /// For the time after an answer of the database was lost. Nothing may be claimed for this worker meanwhile. The attempts
    /// stay counted, because a provider may have got the message. Reads the whole of the lane's outbox.
    public func disown(
        lane: Lane, worker: WorkerID, holding: [MessageID]
    ) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            UPDATE outbox SET worker_id = NULL
            WHERE lane = \(lane.column) AND worker_id = \(worker.rawValue) AND id <> ALL(\(holding))
            """,
            timeout: Self.scanTimeout
        )
    }

    /// Moves up to `limit` messages whose time has come into the ready queue.
    /// Returns how many, how long until the next is due, nil when nothing more is scheduled, and the oldest of those moved.
    public func promote(
        lane: Lane, limit: Int32
    ) async throws(PostgresError) -> (moved: Int, next: Duration?, oldest: MessageID?) {
        let rows = try await self.pool.query(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM scheduled
                WHERE lane = \(lane.column) AND due_at <= now()
                ORDER BY due_at LIMIT \(limit)
                FOR UPDATE SKIP LOCKED
            ), taken AS (
                DELETE FROM scheduled USING due WHERE scheduled.lane = \(lane.column) AND scheduled.id = due.id
                RETURNING scheduled.id, account_id, provider_id, priority, attempt, series, waits, tried
            ), ready AS (
                INSERT INTO outbox (lane, id, account_id, provider_id, priority, attempt, series, waits, tried)
                SELECT \(lane.column), id, account_id, provider_id, priority, attempt, series, waits, tried FROM taken
                RETURNING id
            )
            SELECT (SELECT count(*) FROM ready),
                   (SELECT due_at - now() FROM scheduled WHERE lane = \(lane.column) AND due_at > now()
                    ORDER BY due_at LIMIT 1),
                   (SELECT id FROM ready ORDER BY id LIMIT 1)
            """
        ) { row throws(PostgresError) in
            (
                Int(try row.decode(0, as: Int64.self)), try row.decodeIfPresent(1, as: Duration.self),
                try row.decodeIfPresent(2, as: MessageID.self)
            )
        }
        return rows[0]
    }
}

extension Claim {
    init(row: borrowing Row) throws(PostgresError) {
        self.init(
            id: try row.decode(0),
            account: AccountID(rawValue: try row.decode(1)),
            provider: ProviderID(rawValue: try row.decode(2)),
            priority: try row.decodePriority(3),
            attempt: try row.decode(4),
            series: try row.decode(5),
            waits: try row.decode(6),
            tried: TargetSet(rawValue: try row.decode(16)),
            state: try row.decode(7, oneOf: MessageState.self),
            channel: try row.decode(8, oneOf: Channel.self),
            recipient: try row.decode(9),
            sender: try row.decodeIfPresent(10),
            parts: try row.decode(17),
            body: try row.decodeIfPresent(11, as: Bytes.self)?.bytes,
            remaining: try row.decode(12),
            age: try row.decode(13),
            quota: try row.decode(14),
            isCut: try row.decode(15),
            oldestLeft: try row.decodeIfPresent(18)
        )
    }
}
