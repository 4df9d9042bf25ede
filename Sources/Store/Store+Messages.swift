public import Messaging
public import Postgres
public import Timestamps

/// A message as its owner sees it; the body is not part of it.
public struct StoredMessage: Sendable {
    public var id: MessageID
    public var channel: Channel
    public var priority: Priority
    public var state: MessageState
    public var reason: String?
    public var corrected: Bool
    /// Two providers have delivered it: an answer was lost or late, and it was sent again.
    public var duplicated = false
    public var parts: Int16
    public var recipient: String
    public var sender: String?
    public var reference: String?
    public var metadata: String?
    public var acceptedAt: Timestamp
    public var sendAt: Timestamp?
    public var expiresAt: Timestamp
    public var changedAt: Timestamp
    /// What was charged for it, or would have been of a prepaid account.
    public var price: Price?
    /// Its account's.
    public var currency: String?
}

/// One settled attempt in a message's timeline.
public struct StoredAttempt: Sendable {
    public var attempt: Int16
    public var provider: String
    public var outcome: String
    public var reason: String
    public var code: String
    public var duration: Duration
    public var settledAt: Timestamp
}

/// One receipt in a message's timeline.
public struct StoredReceipt: Sendable {
    public var part: String
    public var provider: String
    public var state: String
    public var reason: String
    public var status: String
    public var code: String
    public var occurredAt: Timestamp?
    public var receivedAt: Timestamp
}

public struct Timeline: Sendable {
    public var message: StoredMessage
    public var attempts: [StoredAttempt]
    public var receipts: [StoredReceipt]
}

/// Which messages of an account to list, newest first.
public struct MessageFilter: Sendable {
    public var recipient: String?
    public var reference: String?
    public var state: MessageState?
    public var from: Timestamp?
    public var until: Timestamp?
    /// Only messages older than this one: the cursor.
    public var before: MessageID?

    public init() {}
}

/// A piece of a list.
public struct MessagePage: Sendable {
    public var messages: [StoredMessage]
    /// Where the next page begins; nil at the end of the list.
    public var next: MessageID?

    public init(messages: [StoredMessage], next: MessageID?) {
        self.messages = messages
        self.next = next
    }
}

/// What a customer's wish to cancel came to.
public enum Cancellation: Sendable, Hashable {
    case cancelled
    /// No message of this account has this id.
    case notFound
    /// Too late: it is being sent or has been.
    case refused(MessageState)
}

// `messages` says queued while a worker holds a message; the outbox knows better, so reads ask both.
extension Store {
    /// A message with all that happened to it; nil when the account has no such message.
    public func timeline(of id: MessageID, account: AccountID) async throws(PostgresError) -> Timeline? {
        let days = Days(of: CollectionOfOne(id))
        let statement: SQL = """
            SELECT m.id, m.channel, m.priority, s.state, m.reason, m.corrected, m.parts, m.recipient,
                   m.sender, m.reference, m.metadata, m.accepted_at, m.send_at, m.expires_at, m.changed_at,
                   m.price, m.network, (SELECT currency FROM accounts WHERE id = m.account_id), m.duplicated
            FROM messages m LEFT JOIN outbox o ON o.lane = \(id.lane.column) AND o.id = m.id
            CROSS JOIN LATERAL (
                SELECT CASE WHEN m.state = 'queued' AND o.worker_id IS NOT NULL THEN 'sending' ELSE m.state END AS state
            ) s
            WHERE m.lane = \(id.lane.column) AND m.id = \(id) AND m.id >= \(days.first) AND m.id < \(days.end)
              AND m.account_id = \(account.rawValue)
            """
        // Customers may ask often, and it is planned no quicker than a batch of hundreds.
        let found = try await self.pool.query(statement.preparedForLookUps, decode: StoredMessage.init)
        guard let message = found.first else { return nil }
        return Timeline(
            message: message, attempts: try await self.attempts(of: id, in: days),
            receipts: try await self.receipts(of: id, in: days))
    }

    /// Lists an account's messages of one lane, newest first, at most `limit` of them.
    ///
    /// State is in no index, so a page reads at most `scanLimit` messages: one that looks for a rare state may come back
    /// short, or empty, with a cursor to go on from. The cost of a page does not depend on the length of the history.
    public func messages(
        lane: Lane, account: AccountID, filter: MessageFilter, limit: Int32, scanLimit: Int32 = 10_000
    ) async throws(PostgresError) -> MessagePage {
        let last = MessageID.before(filter.before, until: filter.until)
        let first = MessageID.first(at: filter.from)
        let scanned = try await self.pool.query(
            """
            SELECT m.id, m.channel, m.priority, s.state, m.reason, m.corrected, m.parts, m.recipient,
                   m.sender, m.reference, m.metadata, m.accepted_at, m.send_at, m.expires_at, m.changed_at,
                   m.price, m.network, (SELECT currency FROM accounts WHERE id = m.account_id), m.duplicated
            FROM (
                SELECT * FROM messages
                WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND id >= \(first) AND id < \(last)
                  AND (\(filter.recipient) IS NULL OR recipient = \(filter.recipient))
                  AND (\(filter.reference) IS NULL OR reference = \(filter.reference))
                ORDER BY id DESC LIMIT \(scanLimit)
            ) m LEFT JOIN outbox o ON o.lane = \(lane.column) AND o.id = m.id
            CROSS JOIN LATERAL (
                SELECT CASE WHEN m.state = 'queued' AND o.worker_id IS NOT NULL THEN 'sending' ELSE m.state END AS state
            ) s
            WHERE \(filter.state?.rawValue) IS NULL OR s.state = \(filter.state?.rawValue)
            ORDER BY m.id DESC LIMIT \(limit + 1)
            """,
            decode: StoredMessage.init
        )
        return try await self.page(
            scanned, lane: lane, account: account, filter: filter, limit: limit, scanLimit: scanLimit)
    }

    /// Withdraws a message that no worker holds, unless it may have been sent already. A prepaid account is given its price
    /// back: all else that a message comes to may have cost something, and is not.
    ///
    /// Messages that were accepted before the first top-up were not paid for. The balance is locked last, and whoever holds it
    /// wants no message that is stored.
    public func cancel(_ id: MessageID, account: AccountID) async throws(PostgresError) -> Cancellation {
        let rows = try await self.pool.query(
            """
            WITH \(Self.thisTransaction), mine AS MATERIALIZED (
                SELECT state FROM messages
                WHERE lane = \(id.lane.column) AND id = \(id) AND account_id = \(account.rawValue)
            ), ready AS (
                DELETE FROM outbox WHERE lane = \(id.lane.column) AND id = \(id) AND worker_id IS NULL
                  AND EXISTS (SELECT FROM mine WHERE state = 'queued')
                RETURNING 1
            ), later AS (
                DELETE FROM scheduled WHERE lane = \(id.lane.column) AND id = \(id)
                  AND EXISTS (SELECT FROM mine WHERE state = 'queued')
                RETURNING 1
            ), moved AS (
                UPDATE messages m SET
                    state = 'cancelled', reason = 'canceled', body = NULL, changed_at = now(),
                    sequence = m.sequence + 1, changed_by = this.number
                FROM this
                WHERE lane = \(id.lane.column) AND id = \(id) AND state = 'queued'
                  AND (EXISTS (SELECT FROM ready) OR EXISTS (SELECT FROM later))
                RETURNING \(Self.movedMessage)
            ), refund AS MATERIALIZED (
                SELECT m.account_id, m.price FROM moved m
                WHERE m.charged AND m.price > 0
            ), repaid AS (
                UPDATE balances b SET balance = b.balance + r.price FROM refund r WHERE b.account_id = r.account_id
            ), \(Self.tellingOfMessages), \(Self.telling)
            SELECT mine.state, EXISTS (SELECT FROM moved),
                   EXISTS (SELECT FROM outbox WHERE lane = \(id.lane.column) AND id = \(id) AND worker_id IS NOT NULL)
            FROM mine
            """
        ) { row throws(PostgresError) -> Cancellation in
            let stored = try row.decode(0, oneOf: MessageState.self)
            if try row.decode(1, as: Bool.self) { return .cancelled }
            return .refused(try row.decode(2, as: Bool.self) ? .sending : stored)
        }
        return rows.first ?? .notFound
    }

    // MARK: - Private

    private func page(
        _ rows: [StoredMessage], lane: Lane, account: AccountID, filter: MessageFilter, limit: Int32, scanLimit: Int32
    ) async throws(PostgresError) -> MessagePage {
        if rows.count > limit {
            let shown = Array(rows.prefix(Int(limit)))
            return MessagePage(messages: shown, next: shown.last?.id)
        }
        guard filter.state != nil else { return MessagePage(messages: rows, next: nil) }
        return MessagePage(
            messages: rows,
            next: try await self.end(ofScanIn: lane, account: account, filter: filter, scanLimit: scanLimit)
        )
    }

    /// The last message that a page with a state could look at; nil when it saw the end of the list.
    private func end(
        ofScanIn lane: Lane, account: AccountID, filter: MessageFilter, scanLimit: Int32
    ) async throws(PostgresError) -> MessageID? {
        let last = MessageID.before(filter.before, until: filter.until)
        let first = MessageID.first(at: filter.from)
        return try await self.pool.query(
            """
            SELECT id FROM messages
            WHERE lane = \(lane.column) AND account_id = \(account.rawValue) AND id >= \(first) AND id < \(last)
              AND (\(filter.recipient) IS NULL OR recipient = \(filter.recipient))
              AND (\(filter.reference) IS NULL OR reference = \(filter.reference))
            ORDER BY id DESC OFFSET \(scanLimit - 1) LIMIT 1
            """
        ) { row throws(PostgresError) in try row.decode(0, as: MessageID.self) }.first
    }

    /// The latest, oldest first.
    private func attempts(of id: MessageID, in days: Days) async throws(PostgresError) -> [StoredAttempt] {
        let statement: SQL = """
            SELECT a.attempt, coalesce(p.name, ''), a.outcome, a.reason, a.code, a.duration, a.settled_at
            FROM attempts a LEFT JOIN providers p ON p.id = a.provider_id
            WHERE a.lane = \(id.lane.column) AND a.message_id = \(id)
              AND a.message_id >= \(days.first) AND a.message_id < \(days.end)
            ORDER BY a.settled_at DESC LIMIT 100
            """
        return try await self.pool.query(statement.preparedForLookUps) { row throws(PostgresError) in
            StoredAttempt(
                attempt: try row.decode(0), provider: try row.decode(1), outcome: try row.decode(2),
                reason: try row.decode(3), code: try row.decode(4), duration: try row.decode(5),
                settledAt: try row.decode(6)
            )
        }.reversed()
    }

    /// The latest, oldest first.
    private func receipts(of id: MessageID, in days: Days) async throws(PostgresError) -> [StoredReceipt] {
        let statement: SQL = """
            SELECT r.part, coalesce(p.name, ''), r.state, r.reason, r.status, r.code, r.occurred_at, r.received_at
            FROM receipts r LEFT JOIN providers p ON p.id = r.provider_id
            WHERE r.lane = \(id.lane.column) AND r.message_id = \(id)
              AND r.message_id >= \(days.first) AND r.message_id < \(days.end)
            ORDER BY r.received_at DESC, r.part DESC LIMIT 100
            """
        return try await self.pool.query(statement.preparedForLookUps) { row throws(PostgresError) in
            StoredReceipt(
                part: try row.decode(0), provider: try row.decode(1), state: try row.decode(2),
                reason: try row.decode(3), status: try row.decode(4), code: try row.decode(5),
                occurredAt: try row.decodeIfPresent(6), receivedAt: try row.decode(7)
            )
        }.reversed()
    }
}

extension MessageID {
    /// The smallest id of a moment.
    static func first(at moment: Timestamp?) -> MessageID {
        MessageID(high: UInt64(max(0, moment?.milliseconds ?? 0)) << 16, low: 0)
    }

    /// The end, not included, of a list that goes back from a cursor and from a moment.
    static func before(_ cursor: MessageID?, until moment: Timestamp?) -> MessageID {
        min(
            cursor ?? MessageID(high: .max, low: .max),
            moment.map { Self.first(at: $0) } ?? MessageID(high: .max, low: .max))
    }
}

extension StoredMessage {
    init(row: borrowing Row) throws(PostgresError) {
        self.init(
            id: try row.decode(0), channel: try row.decode(1, oneOf: Channel.self), priority: try row.decodePriority(2),
            state: try row.decode(3, oneOf: MessageState.self), reason: try row.decodeIfPresent(4),
            corrected: try row.decode(5), duplicated: try row.decode(18), parts: try row.decode(6),
            recipient: try row.decode(7),
            sender: try row.decodeIfPresent(8), reference: try row.decodeIfPresent(9),
            metadata: try row.decodeIfPresent(10), acceptedAt: try row.decode(11), sendAt: try row.decodeIfPresent(12),
            expiresAt: try row.decode(13), changedAt: try row.decode(14), price: try row.decodePrice(15, network: 16),
            currency: try row.decodeIfPresent(17)
        )
    }
}
