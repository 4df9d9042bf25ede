public import Messaging
public import Postgres
public import Timestamps
public import Verification

/// Somebody's guess at a code.
public struct Guess: Sendable {
    public var account: AccountID
    public var verification: VerificationID
    /// See ``CodeMAC/guesses(_:at:account:keys:)``.
    public var macs: [CodeMAC]

    public init(account: AccountID, verification: VerificationID, macs: [CodeMAC]) {
        self.account = account
        self.verification = verification
        self.macs = macs
    }
}

/// What a ``Guess`` came to. Only a right and a wrong one were evaluated and cost anything.
public enum CheckResult: Sendable, Hashable {
    /// `isFirst`: not when it was right before, as it may be where codes may be used again.
    case right(recipient: String, isFirst: Bool = true)
    case wrong(recipient: String, attemptsLeft: Int16)
    /// The recipient's guesses come too fast. Nothing was evaluated.
    case limited(wait: Duration)
    /// Too many of the recipient's guesses failed in a row. Nothing was evaluated. Without a wait, for good.
    case locked(wait: Duration?)
    /// The code had ended.
    case ended(End)
    /// There is none of this id in this account.
    case unknown
    /// The code was hashed with a master key that is not among the guess's. Nothing was evaluated.
    case keyless
    /// Another of this batch is for the same recipient and goes first.
    case again

    /// Why a code can no longer be guessed at.
    public struct End: Sendable, Hashable {
        public enum Cause: String, Sendable, Hashable { case expired, exhausted, used }
        public var cause: Cause
        public var recipient: String

        public init(cause: Cause, recipient: String) {
            self.cause = cause
            self.recipient = recipient
        }
    }
}

extension Store {
    /// Evaluates guesses of one lane, many in one statement and one commit; returns one result each, in order.
    ///
    /// Each guess is charged and judged in the same statement, on the row as it is once locked: however many are made at the
    /// same time, no more are evaluated than the verification allows, and one that was charged stays charged whatever
    /// happens to the process that asked. Two keyed hashes are compared, so the time it takes tells nothing of the code.
    ///
    /// A verification that is unknown, another account's, or over locks and writes nothing: what has ended never comes back, so
    /// the statement's first look is enough. So each of them takes the same time.
    ///
    /// Of several guesses for one recipient in a batch the first is evaluated. Rows are locked as ``send(_:now:)`` locks them.
    ///
    /// A verified code that may be used again costs no attempt when it is right again; while attempts last.
    public func check(_ guesses: [Guess], now: Timestamp? = nil) async throws(PostgresError) -> [CheckResult] {
        let lane = Lane.ofAll(guesses.lazy.map(\.verification.lane))
        let rows = GuessColumns(guesses)
        let days = Days(of: guesses.lazy.map(\.verification.rawValue))
        // A message that carries a code was made with its verification, or since.
        let end = Days.ofReady.end
        let statement: SQL = """
            WITH moment AS MATERIALIZED (
                SELECT coalesce(\(now), now()) AS now
            ), found AS MATERIALIZED (
                SELECT g.n, v.lane, v.id, v.account_id, v.application_id, v.recipient,
                       CASE
                           WHEN v.expires_at <= moment.now THEN 'expired'
                           WHEN v.state = 'verified' AND NOT v.allows_reuse THEN 'used'
                           WHEN v.attempts >= v.attempt_limit THEN 'exhausted'
                       END AS ended
                FROM moment, unnest(\(rows.ids), \(rows.accounts)) WITH ORDINALITY AS g (id, account_id, n)
                JOIN verifications v ON v.lane = \(lane.column) AND v.id = g.id AND v.account_id = g.account_id
                WHERE v.id >= \(days.first) AND v.id < \(days.end)
            ), first AS MATERIALIZED (
                SELECT DISTINCT ON (lane, account_id, recipient) n, lane, id, account_id, application_id, recipient
                FROM found WHERE ended IS NULL ORDER BY lane, account_id, recipient, n
            ), held AS MATERIALIZED (
                SELECT f.n, f.lane, f.id, f.account_id, f.application_id, f.recipient, v.allows_reuse, v.state,
                       v.attempts, v.attempt_limit,
                       sha256((\(rows.macs))[(f.n - 1) * \(rows.keyCount) + array_position(\(rows.keyIDs), v.key_id)]
                              || convert_to(v.recipient, 'UTF8')) = v.mac AS matches
                FROM first f JOIN verifications v ON v.lane = \(lane.column) AND v.id = f.id
                WHERE v.id >= \(days.first) AND v.id < \(days.end)
                ORDER BY v.lane, v.account_id, v.recipient, v.id FOR UPDATE OF v
            ), judged AS MATERIALIZED (
                SELECT h.*, pace.is_new, pace.has_room, lock.failures,
                       CASE WHEN lock.wait > interval '0' THEN lock.wait ELSE pace.wait END AS wait,
                       CASE
                           -- While this waited for its lock, another guess may have been the last.
                           WHEN h.state = 'verified' AND NOT h.allows_reuse THEN 'used'
                           WHEN h.attempts >= h.attempt_limit THEN 'exhausted'
                           WHEN lock.failures >= \(FailurePolicy.hardLimit) THEN 'closed'
                           WHEN lock.wait > interval '0' THEN 'locked'
                           WHEN NOT (pace.is_new OR pace.has_room) THEN 'limited'
                           -- Made with a key that this process does not have.
                           WHEN h.matches IS NULL THEN 'keyless'
                           WHEN h.matches THEN 'right'
                           ELSE 'wrong'
                       END AS verdict
                -- The window makes all of them be locked before the first recipient's limits are: see `send`.
                FROM (SELECT held.*, count(*) OVER () AS count FROM held) h CROSS JOIN moment
                LEFT JOIN LATERAL (
                    SELECT checks_since + check_period <= moment.now AS is_new, checks < check_limit AS has_room,
                           checks_since + check_period - moment.now AS wait
                    FROM recipient_limits l
                    WHERE l.lane = \(lane.column) AND l.account_id = h.account_id AND l.recipient = h.recipient
                      AND l.application_id = h.application_id
                    FOR UPDATE
                ) pace ON true
                LEFT JOIN LATERAL (
                    SELECT failures, locked_until - moment.now AS wait FROM recipient_failures r
                    WHERE r.lane = \(lane.column) AND r.account_id = h.account_id AND r.recipient = h.recipient
                    FOR UPDATE
                ) lock ON true
                WHERE h.count > 0
            ), charged AS (
                UPDATE verifications v SET
                    attempts = v.attempts
                        + CASE WHEN v.state = 'verified' AND j.verdict = 'right' THEN 0 ELSE 1 END,
                    state = CASE
                        WHEN j.verdict = 'right' THEN 'verified'
                        WHEN v.state = 'pending' AND v.attempts + 1 >= v.attempt_limit THEN 'exhausted'
                        ELSE v.state END,
                    verified_at = CASE WHEN j.verdict = 'right' THEN moment.now ELSE v.verified_at END,
                    checked_at = moment.now,
                    sequence = v.sequence + CASE
                        WHEN j.verdict = 'right' THEN v.state <> 'verified'
                        ELSE v.state = 'pending' AND v.attempts + 1 >= v.attempt_limit END::integer,
                    code = CASE
                        WHEN j.verdict = 'right' AND NOT v.allows_reuse THEN NULL
                        WHEN v.attempts + 1 >= v.attempt_limit AND (v.state = 'pending' OR j.verdict = 'wrong') THEN NULL
                        ELSE v.code END
                FROM judged j, moment
                WHERE j.verdict IN ('right', 'wrong') AND v.lane = \(lane.column) AND v.id = j.id
                  AND v.id >= \(days.first) AND v.id < \(days.end)
                RETURNING v.lane, v.id, v.account_id, v.message_id, v.state, v.sequence, v.state <> j.state AS changed
            ), happened AS MATERIALIZED (
                SELECT lane, id AS subject_id, account_id, NULL::integer AS endpoint_id, 'verification.' || state AS type,
                       NULL::text AS reason, sequence
                FROM charged WHERE changed
            ), \(Self.telling), carried AS MATERIALIZED (
                SELECT c.lane, c.message_id, c.account_id, m.provider_id, m.channel, calling_code(m.recipient) AS country,
                       date_trunc('hour', m.accepted_at, 'UTC') AS hour
                FROM charged c CROSS JOIN LATERAL (
                    SELECT provider_id, channel, recipient, accepted_at FROM messages
                    WHERE lane = \(lane.column) AND id = c.message_id AND id >= \(days.first) AND id < \(end)
                      AND \(Self.hasConversions)
                    LIMIT 1
                ) m
                WHERE c.changed AND c.state = 'verified'
            ), \(Self.convertingCarried), paced AS (
                UPDATE recipient_limits l SET
                    checks = CASE WHEN j.is_new THEN 1 ELSE l.checks + 1 END,
                    checks_since = CASE WHEN j.is_new THEN moment.now ELSE l.checks_since END
                FROM judged j, moment
                WHERE j.verdict IN ('right', 'wrong') AND l.lane = \(lane.column) AND l.account_id = j.account_id
                  AND l.recipient = j.recipient AND l.application_id = j.application_id
            ), failed AS (
                INSERT INTO recipient_failures AS r (lane, account_id, recipient, failures, failed_at)
                SELECT lane, account_id, recipient, 1, moment.now FROM judged, moment WHERE verdict = 'wrong'
                ORDER BY lane, account_id, recipient
                ON CONFLICT (lane, account_id, recipient) DO UPDATE SET
                    failures = r.failures + 1, failed_at = excluded.failed_at,
                    locked_until = CASE WHEN r.failures + 1 >= \(FailurePolicy.softLimit) THEN
                        moment_after(excluded.failed_at, least(
                            \(FailurePolicy.longestWait),
                            \(FailurePolicy.firstWait) * 2 ^ least(r.failures + 1 - \(FailurePolicy.softLimit), 20)
                        )) END
            ), forgiven AS (
                DELETE FROM recipient_failures r USING judged j
                WHERE j.verdict = 'right' AND j.failures > 0 AND r.lane = \(lane.column) AND r.account_id = j.account_id
                  AND r.recipient = j.recipient
            )
            -- Those behind the first guess at the same code share its refusal; when it was evaluated, they are to come again.
            SELECT f.n, CASE WHEN f.ended IS NOT NULL THEN f.ended
                             WHEN j.n = f.n OR j.verdict NOT IN ('right', 'wrong') THEN j.verdict ELSE 'again' END,
                   f.recipient, (j.attempt_limit - j.attempts - 1)::smallint, j.wait, j.state <> 'verified'
            FROM found f LEFT JOIN judged j ON j.lane = f.lane AND j.id = f.id
            """
        // Every row is found by its whole key, however large the tables are: planning it each time would take four times as
        // long as carrying it out.
        let verdicts = try await self.pool.query(statement.prepared) { row throws(PostgresError) in
            (place: Int(try row.decode(0, as: Int64.self)) - 1, result: try CheckResult(row: row))
        }
        var results = [CheckResult](repeating: .unknown, count: guesses.count)
        for verdict in verdicts { results[verdict.place] = verdict.result }
        return results
    }
}

extension CheckResult {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        let verdict = try row.decode(1, as: String.self)
        let recipient = try row.decode(2, as: String.self)
        let wait = try row.decodeIfPresent(4, as: Duration.self)
        switch verdict {
        case "right": self = .right(recipient: recipient, isFirst: try row.decode(5))
        case "wrong": self = .wrong(recipient: recipient, attemptsLeft: try row.decode(3))
        case "limited": self = .limited(wait: wait ?? .zero)
        case "locked": self = .locked(wait: wait)
        case "closed": self = .locked(wait: nil)
        case "again": self = .again
        case "keyless": self = .keyless
        default:
            guard let cause = End.Cause(rawValue: verdict) else { throw .decoding(column: 1, expected: "CheckResult") }
            self = .ended(End(cause: cause, recipient: recipient))
        }
    }
}

/// Guesses, a column an array, and behind each other their hashes, one for each key of the ring.
private struct GuessColumns {
    var ids: [MessageID] = []
    var accounts: [Int32] = []
    /// The ring's, the same for all guesses.
    let keyIDs: [Int16]
    var keyCount: Int32 { Int32(self.keyIDs.count) }
    var macs: [Bytes] = []

    init(_ guesses: [Guess]) {
        self.keyIDs = guesses.first?.macs.map(\.keyID) ?? []
        for guess in guesses {
            precondition(guess.macs.count == self.keyIDs.count, "all guesses are made with one ring of keys")
            self.ids.append(guess.verification.rawValue)
            self.accounts.append(guess.account.rawValue)
            self.macs += guess.macs.map { Bytes($0.bytes) }
        }
    }
}
