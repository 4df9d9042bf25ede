public import Messaging
public import Postgres
public import Timestamps

/// A message on its way into the database, everything about it already checked.
public struct NewMessage: Sendable {
    public var id: MessageID
    public var provider: ProviderID
    public var channel: Channel
    public var priority: Priority
    public var recipient: String
    public var sender: String?
    /// Sealed with the master key.
    public var body: [UInt8]
    /// Segments, by our own count.
    public var parts: Int16
    public var reference: String?
    /// JSON text, kept as the customer wrote it.
    public var metadata: String?
    public var sendAt: Timestamp?
    /// Counted from when it may first be sent.
    public var timeToLive: Duration
    /// For all of its segments; nil when there is none for it.
    public var price: Price?
    public var callback: Callback?

    public init(
        id: MessageID, provider: ProviderID, channel: Channel, priority: Priority, recipient: String, sender: String?,
        body: [UInt8], parts: Int16, reference: String?, metadata: String?, sendAt: Timestamp?, timeToLive: Duration,
        price: Price? = nil, callback: Callback? = nil
    ) {
        self.id = id
        self.provider = provider
        self.channel = channel
        self.priority = priority
        self.recipient = recipient
        self.sender = sender
        self.body = body
        self.parts = parts
        self.reference = reference
        self.metadata = metadata
        self.sendAt = sendAt
        self.timeToLive = timeToLive
        self.price = price
        self.callback = callback
    }
}

/// What one API request asks to accept: all of its messages or none.
public struct Acceptance: Sendable {
    public var account: AccountID
    public var messages: [NewMessage]
    public var idempotency: IdempotencyKey?

    public init(account: AccountID, messages: [NewMessage], idempotency: IdempotencyKey?) {
        self.account = account
        self.messages = messages
        self.idempotency = idempotency
    }

    /// Of its messages, and of its key.
    public var lane: Lane { self.messages.first?.id.lane ?? self.idempotency?.lane ?? Lane(rawValue: 0) }

    fileprivate func isWholly(in lane: Lane) -> Bool {
        self.messages.allSatisfy { $0.id.lane == lane } && self.idempotency.map { $0.lane == lane } ?? true
    }
}

public struct IdempotencyKey: Sendable {
    /// The key's own; that of the messages sent with it, but not of codes, which are in their recipient's.
    public var lane: Lane
    public var key: String
    /// SHA-256 of the request's body.
    public var fingerprint: [UInt8]

    public init(lane: Lane, key: String, fingerprint: [UInt8]) {
        self.lane = lane
        self.key = key
        self.fingerprint = fingerprint
    }
}

/// What became of an ``Acceptance``. Only `accepted` stored anything.
public enum AcceptanceResult: Sendable, Hashable {
    /// Stored, paid for and committed. With it what its account has left; nil when nothing had a price, and for an account
    /// that pays afterwards.
    case accepted(balance: Money?)
    /// The key had been used before.
    case repeated(EarlierAcceptance)
    /// It costs more than its account has. When it has a key, another process may have stored the same a moment ago, with the
    /// money that is missing now: ``Store/accepted(under:lane:account:)`` knows.
    case outOfBalance
    /// Others of this account go first.
    case again
}

/// What an idempotency key was first used for.
public struct EarlierAcceptance: Sendable, Hashable {
    /// Of the messages stored then, in their order.
    public var ids: [MessageID]
    public var fingerprint: [UInt8]

    public init(ids: [MessageID], fingerprint: [UInt8]) {
        self.ids = ids
        self.fingerprint = fingerprint
    }
}

extension Store {
    /// Stores the messages of many requests of one lane in one statement and one commit; returns one result each, in order.
    ///
    /// A request whose idempotency key is taken stores nothing and gets what was stored under the key. Two processes with
    /// the same key at the same time are settled by the key's unique index: the second waits for the first's commit. Of
    /// two requests here with the same key, the first is stored.
    ///
    /// What a key holds comes back from the insertion itself: a second statement could fail, and then nobody could say
    /// of the first that it had stored nothing. The update that does it changes nothing; it is what makes RETURNING
    /// tell of a row that another transaction has just committed.
    ///
    /// Prepaid accounts pay in the same statement, each request for all of its messages, and only when it is stored: see
    /// ``Charging``. Balances are locked before any key is stored, so that a request that cannot be paid leaves its key free;
    /// whether such a one repeats an earlier one is looked up for it alone.
    public func accept(_ requests: [Acceptance]) async throws(PostgresError) -> [AcceptanceResult] {
        let lane = Lane.ofAll(requests.lazy.map(\.lane))
        precondition(requests.allSatisfy { $0.isWholly(in: lane) }, "a request and its key are in one lane")
        let rows = Columns(requests)
        let messages = rows.messages
        let keys = KeyColumns(requests)
        let statement: SQL = """
            WITH incoming AS MATERIALIZED (
                SELECT * FROM unnest(
                    \(rows.requests), \(messages.ids), \(rows.accounts), \(messages.providers),
                    \(messages.priorities), \(messages.parts), \(messages.channels), \(messages.recipients), \(messages.senders),
                    \(messages.references), \(messages.metadata), \(messages.sendTimes), \(messages.timesToLive), \(messages.bodies),
                    \(messages.prices), \(messages.networks), \(messages.endpoints), \(messages.callbackURLs)
                ) WITH ORDINALITY AS m (request, id, account_id, provider_id, priority, parts, channel, recipient, sender,
                        reference, metadata, send_at, time_to_live_us, body, price, network, endpoint_id, callback_url, n)
            ), keyed AS MATERIALIZED (
                SELECT k.*, (SELECT array_agg(m.id ORDER BY m.n) FROM incoming m WHERE m.request = k.request) AS ids
                FROM unnest(
                    \(keys.requests), \(keys.accounts), \(keys.keys), \(keys.fingerprints)
                ) AS k (request, account_id, key, fingerprint)
            ), costs AS MATERIALIZED (
                SELECT request AS n, account_id, sum(price) AS cost FROM incoming
                WHERE price IS NOT NULL GROUP BY request, account_id
            ), \(Charging.payments), barred AS MATERIALIZED (
                SELECT p.n AS request, p.payment, h.ids, h.fingerprint
                FROM payments p LEFT JOIN keyed k ON k.request = p.n
                LEFT JOIN LATERAL (
                    SELECT ids, fingerprint FROM idempotency_keys
                    WHERE lane = \(lane.column) AND account_id = k.account_id AND key = k.key LIMIT 1
                ) h ON true
                WHERE p.payment <> 'paid'
            ), held AS (
                INSERT INTO idempotency_keys AS known (lane, account_id, key, fingerprint, ids)
                SELECT DISTINCT ON (account_id, key) \(lane.column), account_id, key, fingerprint, ids
                FROM keyed WHERE request NOT IN (SELECT request FROM barred) ORDER BY account_id, key, request
                ON CONFLICT (lane, account_id, key) DO UPDATE SET key = known.key
                RETURNING account_id, key, fingerprint, ids
            ), taken AS MATERIALIZED (
                SELECT k.request, h.ids, h.fingerprint FROM keyed k JOIN held h USING (account_id, key)
                WHERE h.ids <> k.ids
            ), left_out AS MATERIALIZED (
                SELECT request FROM taken UNION ALL SELECT request FROM barred
            ), stored AS (
                INSERT INTO messages (lane, id, account_id, provider_id, priority, parts, channel, recipient, sender,
                                      reference, metadata, send_at, expires_at, body, price, charged, network,
                                      endpoint_id, callback_url)
                SELECT \(lane.column), id, account_id, provider_id, priority, parts, channel, recipient, sender, reference,
                       metadata, send_at,
                       greatest(send_at, now()) + time_to_live_us * interval '1 microsecond', body, price,
                       price IS NOT NULL AND request IN (SELECT n FROM payments), network, endpoint_id, callback_url
                FROM incoming WHERE request NOT IN (SELECT request FROM left_out)
            ), ready AS (
                INSERT INTO outbox (lane, id, account_id, provider_id, priority)
                SELECT \(lane.column), id, account_id, provider_id, priority FROM incoming
                WHERE coalesce(send_at <= now(), true) AND request NOT IN (SELECT request FROM left_out)
            ), later AS (
                INSERT INTO scheduled (lane, id, account_id, provider_id, priority, due_at)
                SELECT \(lane.column), id, account_id, provider_id, priority, send_at FROM incoming
                WHERE send_at > now() AND request NOT IN (SELECT request FROM left_out)
            ), due AS MATERIALIZED (
                SELECT account_id, cost FROM payments WHERE n NOT IN (SELECT request FROM left_out)
            ), \(Charging.charge)
            SELECT ids, fingerprint, request, 'repeated' AS verdict, NULL::bigint AS balance FROM taken
            UNION ALL
            SELECT ids, fingerprint, request, CASE WHEN ids IS NULL THEN payment ELSE 'repeated' END, NULL FROM barred
            UNION ALL
            SELECT NULL, NULL, p.n, p.payment, c.balance FROM payments p JOIN charged c USING (account_id)
            WHERE p.n NOT IN (SELECT request FROM left_out)
            """
        // Inserts, and rows that are found by their whole key: planning it each time would take longer than carrying it out.
        let verdicts = try await self.pool.query(statement.prepared) { row throws(PostgresError) in
            (request: Int(try row.decode(2, as: Int32.self)), result: try AcceptanceResult(row: row))
        }
        var results = [AcceptanceResult](repeating: .accepted(balance: nil), count: requests.count)
        for verdict in verdicts { results[verdict.request] = verdict.result }
        return results
    }

    /// What was accepted under an idempotency key; nil when it has not been used, or was used a day ago.
    public func accepted(
        under key: String, lane: Lane, account: AccountID
    ) async throws(PostgresError) -> EarlierAcceptance? {
        try await self.pool.query(
            Self.acceptance(under: key, lane: lane, account: account), decode: EarlierAcceptance.init
        ).first
    }

    static func acceptance(under key: String, lane: Lane, account: AccountID) -> SQL {
        """
        SELECT ids, fingerprint FROM idempotency_keys
        WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND key = \(key)
        """
    }
}

extension AcceptanceResult {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        switch try row.decode(3, as: String.self) {
        case "repeated": self = .repeated(try EarlierAcceptance(row: row))
        case "unpaid": self = .outOfBalance
        case "again": self = .again
        default: self = .accepted(balance: Money(rawValue: try row.decode(4)))
        }
    }
}

extension EarlierAcceptance {
    init(row: borrowing Row) throws(PostgresError) {
        self.init(ids: try row.decode(0), fingerprint: try row.decode(1, as: Bytes.self).bytes)
    }
}

/// The messages of many requests, and whose each is.
private struct Columns {
    var requests: [Int32] = []
    var accounts: [Int32] = []
    var messages = MessageColumns()

    init(_ requests: [Acceptance]) {
        for (index, request) in requests.enumerated() {
            for message in request.messages {
                self.requests.append(Int32(index))
                self.accounts.append(request.account.rawValue)
                self.messages.append(message)
            }
        }
    }
}

/// The idempotency keys of many requests.
private struct KeyColumns {
    var requests: [Int32] = []
    var accounts: [Int32] = []
    var keys: [String] = []
    var fingerprints: [Bytes] = []

    init(_ requests: [Acceptance]) {
        for (index, request) in requests.enumerated() {
            guard let key = request.idempotency else { continue }
            self.requests.append(Int32(index))
            self.accounts.append(request.account.rawValue)
            self.keys.append(key.key)
            self.fingerprints.append(Bytes(key.fingerprint))
        }
    }
}
