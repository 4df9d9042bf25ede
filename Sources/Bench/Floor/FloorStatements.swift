import Messaging
import Timestamps

/// The simplest SQL that does each part of the work, in the tables that the product uses.
///
/// One account and one provider, no idempotency keys, no retries, no fairness, no fence but the worker's number: what
/// PostgreSQL could do for a program that knew everything beforehand. Also that all messages are of today, which is why their days are
/// named: without that a kept plan looks into the partitions of all days.
enum FloorStatements {
    /// That an id is of today, in UTC, or of tomorrow, which may come meanwhile; as literals.
    private static func today(_ column: String) -> String {
        let day = Timestamp.now.milliseconds / 86_400_000
        let ends = [day, day + 2].map { MessageID(high: UInt64($0 * 86_400_000) << 16, low: 0) }
        return "\(column) >= '\(ends[0])' AND \(column) < '\(ends[1])'"
    }

    /// What a message's row holds besides its id and its recipient; a sealed body has 50 bytes or so.
    private static let columns =
        "lane, id, account_id, provider_id, priority, channel, recipient, expires_at, body"
    private static let constants = "now() + interval '10 minutes', decode(repeat('5a', 50), 'hex')"

    /// `$1` the id, `$2` the recipient.
    static let insertOne = """
        INSERT INTO messages (\(columns)) VALUES (0, $1::uuid, 1, 1, 0, 'sms', $2::text, \(constants))
        """

    /// `$1` the id.
    static var update: String {
        """
        UPDATE verifications SET attempts = attempts + 1, checked_at = now()
        WHERE lane = 0 AND id = $1::uuid AND \(self.today("id"))
        """
    }

    /// `$1` the id, `$2` the recipient.
    static let insertVerification = """
        INSERT INTO verifications (lane, id, account_id, application_id, template_id, key_id, attempt_limit, allows_reuse,
                                   channel, recipient, mac, message_id, expires_at, code)
        VALUES (0, $1::uuid, 1, 1, 1, 1, 10, true, 'sms', $2::text, decode(repeat('5a', 32), 'hex'), $1::uuid, \(constants))
        """

    /// `$1` ids, `$2` recipients.
    static let insertMany = """
        WITH new AS MATERIALIZED (
            SELECT * FROM unnest($1::uuid[], $2::text[]) AS new (id, recipient)
        ), stored AS (
            INSERT INTO messages (\(columns)) SELECT 0, id, 1, 1, 0, 'sms', recipient, \(constants) FROM new
        )
        INSERT INTO outbox (lane, id, account_id, provider_id, priority) SELECT 0, id, 1, 1, 0 FROM new
        """

    /// Up to 100; returns ids, and what is needed to send the messages. The LIMIT keeps the planner from looking each
    /// message up by its lane alone, as it does while it believes the table to be empty.
    static var claim: String {
        """
        WITH due AS MATERIALIZED (
            SELECT id FROM outbox
            WHERE lane = 0 AND priority = 0 AND provider_id = 1 AND account_id = 1 AND worker_id IS NULL
            ORDER BY id LIMIT 100
            FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE outbox SET worker_id = 1, attempt = attempt + 1
            FROM due WHERE outbox.lane = 0 AND outbox.id = due.id
            RETURNING outbox.id
        )
        SELECT claimed.id, recipient, body FROM claimed CROSS JOIN LATERAL (
            SELECT recipient, body FROM messages
            WHERE messages.lane = 0 AND messages.id = claimed.id AND \(self.today("messages.id")) LIMIT 1
        ) AS message
        """
    }

    /// `$1` ids.
    static var settle: String {
        """
        WITH gone AS (
            DELETE FROM outbox WHERE lane = 0 AND id = ANY($1::uuid[]) AND worker_id = 1
        ), recorded AS (
            INSERT INTO attempts (lane, message_id, attempt, series, provider_id, worker_id, outcome, reason, duration)
            SELECT 0, id, 1, 1, 1, 1, 'accepted', 'accepted', interval '1 millisecond' FROM unnest($1::uuid[]) AS id
        )
        UPDATE messages SET state = 'accepted', reason = 'accepted', body = NULL, changed_at = now()
        WHERE lane = 0 AND id = ANY($1::uuid[]) AND \(self.today("id"))
        """
    }

    /// `$1` ids.
    static var receipt: String {
        """
        WITH stored AS (
            INSERT INTO receipts (lane, message_id, part, status, code, provider_id, state, reason, occurred_at)
            SELECT 0, id, '0A0000000123ABCD1', 'delivered', '0', 1, 'delivered', 'ok', now()
            FROM unnest($1::uuid[]) AS id
        )
        UPDATE messages SET state = 'delivered', reason = 'ok', parts_delivered = 1, changed_at = now()
        WHERE lane = 0 AND id = ANY($1::uuid[]) AND \(self.today("id"))
        """
    }
}
