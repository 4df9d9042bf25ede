public import Messaging
public import Postgres
public import Timestamps
public import Verification

/// A code that is found by its scope, with the message that carries it.
public struct ScopedSending: Sendable {
    public var scope: CodeScope
    /// What the customer calls the application that sends it.
    public var application: String
    /// See ``CodeMAC/init(_:in:message:keys:)``.
    public var mac: CodeMAC
    public var message: NewMessage

    public init(scope: CodeScope, application: String, mac: CodeMAC, message: NewMessage) {
        self.scope = scope
        self.application = application
        self.mac = mac
        self.message = message
    }
}

/// What became of a ``ScopedSending``. Only `sent` stored anything.
public enum ScopedSendingResult: Sendable, Hashable {
    case sent
    /// So many guesses have failed for this recipient that a code could not be used.
    case locked
    /// The account cannot pay for it.
    case outOfBalance
    /// Others of this batch and account pay first.
    case again
}

extension Store {
    /// Stores codes of one lane and the messages that carry them, many in one statement and one commit; returns one result
    /// each, in order. Codes of the same scope live side by side.
    public func send(
        _ sendings: [ScopedSending], now: Timestamp? = nil
    ) async throws(PostgresError) -> [ScopedSendingResult] {
        let lane = Lane.ofAll(sendings.lazy.map(\.message.id.lane))
        let rows = ScopedColumns(sendings)
        let messages = rows.messages
        let statement: SQL = """
            WITH moment AS MATERIALIZED (
                SELECT coalesce(\(now), now()) AS now
            ), incoming AS MATERIALIZED (
                SELECT * FROM unnest(
                    \(rows.accounts), \(rows.codeRecipients), \(rows.scopes), \(rows.applications), \(rows.keyIDs),
                    \(rows.macs), \(messages.ids), \(messages.providers), \(messages.priorities),
                    \(messages.parts), \(messages.channels), \(messages.recipients), \(messages.senders),
                    \(messages.timesToLive), \(messages.bodies), \(messages.prices), \(messages.networks),
                    \(messages.endpoints), \(messages.callbackURLs)
                ) WITH ORDINALITY AS m (account_id, code_recipient, scope, application, key_id, mac, id, provider_id,
                        priority, parts, channel, recipient, sender, time_to_live_us, body, price, network, endpoint_id,
                        callback_url, n)
            ), locked AS MATERIALIZED (
                SELECT i.n FROM incoming i JOIN recipient_failures f
                    ON f.lane = \(lane.column) AND f.account_id = i.account_id AND f.recipient = i.code_recipient
                WHERE f.failures >= \(FailurePolicy.hardLimit)
            ), costs AS MATERIALIZED (
                SELECT n, account_id, price AS cost FROM incoming
                WHERE price IS NOT NULL AND n NOT IN (SELECT n FROM locked)
            ), \(Charging.payments), refused AS MATERIALIZED (
                SELECT n, 'locked' AS verdict FROM locked
                UNION ALL SELECT n, payment FROM payments WHERE payment <> 'paid'
            ), passed AS MATERIALIZED (
                SELECT * FROM incoming WHERE n NOT IN (SELECT n FROM refused)
            ), due AS MATERIALIZED (
                SELECT account_id, cost FROM payments WHERE payment = 'paid'
            ), \(Charging.charge), made AS (
                INSERT INTO scoped_codes (lane, id, account_id, recipient, scope, application, key_id, mac, made_at)
                SELECT \(lane.column), id, account_id, code_recipient, scope, application, key_id, mac, moment.now
                FROM passed, moment
            ), stored AS (
                INSERT INTO messages (lane, id, account_id, provider_id, priority, parts, channel, recipient, sender,
                                      expires_at, body, price, charged, network, endpoint_id, callback_url)
                SELECT \(lane.column), id, account_id, provider_id, priority, parts, channel, recipient, sender,
                       now() + time_to_live_us * interval '1 microsecond', body, price,
                       n IN (SELECT n FROM payments), network, endpoint_id, callback_url
                FROM passed
            ), ready AS (
                INSERT INTO outbox (lane, id, account_id, provider_id, priority)
                SELECT \(lane.column), id, account_id, provider_id, priority FROM passed
            )
            SELECT n, verdict FROM refused
            """
        // Inserts, and a look by whole keys.
        let refused = try await self.pool.query(statement.prepared) { row throws(PostgresError) in
            (place: Int(try row.decode(0, as: Int64.self)) - 1, result: try ScopedSendingResult(refused: row))
        }
        var results = [ScopedSendingResult](repeating: .sent, count: sendings.count)
        for (place, result) in refused { results[place] = result }
        return results
    }

    /// Deletes the codes that no verifier can use any more, at most `limit` at a time; returns how many.
    public func dropScopedCodes(lane: Lane, limit: Int32) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            WITH old AS MATERIALIZED (
                SELECT account_id, recipient, scope, id FROM scoped_codes
                WHERE lane = \(lane.column) AND made_at <= now() - \(CodeScope.codeLifetime)
                ORDER BY made_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            )
            DELETE FROM scoped_codes c USING old
            WHERE c.lane = \(lane.column) AND c.account_id = old.account_id AND c.recipient = old.recipient
              AND c.scope = old.scope AND c.id = old.id
            """
        )
    }
}

extension ScopedSendingResult {
    fileprivate init(refused row: borrowing Row) throws(PostgresError) {
        switch try row.decode(1, as: String.self) {
        case "unpaid": self = .outOfBalance
        case "again": self = .again
        default: self = .locked
        }
    }
}

/// Codes and their messages, a column an array, as `unnest` wants them.
private struct ScopedColumns {
    var accounts: [Int32] = []
    var codeRecipients: [String] = []
    var scopes: [String] = []
    var applications: [String] = []
    var keyIDs: [Int16] = []
    var macs: [Bytes] = []
    var messages = MessageColumns()

    init(_ sendings: [ScopedSending]) {
        for sending in sendings {
            self.accounts.append(sending.scope.account.rawValue)
            self.codeRecipients.append(sending.scope.recipient)
            self.scopes.append(sending.scope.name)
            self.applications.append(sending.application)
            self.keyIDs.append(sending.mac.keyID)
            self.macs.append(Bytes(sending.mac.bytes))
            self.messages.append(sending.message)
        }
    }
}

extension ScopedSending: CustomStringConvertible, CustomReflectable {
    public var description: String { "code in \(self.scope)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
