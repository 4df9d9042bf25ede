public import Messaging
public import Postgres
public import Timestamps
public import Verification

/// A code to be sent, for the first time or again, with the message that carries it.
public struct Sending: Sendable {
    public var account: AccountID
    public var verification: VerificationID
    public var application: ApplicationID
    /// Of the application when its settings were read; nothing is sent by settings that have changed since.
    public var revision: Int32
    public var settings: ApplicationSettings
    /// What limits go by; see ``Recipient/key``.
    public var recipient: String
    /// Nil for a resend.
    public var start: Start?
    public var message: NewMessage
    /// Whether the customer wants reports of the delivery.
    public var isTracked: Bool
    public var idempotency: IdempotencyKey?

    /// What a verification begins with.
    public struct Start: Sendable {
        public var template: TemplateID
        public var mac: CodeMAC
        /// The code and what its text is filled with.
        public var sealedCode: [UInt8]

        public init(template: TemplateID, mac: CodeMAC, sealedCode: [UInt8]) {
            self.template = template
            self.mac = mac
            self.sealedCode = sealedCode
        }
    }

    public init(
        account: AccountID, verification: VerificationID, application: StoredApplication, recipient: String,
        start: Start?, message: NewMessage, isTracked: Bool, idempotency: IdempotencyKey? = nil
    ) {
        self.account = account
        self.verification = verification
        self.application = application.id
        self.revision = application.revision
        self.settings = application.settings
        self.recipient = recipient
        self.start = start
        self.message = message
        self.isTracked = isTracked
        self.idempotency = idempotency
    }
}

/// What became of a ``Sending``. Only `sent` stored anything.
public enum SendingResult: Sendable, Hashable {
    case sent
    /// The idempotency key had been used before.
    case repeated(EarlierAcceptance)
    /// The application or one of its templates has changed: read them again.
    case stale
    /// There is no verification to send again: it is unknown, someone else's, or its code has ended.
    case ended
    /// It was sent as often as its application allows.
    case sendsSpent
    /// It was sent too short a time ago.
    case tooEarly(wait: Duration)
    /// The recipient has got as many codes of this application as it may in this period.
    case limited(wait: Duration)
    /// Too many guesses have failed for this recipient; a code could not be used.
    case locked
    /// It costs more than its account has. With a key, as ``AcceptanceResult/outOfBalance``.
    case outOfBalance
    /// Another of this batch is for the same recipient, or others are of the same account, and goes first.
    case again
}

extension Store {
    /// Stores codes of one lane and the messages that carry them, many in one statement and one commit; returns one result
    /// each, in order.
    ///
    /// The limit of a recipient is counted here, in the row that the insertion locks, so it holds exactly however many
    /// processes send. Of several for one recipient and application in a batch, the first is taken.
    ///
    /// All verifications of a batch are locked before any limit, and each in the order of recipients, here and in
    /// ``check(_:now:)``: so two batches may wait for each other's rows, but hardly ever in a circle (two processes may count the
    /// first failure of the same recipients at the same time; PostgreSQL then ends one of them, which comes again).
    ///
    /// A prepaid account pays in the same statement: see ``Charging``. Its balance is locked and judged before limits are counted,
    /// since the row that a limit is counted in is the one that locks it: counted first, a code that cannot be paid would
    /// have used up what its recipient may get. What the limit then refuses is not charged. Balances lie between verifications
    /// and limits in the order of locks, and no guess ever wants one.
    ///
    /// Two processes with the same idempotency key at the same time: the second violates the key's index, and nothing of its
    /// batch is stored. Sent again, it finds the first. A key in another lane than the codes', as there may be where there are
    /// several lanes, is looked for and stored by statements of its own, in the same transaction.
    public func send(_ sendings: [Sending], now: Timestamp? = nil) async throws(PostgresError) -> [SendingResult] {
        let lane = Lane.ofAll(sendings.lazy.map(\.verification.lane))
        guard sendings.contains(where: { $0.key(outside: lane) != nil }) else {
            let verdicts = try await self.pool.query(
                Self.statement(for: sendings, lane: lane, now: now), decode: SendingVerdict.init)
            return verdicts.results(of: sendings.count)
        }
        return try await self.transaction { transaction throws(PostgresError) in
            try await Self.send(sendings, lane: lane, now: now, in: transaction)
        }
    }

    private static func statement(for sendings: [Sending], lane: Lane, now: Timestamp?) -> SQL {
        let rows = SendingColumns(sendings)
        let messages = rows.messages
        let days = Days(of: sendings.lazy.filter { $0.start == nil }.map(\.verification.rawValue))
        let statement: SQL = """
            WITH moment AS MATERIALIZED (
                SELECT coalesce(\(now), now()) AS now
            ), incoming AS MATERIALIZED (
                SELECT \(lane.column) AS lane, i.*, m.message_id, m.provider_id, m.priority, m.parts, m.channel, m.message_recipient, m.sender,
                       m.reference, m.metadata, m.message_ttl_us, m.body, m.tracked, m.price, m.network, m.endpoint_id, m.callback_url,
                       send_period_us * interval '1 microsecond' AS send_period,
                       check_period_us * interval '1 microsecond' AS check_period,
                       ttl_us * interval '1 microsecond' AS time_to_live
                FROM unnest(
                    \(rows.ids), \(rows.accounts), \(rows.applications), \(rows.revisions),
                    \(rows.recipients), \(rows.templates), \(rows.keyIDs), \(rows.macs), \(rows.codes),
                    \(rows.attemptLimits), \(rows.allowsReuse), \(rows.timesToLive), \(rows.sendLimits),
                    \(rows.sendPeriods), \(rows.checkLimits), \(rows.checkPeriods), \(rows.mostSends), \(rows.cooldowns),
                    \(rows.keys), \(rows.fingerprints)
                ) WITH ORDINALITY AS i (id, account_id, application_id, revision, recipient, template_id, key_id, mac,
                        code, attempt_limit, allows_reuse, ttl_us, send_limit, send_period_us, check_limit,
                        check_period_us, most_sends, cooldown_us, key, fingerprint, n)
                JOIN unnest(
                    \(messages.ids), \(messages.providers), \(messages.priorities), \(messages.parts),
                    \(messages.channels), \(messages.recipients), \(messages.senders), \(messages.references),
                    \(messages.metadata), \(messages.timesToLive), \(messages.bodies), \(rows.tracked), \(messages.prices),
                    \(messages.networks), \(messages.endpoints), \(messages.callbackURLs)
                ) WITH ORDINALITY AS m (message_id, provider_id, priority, parts, channel, message_recipient, sender,
                        reference, metadata, message_ttl_us, body, tracked, price, network, endpoint_id, callback_url, n) USING (n)
            ), earlier AS MATERIALIZED (
                SELECT i.n, k.ids, k.fingerprint
                FROM incoming i JOIN idempotency_keys k
                    ON k.lane = \(lane.column) AND k.account_id = i.account_id AND k.key = i.key
            ), held AS MATERIALIZED (
                SELECT i.n, v.sends, v.sent_at, v.expires_at,
                       v.code IS NOT NULL AND v.expires_at > (SELECT now FROM moment) AS alive
                FROM incoming i JOIN verifications v
                    ON v.lane = \(lane.column) AND v.id = i.id AND v.account_id = i.account_id
                WHERE i.template_id IS NULL AND v.id >= \(days.first) AND v.id < \(days.end)
                ORDER BY v.lane, v.account_id, v.recipient, v.id FOR UPDATE OF v
            ), judged AS MATERIALIZED (
                SELECT i.n, i.lane, i.account_id, i.recipient, i.application_id, i.send_period,
                       h.sent_at + i.cooldown_us * interval '1 microsecond' AS ready_at,
                       CASE
                           WHEN e.n IS NOT NULL THEN 'repeated'
                           WHEN a.id IS NULL THEN 'stale'
                           WHEN i.template_id IS NULL AND h.alive IS NOT TRUE THEN 'ended'
                           WHEN h.sends >= i.most_sends THEN 'spent'
                           WHEN h.sent_at + i.cooldown_us * interval '1 microsecond' > (SELECT now FROM moment) THEN 'early'
                           WHEN f.failures >= \(FailurePolicy.hardLimit) THEN 'locked'
                           ELSE 'open'
                       END AS verdict
                FROM incoming i
                LEFT JOIN earlier e USING (n)
                LEFT JOIN held h USING (n)
                LEFT JOIN applications a ON a.id = i.application_id AND a.revision = i.revision
                LEFT JOIN recipient_failures f
                    ON f.lane = \(lane.column) AND f.account_id = i.account_id AND f.recipient = i.recipient
            ), first AS MATERIALIZED (
                SELECT DISTINCT ON (lane, account_id, recipient, application_id) n, lane, account_id, recipient, application_id
                FROM judged WHERE verdict = 'open'
                ORDER BY lane, account_id, recipient, application_id, n
            ), costs AS MATERIALIZED (
                SELECT n, f.account_id, i.price AS cost FROM first f JOIN incoming i USING (n) WHERE i.price IS NOT NULL
            ), \(Charging.payments), counted AS (
                INSERT INTO recipient_limits AS l (lane, account_id, application_id, recipient, sends, sends_since,
                                                   send_limit, send_period, check_limit, check_period, checks_since,
                                                   forget_at)
                SELECT f.lane, f.account_id, f.application_id, f.recipient, 1, moment.now, i.send_limit, i.send_period,
                       i.check_limit, i.check_period, moment.now,
                       date_trunc('day', moment.now + greatest(i.send_period, i.check_period, i.time_to_live))
                           + interval '2 days'
                FROM moment, first f JOIN incoming i USING (n) LEFT JOIN payments y USING (n)
                WHERE coalesce(y.payment, 'paid') = 'paid'
                ORDER BY f.lane, f.account_id, f.recipient, f.application_id
                ON CONFLICT (lane, account_id, recipient, application_id) DO UPDATE SET
                    sends = CASE WHEN excluded.sends_since - l.sends_since >= excluded.send_period THEN 1
                                 ELSE l.sends + 1 END,
                    sends_since = CASE WHEN excluded.sends_since - l.sends_since >= excluded.send_period
                                       THEN excluded.sends_since ELSE l.sends_since END,
                    send_limit = excluded.send_limit, send_period = excluded.send_period,
                    check_limit = excluded.check_limit, check_period = excluded.check_period,
                    forget_at = greatest(l.forget_at, excluded.forget_at)
                WHERE l.sends < excluded.send_limit OR excluded.sends_since - l.sends_since >= excluded.send_period
                RETURNING lane, account_id, application_id, recipient
            ), passed AS MATERIALIZED (
                SELECT i.* FROM incoming i JOIN first f USING (n)
                JOIN counted c ON c.lane = f.lane AND c.account_id = f.account_id AND c.recipient = f.recipient
                    AND c.application_id = f.application_id
            ), started AS (
                INSERT INTO verifications (lane, id, account_id, application_id, template_id, key_id, attempt_limit,
                                           allows_reuse, channel, recipient, mac, message_id, started_at, sent_at,
                                           expires_at, code)
                SELECT lane, id, account_id, application_id, template_id, key_id, attempt_limit, allows_reuse, channel,
                       recipient, mac, message_id, moment.now, moment.now, moment.now + time_to_live, code
                FROM passed, moment WHERE template_id IS NOT NULL
            ), resent AS (
                UPDATE verifications v SET
                    sends = v.sends + 1, sent_at = moment.now, message_id = p.message_id, channel = p.channel
                FROM passed p, moment
                WHERE p.template_id IS NULL AND v.lane = \(lane.column) AND v.id = p.id
                  AND v.id >= \(days.first) AND v.id < \(days.end)
            ), stored AS (
                INSERT INTO messages (lane, id, account_id, provider_id, priority, parts, channel, recipient, sender,
                                      reference, metadata, expires_at, body, verification_id, tracked, price, charged, network,
                                      endpoint_id, callback_url)
                SELECT p.lane, message_id, account_id, provider_id, priority, parts, channel, message_recipient, sender,
                       reference, metadata, least(now() + message_ttl_us * interval '1 microsecond', h.expires_at), body,
                       id, tracked, price, n IN (SELECT n FROM payments), network, endpoint_id, callback_url
                FROM passed p LEFT JOIN held h USING (n)
            ), ready AS (
                INSERT INTO outbox (lane, id, account_id, provider_id, priority)
                SELECT lane, message_id, account_id, provider_id, priority FROM passed
            ), keyed AS (
                INSERT INTO idempotency_keys (lane, account_id, key, fingerprint, ids)
                SELECT lane, account_id, key, fingerprint, ARRAY[id] FROM passed WHERE key IS NOT NULL
            ), due AS MATERIALIZED (
                SELECT y.account_id, y.cost FROM payments y JOIN passed USING (n)
            ), \(Charging.charge)
            -- Those behind the first of their recipient share its refusal; when it passed, they are to come again. So are they
            -- when it could not be paid: they may cost less.
            SELECT j.n, CASE WHEN p.n IS NOT NULL THEN 'sent' WHEN j.verdict <> 'open' THEN j.verdict
                             WHEN y.payment = 'unpaid' AND y.n = j.n THEN y.payment
                             WHEN leader.n IS NULL AND coalesce(y.payment, 'paid') = 'paid' THEN 'limited'
                             ELSE 'again' END,
                   -- Another's period may have begun since this statement's first look; then it has just begun.
                   CASE WHEN j.verdict = 'early' THEN j.ready_at - moment.now
                        WHEN l.sends_since + l.send_period > moment.now THEN l.sends_since + l.send_period - moment.now
                        ELSE j.send_period END,
                   e.ids, e.fingerprint
            FROM moment, judged j LEFT JOIN passed p USING (n) LEFT JOIN earlier e USING (n)
            LEFT JOIN first f ON f.lane = j.lane AND f.account_id = j.account_id AND f.recipient = j.recipient
                AND f.application_id = j.application_id
            LEFT JOIN passed leader ON leader.n = f.n
            LEFT JOIN payments y ON y.n = f.n
            LEFT JOIN recipient_limits l ON j.verdict = 'open' AND leader.n IS NULL AND l.lane = \(lane.column)
                AND l.account_id = j.account_id AND l.recipient = j.recipient AND l.application_id = j.application_id
            """
        // As with guesses: every row is found by its whole key.
        return statement.prepared
    }

    // MARK: - Keys in other lanes

    private static func send(
        _ sendings: [Sending], lane: Lane, now: Timestamp?, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> [SendingResult] {
        let earlier = try await Self.earlier(sendings, outside: lane, in: transaction)
        let open = sendings.indices.filter { earlier[$0] == nil }
        var results = sendings.indices.map { earlier[$0].map(SendingResult.repeated) ?? .ended }
        guard !open.isEmpty else { return results }
        let verdicts = try await transaction.query(
            Self.statement(for: open.map { sendings[$0] }, lane: lane, now: now), decode: SendingVerdict.init)
        for (place, result) in zip(open, verdicts.results(of: open.count)) { results[place] = result }
        try await Self.keepKeys(
            of: open.filter { results[$0] == .sent }.map { sendings[$0] }, outside: lane, in: transaction)
        return results
    }

    /// What was sent before under the keys in other lanes, by the places of those who have them now.
    private static func earlier(
        _ sendings: [Sending], outside lane: Lane, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> [Int: EarlierAcceptance] {
        var found: [Int: EarlierAcceptance] = [:]
        for (place, sending) in sendings.enumerated() {
            guard let key = sending.key(outside: lane) else { continue }
            found[place] = try await transaction.query(
                Self.acceptance(under: key.key, lane: key.lane, account: sending.account),
                decode: EarlierAcceptance.init
            ).first
        }
        return found
    }

    /// One by one: each is in a lane of its own. Two processes with the same key are settled by its index, and with several by their
    /// order, or each could wait for the other.
    private static func keepKeys(
        of sendings: [Sending], outside lane: Lane, in transaction: borrowing Transaction
    ) async throws(PostgresError) {
        let keyed = sendings.compactMap { sending in sending.key(outside: lane).map { (key: $0, sending: sending) } }
        let order = keyed.sorted {
            ($0.key.lane.rawValue, $0.sending.account.rawValue, $0.key.key)
                < ($1.key.lane.rawValue, $1.sending.account.rawValue, $1.key.key)
        }
        for (key, sending) in order {
            try await transaction.execute(
                """
                INSERT INTO idempotency_keys (lane, account_id, key, fingerprint, ids)
                VALUES (\(key.lane.column), \(sending.account.rawValue), \(key.key), \(Bytes(key.fingerprint)),
                        \([sending.verification.rawValue]))
                """)
        }
    }
}

extension Sending {
    /// Its key, when that is in another lane than its code.
    fileprivate func key(outside lane: Lane) -> IdempotencyKey? {
        self.idempotency.flatMap { $0.lane == lane ? nil : $0 }
    }
}

/// A result and whose it is, counted from 0.
private struct SendingVerdict {
    var place: Int
    var result: SendingResult

    init(row: borrowing Row) throws(PostgresError) {
        self.place = Int(try row.decode(0, as: Int64.self)) - 1
        self.result = try SendingResult(row: row)
    }
}

extension [SendingVerdict] {
    fileprivate func results(of count: Int) -> [SendingResult] {
        var results = [SendingResult](repeating: .ended, count: count)
        for verdict in self { results[verdict.place] = verdict.result }
        return results
    }
}

extension SendingResult {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        let wait = try row.decodeIfPresent(2, as: Duration.self) ?? .zero
        switch try row.decode(1, as: String.self) {
        case "sent": self = .sent
        case "repeated":
            self = .repeated(
                EarlierAcceptance(ids: try row.decode(3), fingerprint: try row.decode(4, as: Bytes.self).bytes))
        case "stale": self = .stale
        case "spent": self = .sendsSpent
        case "early": self = .tooEarly(wait: wait)
        case "limited": self = .limited(wait: wait)
        case "locked": self = .locked
        case "unpaid": self = .outOfBalance
        case "again": self = .again
        default: self = .ended
        }
    }
}
