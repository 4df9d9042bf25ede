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
    case right(recipient: String)
    case wrong(recipient: String, attemptsLeft: Int16)
    /// The recipient's guesses come too fast. Nothing was evaluated.
    case limited(wait: Duration)
    /// Too many of the recipient's guesses failed in a row. Nothing was evaluated. Without a wait, for good.
    case locked(wait: Duration?)
    /// The code had ended.
    case ended(End)
    /// There is none of this id in this account.
    case unknown
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
    /// Evaluates guesses, many in one statement and one commit; returns one result each, in order.
    ///
    /// Each guess is charged and judged in the same statement, on the row as it is once locked: however many are made at the
    /// same time, no more are evaluated than the verification allows, and one that was charged stays charged whatever
    /// happens to the process that asked. Two keyed hashes are compared, so the time it takes tells nothing of the code.
    ///
    /// A verification that is unknown, another account's, or over is answered without writing anything, each the same way.
    ///
    /// Of several guesses for one recipient in a batch the first is evaluated. For the order of locks see ``send(_:now:)``.
    ///
    /// A verified code that may be used again costs no attempt when it is right again; while attempts last.
    public func check(_ guesses: [Guess], now: Timestamp? = nil) async throws(PostgresError) -> [CheckResult] {
        let rows = GuessColumns(guesses)
        let days = MessageID.days(of: guesses.lazy.map(\.verification.rawValue))
        let statement: SQL = """
            WITH moment AS MATERIALIZED (
                SELECT coalesce(\(now), now()) AS now
            ), guess AS MATERIALIZED (
                SELECT * FROM unnest(\(rows.lanes), \(rows.ids), \(rows.accounts)) WITH ORDINALITY AS g (lane, id, account_id, n)
            ), found AS MATERIALIZED (
                SELECT g.n, v.lane, v.id, v.account_id, v.application_id, v.recipient
                FROM guess g JOIN verifications v ON v.lane = g.lane AND v.id = g.id AND v.account_id = g.account_id
                WHERE v.id >= \(days.first) AND v.id < \(days.end)
            ), first AS MATERIALIZED (
                SELECT DISTINCT ON (lane, account_id, recipient) * FROM found ORDER BY lane, account_id, recipient, n
            ), held AS MATERIALIZED (
                SELECT f.n, v.lane, v.id, v.key_id, v.mac, v.state, v.attempts, v.attempt_limit, v.allows_reuse,
                       v.expires_at > moment.now AS in_time
                FROM first f JOIN verifications v ON v.lane = f.lane AND v.id = f.id, moment
                WHERE v.id >= \(days.first) AND v.id < \(days.end)
                ORDER BY v.lane, v.id FOR UPDATE OF v
            ), alive AS MATERIALIZED (
                SELECT n FROM held
                WHERE in_time AND attempts < attempt_limit AND (state = 'pending' OR state = 'verified' AND allows_reuse)
            ), pace AS MATERIALIZED (
                SELECT f.n, l.lane, l.account_id, l.recipient, l.application_id,
                       l.checks_since + l.check_period <= moment.now AS is_new, l.checks < l.check_limit AS has_room,
                       l.checks_since + l.check_period - moment.now AS wait
                FROM alive JOIN first f USING (n)
                JOIN recipient_limits l ON l.lane = f.lane AND l.account_id = f.account_id AND l.recipient = f.recipient
                    AND l.application_id = f.application_id, moment
                ORDER BY l.lane, l.account_id, l.recipient, l.application_id FOR UPDATE OF l
            ), lock AS MATERIALIZED (
                SELECT f.n, r.failures, r.locked_until - moment.now AS wait
                FROM alive JOIN first f USING (n)
                JOIN recipient_failures r ON r.lane = f.lane AND r.account_id = f.account_id AND r.recipient = f.recipient,
                     moment
                -- Always after the limits: without a word PostgreSQL would lock whichever it joins first.
                WHERE (SELECT count(*) FROM pace) >= 0
                ORDER BY r.lane, r.account_id, r.recipient FOR UPDATE OF r
            ), judged AS MATERIALIZED (
                SELECT h.*, f.account_id, f.recipient, f.application_id, coalesce(k.failures, 0) AS failures,
                       CASE
                           WHEN NOT h.in_time THEN 'expired'
                           WHEN h.state = 'verified' AND NOT h.allows_reuse THEN 'used'
                           WHEN a.n IS NULL THEN 'exhausted'
                           WHEN k.failures >= \(FailurePolicy.hardLimit) THEN 'closed'
                           WHEN k.wait > interval '0' THEN 'locked'
                           WHEN NOT (p.is_new OR p.has_room) THEN 'limited'
                           WHEN EXISTS (
                               SELECT FROM unnest(\(rows.places), \(rows.keyIDs), \(rows.macs)) AS m (n, key_id, mac)
                               WHERE m.n = h.n AND m.key_id = h.key_id
                                 AND sha256(m.mac || convert_to(f.recipient, 'UTF8')) = h.mac
                           ) THEN 'right'
                           ELSE 'wrong'
                       END AS verdict,
                       CASE WHEN k.wait > interval '0' THEN k.wait ELSE p.wait END AS wait
                FROM held h JOIN first f USING (n) LEFT JOIN alive a USING (n) LEFT JOIN pace p USING (n)
                LEFT JOIN lock k USING (n)
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
                    code = CASE
                        WHEN j.verdict = 'right' AND NOT v.allows_reuse THEN NULL
                        WHEN v.attempts + 1 >= v.attempt_limit AND (v.state = 'pending' OR j.verdict = 'wrong') THEN NULL
                        ELSE v.code END
                FROM judged j, moment
                WHERE j.verdict IN ('right', 'wrong') AND v.lane = j.lane AND v.id = j.id
                  AND v.id >= \(days.first) AND v.id < \(days.end)
                RETURNING j.n, v.attempt_limit - v.attempts AS attempts_left
            ), paced AS (
                UPDATE recipient_limits l SET
                    checks = CASE WHEN p.is_new THEN 1 ELSE l.checks + 1 END,
                    checks_since = CASE WHEN p.is_new THEN moment.now ELSE l.checks_since END
                FROM pace p JOIN judged j USING (n), moment
                WHERE j.verdict IN ('right', 'wrong') AND l.lane = p.lane AND l.account_id = p.account_id
                  AND l.recipient = p.recipient AND l.application_id = p.application_id
            ), failed AS (
                INSERT INTO recipient_failures AS r (lane, account_id, recipient, failures, failed_at)
                SELECT lane, account_id, recipient, 1, moment.now FROM judged, moment WHERE verdict = 'wrong'
                ORDER BY lane, account_id, recipient
                ON CONFLICT (lane, account_id, recipient) DO UPDATE SET
                    failures = r.failures + 1, failed_at = excluded.failed_at,
                    locked_until = CASE WHEN r.failures + 1 >= \(FailurePolicy.softLimit) THEN
                        excluded.failed_at + least(
                            \(FailurePolicy.longestWait),
                            \(FailurePolicy.firstWait) * 2 ^ least(r.failures + 1 - \(FailurePolicy.softLimit), 20)
                        ) END
            ), forgiven AS (
                DELETE FROM recipient_failures r USING judged j
                WHERE j.verdict = 'right' AND j.failures > 0 AND r.lane = j.lane AND r.account_id = j.account_id
                  AND r.recipient = j.recipient
            )
            -- Those behind the first guess at the same code share its refusal; when it was evaluated, they are to come again.
            SELECT g.n, CASE WHEN f.n IS NULL THEN 'unknown' WHEN j.n IS NOT NULL THEN j.verdict
                             WHEN leader.verdict NOT IN ('right', 'wrong') THEN leader.verdict ELSE 'again' END,
                   f.recipient, coalesce(c.attempts_left, 0)::smallint, coalesce(j.wait, leader.wait)
            FROM guess g LEFT JOIN found f USING (n) LEFT JOIN judged j USING (n) LEFT JOIN charged c USING (n)
            LEFT JOIN judged leader ON leader.lane = g.lane AND leader.id = g.id
            """
        let verdicts = try await self.pool.query(statement) { row throws(PostgresError) in
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
        if verdict == "unknown" {
            self = .unknown
            return
        }
        let recipient = try row.decode(2, as: String.self)
        let wait = try row.decodeIfPresent(4, as: Duration.self)
        switch verdict {
        case "right": self = .right(recipient: recipient)
        case "wrong": self = .wrong(recipient: recipient, attemptsLeft: try row.decode(3))
        case "limited": self = .limited(wait: wait ?? .zero)
        case "locked": self = .locked(wait: wait)
        case "closed": self = .locked(wait: nil)
        case "again": self = .again
        default:
            guard let cause = End.Cause(rawValue: verdict) else { throw .decoding(column: 1, expected: "CheckResult") }
            self = .ended(End(cause: cause, recipient: recipient))
        }
    }
}

/// Guesses, a column an array, and apart from them their hashes, several for each.
private struct GuessColumns {
    var lanes: [Int16] = []
    var ids: [MessageID] = []
    var accounts: [Int32] = []
    /// The guess that a hash is of, counted from 1.
    var places: [Int64] = []
    var keyIDs: [Int16] = []
    var macs: [Bytes] = []

    init(_ guesses: [Guess]) {
        for (index, guess) in guesses.enumerated() {
            self.lanes.append(guess.verification.lane.column)
            self.ids.append(guess.verification.rawValue)
            self.accounts.append(guess.account.rawValue)
            for mac in guess.macs {
                self.places.append(Int64(index + 1))
                self.keyIDs.append(mac.keyID)
                self.macs.append(Bytes(mac.bytes))
            }
        }
    }
}
