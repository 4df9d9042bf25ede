public import Messaging
public import Postgres
public import Timestamps

/// A verification as it stands.
public struct StoredVerification: Sendable, Hashable {
    public enum State: String, Sendable, Hashable, CaseIterable { case pending, verified, exhausted }

    public var id: VerificationID
    /// What customers call its application and its template.
    public var application: String
    public var template: String
    public var channel: Channel
    public var state: State
    /// Its time is over, whatever its state.
    public var isExpired: Bool
    public var recipient: String
    public var attempts: Int16
    public var attemptLimit: Int16
    public var sends: Int16
    /// The latest message that carried the code.
    public var message: MessageID
    public var startedAt: Timestamp
    public var sentAt: Timestamp
    public var expiresAt: Timestamp
    public var checkedAt: Timestamp?
    public var verifiedAt: Timestamp?
    /// Sealed; nil once the code has ended.
    public var code: [UInt8]?
}

/// Which of a recipient's verifications are asked for.
public struct VerificationFilter: Sendable {
    public var recipient: String
    /// Of this application only; what customers call it.
    public var application: String?
    public var isVerified: Bool?

    public init(recipient: String, application: String? = nil, isVerified: Bool? = nil) {
        self.recipient = recipient
        self.application = application
        self.isVerified = isVerified
    }
}

extension Store {
    /// An account's verification; nil when it has none of this id.
    public func verification(
        _ id: VerificationID, of account: AccountID
    ) async throws(PostgresError) -> StoredVerification? {
        let days = Days(of: [id.rawValue])
        return try await self.pool.query(
            """
            SELECT v.id, a.public_id, t.public_id, v.channel, v.state, v.expires_at <= now(), v.recipient, v.attempts,
                   v.attempt_limit, v.sends, v.message_id, v.started_at, v.sent_at, v.expires_at, v.checked_at,
                   v.verified_at, v.code
            FROM verifications v JOIN applications a ON a.id = v.application_id JOIN templates t ON t.id = v.template_id
            WHERE v.lane = \(id.lane.column) AND v.id = \(id.rawValue) AND v.account_id = \(account.rawValue)
              AND v.id >= \(days.first) AND v.id < \(days.end)
            """,
            decode: StoredVerification.init
        ).first
    }

    /// The latest of a recipient's verifications in one lane, newest first.
    public func verifications(
        lane: Lane, account: AccountID, filter: VerificationFilter, limit: Int32
    ) async throws(PostgresError) -> [StoredVerification] {
        try await self.pool.query(
            """
            SELECT v.id, a.public_id, t.public_id, v.channel, v.state, v.expires_at <= now(), v.recipient, v.attempts,
                   v.attempt_limit, v.sends, v.message_id, v.started_at, v.sent_at, v.expires_at, v.checked_at,
                   v.verified_at, v.code
            FROM verifications v JOIN applications a ON a.id = v.application_id JOIN templates t ON t.id = v.template_id
            WHERE v.lane = \(lane.column) AND v.account_id = \(account.rawValue) AND v.recipient = \(filter.recipient)
              AND (\(filter.application)::text IS NULL OR a.public_id = \(filter.application))
              AND (\(filter.isVerified)::boolean IS NULL OR (v.verified_at IS NOT NULL) = \(filter.isVerified))
            ORDER BY v.id DESC LIMIT \(limit)
            """,
            decode: StoredVerification.init
        )
    }

    /// Lets a recipient's guesses be evaluated again after too many had failed; true when any were counted.
    public func unlock(recipient: String, lane: Lane, account: AccountID) async throws(PostgresError) -> Bool {
        try await self.pool.execute(
            """
            DELETE FROM recipient_failures
            WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND recipient = \(recipient)
            """
        ) > 0
    }

    /// Wipes the codes whose time is over, at most `limit` at a time, and tells of those that nobody had got right; returns how
    /// many.
    public func wipeExpiredCodes(lane: Lane, limit: Int32) async throws(PostgresError) -> Int {
        try await self.pool.query(
            """
            WITH over AS MATERIALIZED (
                SELECT id FROM verifications
                WHERE lane = \(lane.column) AND code IS NOT NULL AND expires_at <= now()
                ORDER BY expires_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ), wiped AS (
                UPDATE verifications v SET
                    code = NULL, sequence = v.sequence + (v.state = 'pending')::integer
                FROM over WHERE v.lane = \(lane.column) AND v.id = over.id
                RETURNING v.lane, v.id, v.account_id, v.state, v.sequence
            ), happened AS MATERIALIZED (
                SELECT lane, id AS subject_id, account_id, NULL::integer AS endpoint_id, 'verification.expired' AS type,
                       'expired' AS reason, sequence
                FROM wiped WHERE state = 'pending'
            ), \(Self.telling)
            SELECT id FROM wiped
            """
        ) { row throws(PostgresError) in try row.decode(0, as: MessageID.self) }.count
    }

    /// Forgets the failures of recipients who have not failed for so long; returns how many. Reads all of a lane's.
    public func forgetFailures(lane: Lane, olderThan age: Duration) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            "DELETE FROM recipient_failures WHERE lane = \(lane.column) AND failed_at < now() - \(age)",
            timeout: Self.scanTimeout)
    }

    /// Forgets what recipients have used of limits whose periods are over, at most `limit` at a time; returns how many.
    public func forgetLimits(lane: Lane, limit: Int32) async throws(PostgresError) -> Int {
        try await self.pool.execute(
            """
            WITH old AS MATERIALIZED (
                SELECT account_id, application_id, recipient FROM recipient_limits
                WHERE lane = \(lane.column) AND forget_at <= now()
                ORDER BY forget_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            )
            DELETE FROM recipient_limits l USING old
            WHERE l.lane = \(lane.column) AND l.account_id = old.account_id AND l.application_id = old.application_id
              AND l.recipient = old.recipient
            """
        )
    }
}

extension StoredVerification {
    fileprivate init(row: borrowing Row) throws(PostgresError) {
        self.init(
            id: VerificationID(rawValue: try row.decode(0)), application: try row.decode(1),
            template: try row.decode(2),
            channel: try row.decode(3, oneOf: Channel.self), state: try row.decode(4, oneOf: State.self),
            isExpired: try row.decode(5), recipient: try row.decode(6), attempts: try row.decode(7),
            attemptLimit: try row.decode(8), sends: try row.decode(9), message: try row.decode(10),
            startedAt: try row.decode(11), sentAt: try row.decode(12), expiresAt: try row.decode(13),
            checkedAt: try row.decodeIfPresent(14), verifiedAt: try row.decodeIfPresent(15),
            code: try row.decodeIfPresent(16, as: Bytes.self)?.bytes)
    }
}
