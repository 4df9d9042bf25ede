public import Messaging
public import Postgres

extension Store {
    /// Origins of callbacks that an account may have: each is an endpoint, which every process knows.
    public static let callbackOriginLimit: Int64 = 100

    /// The endpoint of the callbacks that Bandwidth's API is given for one origin: found, or made under `publicID`. An
    /// origin's endpoint stays the same. Nil when the account has ``callbackOriginLimit`` others.
    public func callbackEndpoint(
        at origin: String, of account: AccountID, publicID: String
    ) async throws(PostgresError) -> EndpointID? {
        let known = try await self.pool.query(
            Self.callbackEndpoint(at: origin, of: account), decode: EndpointID.init(row:)
        ).first
        if let known { return known }
        return try await self.transaction { transaction throws(PostgresError) in
            // Whoever else makes one waits here, and so finds this one.
            try await transaction.execute("SELECT FROM accounts WHERE id = \(account.rawValue) FOR NO KEY UPDATE")
            let made = try await transaction.query(
                Self.callbackEndpoint(at: origin, of: account), decode: EndpointID.init(row:)
            ).first
            if let made { return made }
            return try await Self.makeCallbackEndpoint(at: origin, of: account, publicID: publicID, in: transaction)
        }
    }

    // MARK: - Private

    private static func callbackEndpoint(at origin: String, of account: AccountID) -> SQL {
        """
        SELECT id FROM endpoints
        WHERE account_id = \(account.rawValue) AND kind = 'bandwidth' AND url = \(origin)
        """
    }

    private static func makeCallbackEndpoint(
        at origin: String, of account: AccountID, publicID: String, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> EndpointID? {
        let types: [EventType] = [.messageDelivered, .messageUndelivered, .messageFailed, .messageExpired]
        return try await transaction.query(
            """
            INSERT INTO endpoints (account_id, public_id, kind, url, types)
            SELECT \(account.rawValue), \(publicID), 'bandwidth', \(origin), \(types.map(\.rawValue))
            WHERE (SELECT count(*) FROM endpoints WHERE account_id = \(account.rawValue) AND kind = 'bandwidth')
                < \(Self.callbackOriginLimit)
            RETURNING id
            """, decode: EndpointID.init(row:)
        ).first
    }
}

extension EndpointID {
    fileprivate init(row: borrowing Row) throws(PostgresError) { self.init(rawValue: try row.decode(0)) }
}
