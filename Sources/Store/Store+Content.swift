public import Messaging
public import Postgres

/// What a message that was handed over still says.
public struct StoredContent: Sendable {
    public var account: AccountID
    public var channel: Channel
    public var state: MessageState
    /// Sealed; nil when nobody needs it any more.
    public var body: [UInt8]?
}

extension Store {
    /// The content of a message that is or was with `provider`; nil for any other.
    ///
    /// A provider may ask before the answer to its request is settled, so the one that the message stands at will do.
    public func content(
        of id: MessageID, through provider: ProviderID
    ) async throws(PostgresError) -> StoredContent? {
        let lane = id.lane
        let days = Days(of: [id])
        return try await self.pool.query(
            """
            SELECT m.account_id, m.channel, m.state, m.body FROM messages m
            WHERE m.lane = \(lane.column) AND m.id = \(id) AND m.id >= \(days.first) AND m.id < \(days.end)
              AND (m.provider_id = \(provider.rawValue) OR EXISTS (
                  SELECT FROM attempts a
                  WHERE a.lane = \(lane.column) AND a.message_id = \(id)
                    AND a.message_id >= \(days.first) AND a.message_id < \(days.end)
                    AND a.provider_id = \(provider.rawValue)))
            """
        ) { row throws(PostgresError) in
            StoredContent(
                account: AccountID(rawValue: try row.decode(0)), channel: try row.decode(1, oneOf: Channel.self),
                state: try row.decode(2, oneOf: MessageState.self),
                body: try row.decodeIfPresent(3, as: Bytes.self)?.bytes)
        }.first
    }
}

extension StoredContent: CustomStringConvertible, CustomReflectable {
    public var description: String { "content for \(self.channel.rawValue)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
