public import Messaging
public import Postgres
public import Timestamps
public import Verification

/// Somebody's guess at any of the codes of a scope.
public struct ScopedGuess: Sendable {
    public var scope: CodeScope
    /// The recipient's lane, which nobody names.
    public var lane: Lane
    /// Only codes of this application count; nil: those of all.
    public var application: String?
    /// Only codes that are younger count.
    public var age: Duration
    /// See ``CodeMAC/guesses(_:in:keys:)``.
    public var macs: [CodeMAC]

    public init(scope: CodeScope, lane: Lane, application: String?, age: Duration, macs: [CodeMAC]) {
        self.scope = scope
        self.lane = lane
        self.application = application
        self.age = age
        self.macs = macs
    }
}

/// What a ``ScopedGuess`` came to. Only a right and a wrong one were evaluated and counted.
public enum ScopedCheckResult: Sendable, Hashable {
    case right
    /// No code of this scope, application and age reads so, whether there are others or none.
    case wrong
    /// Too many of the recipient's guesses failed in a row. Without a wait, for good.
    case locked(wait: Duration?)
    /// None was right, and one of the codes was hashed with a master key that is not among the guess's.
    case keyless
    /// Another of this batch is for the same recipient and goes first.
    case again
}

extension Store {
    /// Evaluates guesses of one lane, many in one statement and one commit; returns one result each, in order.
    ///
    /// A code is used up by the guess that is right: its row is locked before, so of many at the same time one is right and the
    /// others are wrong. A wrong guess is counted in the row of the recipient's failures, which the insertion locks and looks at
    /// once more, so that no more are evaluated than ``FailurePolicy`` allows, however many processes ask. The row is that of
    /// ``check(_:now:)-([Guess],_)``: failures of every kind are counted together, and a lock is one for all.
    ///
    /// A recipient without codes costs the same as one with other codes. Two keyed hashes are compared, so the time it takes
    /// tells nothing of a code.
    ///
    /// Of several guesses for one recipient in a batch the first is evaluated. Codes are locked before failures, and both in
    /// the order of recipients, as with other guesses.
    public func check(
        _ guesses: [ScopedGuess], now: Timestamp? = nil
    ) async throws(PostgresError) -> [ScopedCheckResult] {
        let lane = Lane.ofAll(guesses.lazy.map(\.lane))
        let rows = ScopedGuessColumns(guesses)
        // Of the messages that carried the codes, which live for minutes.
        let ready = Days.ofReady
        let statement: SQL = """
            WITH moment AS MATERIALIZED (
                SELECT coalesce(\(now), now()) AS now
            ), incoming AS MATERIALIZED (
                SELECT \(lane.column) AS lane, g.*, moment.now - age_us * interval '1 microsecond' AS since
                FROM moment, unnest(
                    \(rows.accounts), \(rows.recipients), \(rows.scopes), \(rows.applications), \(rows.ages)
                ) WITH ORDINALITY AS g (account_id, recipient, scope, application, age_us, n)
            ), first AS MATERIALIZED (
                SELECT DISTINCT ON (lane, account_id, recipient) * FROM incoming
                ORDER BY lane, account_id, recipient, n
            ), held AS MATERIALIZED (
                SELECT f.n, c.id FROM first f CROSS JOIN LATERAL (
                    SELECT id FROM scoped_codes s
                    WHERE s.lane = \(lane.column) AND s.account_id = f.account_id AND s.recipient = f.recipient
                      AND s.scope = f.scope AND s.used_at IS NULL AND s.made_at > f.since
                      AND (f.application IS NULL OR s.application = f.application)
                      AND sha256((\(rows.macs))[(f.n - 1) * \(rows.keyCount) + array_position(\(rows.keyIDs), s.key_id)]
                                 || uuid_send(s.id)) = s.mac
                    ORDER BY s.id FOR UPDATE
                ) c
            ), judged AS MATERIALIZED (
                SELECT g.*, lock.failures, lock.wait,
                       CASE
                           WHEN lock.failures >= \(FailurePolicy.hardLimit) THEN 'closed'
                           WHEN lock.wait > interval '0' THEN 'locked'
                           WHEN g.matches THEN 'right'
                           -- Made with a key that this process does not have.
                           WHEN EXISTS (
                               SELECT FROM scoped_codes s
                               WHERE s.lane = \(lane.column) AND s.account_id = g.account_id AND s.recipient = g.recipient
                                 AND s.scope = g.scope AND s.used_at IS NULL AND s.made_at > g.since
                                 AND s.key_id <> ALL(\(rows.keyIDs))
                           ) THEN 'keyless'
                           ELSE 'wrong'
                       END AS verdict
                -- The window makes all codes be locked before the first recipient's failures are, and those be in their order.
                FROM (
                    SELECT f.*, m.n IS NOT NULL AS matches,
                           row_number() OVER (ORDER BY f.lane, f.account_id, f.recipient) AS place
                    FROM first f LEFT JOIN (SELECT DISTINCT n FROM held) m ON m.n = f.n
                ) g CROSS JOIN moment
                LEFT JOIN LATERAL (
                    SELECT failures, locked_until - moment.now AS wait FROM recipient_failures r
                    WHERE r.lane = \(lane.column) AND r.account_id = g.account_id AND r.recipient = g.recipient
                    FOR UPDATE
                ) lock ON true
                WHERE g.place > 0
            ), used AS (
                UPDATE scoped_codes c SET used_at = moment.now
                FROM held h JOIN judged j ON j.n = h.n, moment
                WHERE j.verdict = 'right' AND c.lane = \(lane.column) AND c.account_id = j.account_id
                  AND c.recipient = j.recipient AND c.scope = j.scope AND c.id = h.id
                RETURNING c.lane, c.id, c.account_id
            ), carried AS MATERIALIZED (
                SELECT u.lane, u.id AS message_id, u.account_id, m.provider_id, m.channel,
                       calling_code(m.recipient) AS country, date_trunc('hour', m.accepted_at, 'UTC') AS hour
                FROM used u CROSS JOIN LATERAL (
                    SELECT provider_id, channel, recipient, accepted_at FROM messages
                    WHERE lane = \(lane.column) AND id = u.id AND id >= \(ready.first) AND id < \(ready.end) LIMIT 1
                ) m
            ), \(Self.convertingCarried), counted AS (
                INSERT INTO recipient_failures AS r (lane, account_id, recipient, failures, failed_at)
                SELECT lane, account_id, recipient, 1, moment.now FROM judged, moment WHERE verdict = 'wrong'
                ORDER BY lane, account_id, recipient
                ON CONFLICT (lane, account_id, recipient) DO UPDATE SET
                    failures = r.failures + 1, failed_at = excluded.failed_at,
                    locked_until = moment_after(excluded.failed_at, greatest(
                        CASE WHEN (r.failures + 1) % \(FailurePolicy.scopedLimit) = 0 THEN \(FailurePolicy.scopedWait) END,
                        CASE WHEN r.failures + 1 >= \(FailurePolicy.softLimit) THEN least(
                            \(FailurePolicy.longestWait),
                            \(FailurePolicy.firstWait) * 2 ^ least(r.failures + 1 - \(FailurePolicy.softLimit), 20)
                        ) END))
                -- The row may have come, or come to its limit, since this statement's first look.
                WHERE r.failures < \(FailurePolicy.hardLimit) AND coalesce(r.locked_until <= excluded.failed_at, true)
                RETURNING lane, account_id, recipient
            ), forgiven AS (
                DELETE FROM recipient_failures r USING judged j
                WHERE j.verdict = 'right' AND j.failures > 0 AND r.lane = \(lane.column) AND r.account_id = j.account_id
                  AND r.recipient = j.recipient
            )
            -- Those behind the first guess for the same recipient share its refusal; when it was evaluated, they are to come
            -- again.
            SELECT i.n, CASE WHEN j.verdict IN ('locked', 'closed') THEN j.verdict
                             WHEN j.n <> i.n THEN 'again'
                             WHEN j.verdict = 'wrong' AND c.recipient IS NULL THEN 'locked'
                             ELSE j.verdict END,
                   CASE WHEN j.verdict = 'locked' THEN j.wait ELSE \(FailurePolicy.scopedWait) END
            FROM incoming i
            JOIN judged j ON j.lane = i.lane AND j.account_id = i.account_id AND j.recipient = i.recipient
            LEFT JOIN counted c ON c.lane = i.lane AND c.account_id = i.account_id AND c.recipient = i.recipient
            """
        // As with other guesses: every row is found by its key.
        let verdicts = try await self.pool.query(statement.prepared) { row throws(PostgresError) in
            (place: Int(try row.decode(0, as: Int64.self)) - 1, result: try ScopedCheckResult(row: row))
        }
        var results = [ScopedCheckResult](repeating: .again, count: guesses.count)
        for verdict in verdicts { results[verdict.place] = verdict.result }
        return results
    }
}

extension ScopedCheckResult {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        switch try row.decode(1, as: String.self) {
        case "right": self = .right
        case "wrong": self = .wrong
        case "locked": self = .locked(wait: try row.decode(2, as: Duration.self))
        case "closed": self = .locked(wait: nil)
        case "keyless": self = .keyless
        case "again": self = .again
        default: throw .decoding(column: 1, expected: "ScopedCheckResult")
        }
    }
}

/// Guesses, a column an array, and behind each other their hashes, one for each key of the ring.
private struct ScopedGuessColumns {
    var accounts: [Int32] = []
    var recipients: [String] = []
    var scopes: [String] = []
    var applications: [String?] = []
    var ages: [Int64] = []
    /// The ring's, the same for all guesses.
    let keyIDs: [Int16]
    var keyCount: Int32 { Int32(self.keyIDs.count) }
    var macs: [Bytes] = []

    init(_ guesses: [ScopedGuess]) {
        self.keyIDs = guesses.first?.macs.map(\.keyID) ?? []
        for guess in guesses {
            precondition(guess.macs.count == self.keyIDs.count, "all guesses are made with one ring of keys")
            self.accounts.append(guess.scope.account.rawValue)
            self.recipients.append(guess.scope.recipient)
            self.scopes.append(guess.scope.name)
            self.applications.append(guess.application)
            self.ages.append(guess.age.microseconds)
            self.macs += guess.macs.map { Bytes($0.bytes) }
        }
    }
}

extension ScopedGuess: CustomStringConvertible, CustomReflectable {
    public var description: String { "guess in \(self.scope)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
