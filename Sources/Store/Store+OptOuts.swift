public import Messaging
public import Postgres
public import Timestamps

/// A number whose owner wants no messages of an account.
public struct OptOut: Sendable, Hashable {
    public var recipient: String
    public var madeAt: Timestamp
}

extension Store {
    /// Has an account send no more to a recipient; true when it was not so before.
    ///
    /// The first of an account raises the configuration's revision, so that processes begin to ask for it; see
    /// ``Directory/accountsWithOptOuts``. Those who come and go at the same moment wait for each other, or nobody might notice
    /// which is the first.
    public func putOptOut(_ recipient: String, of account: AccountID) async throws(PostgresError) -> Bool {
        try await self.transaction { transaction throws(PostgresError) in
            try await Self.lockOptOuts(of: account, in: transaction)
            let isFirst = try await transaction.query(
                "SELECT NOT EXISTS (SELECT FROM opt_outs WHERE account_id = \(account.rawValue))"
            ) { row throws(PostgresError) in try row.decode(0, as: Bool.self) }[0]
            let added = try await transaction.execute(
                """
                INSERT INTO opt_outs (account_id, recipient) VALUES (\(account.rawValue), \(recipient))
                ON CONFLICT DO NOTHING
                """)
            if isFirst { _ = try await transaction.execute("UPDATE configuration SET revision = revision + 1") }
            return added > 0
        }
    }

    /// Lets an account send to a recipient again; true when it did not before.
    public func removeOptOut(_ recipient: String, of account: AccountID) async throws(PostgresError) -> Bool {
        try await self.transaction { transaction throws(PostgresError) in
            try await Self.lockOptOuts(of: account, in: transaction)
            let removed = try await transaction.execute(
                "DELETE FROM opt_outs WHERE account_id = \(account.rawValue) AND recipient = \(recipient)")
            return removed > 0
        }
    }

    /// Those of `recipients` that want no messages of an account.
    public func optedOut(
        among recipients: [String], of account: AccountID
    ) async throws(PostgresError) -> Set<String> {
        let found = try await self.pool.query(
            """
            SELECT recipient FROM opt_outs WHERE account_id = \(account.rawValue) AND recipient = ANY(\(recipients))
            """
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
        return Set(found)
    }

    /// Those of an account, or the one of `recipient`, by their recipients, behind `after`.
    public func optOuts(
        of account: AccountID, recipient: String?, after: String, limit: Int32
    ) async throws(PostgresError) -> [OptOut] {
        try await self.pool.query(
            """
            SELECT recipient, made_at FROM opt_outs
            WHERE account_id = \(account.rawValue) AND recipient > \(after)
              AND (\(recipient) IS NULL OR recipient = \(recipient))
            ORDER BY recipient LIMIT \(limit)
            """
        ) { row throws(PostgresError) in
            OptOut(recipient: try row.decode(0), madeAt: try row.decode(1))
        }
    }

    /// The accounts that have any.
    func accountsWithOptOuts() async throws(PostgresError) -> [AccountID] {
        try await self.pool.query(
            "SELECT id FROM accounts a WHERE EXISTS (SELECT FROM opt_outs WHERE account_id = a.id) ORDER BY id"
        ) { row throws(PostgresError) in AccountID(rawValue: try row.decode(0)) }
    }

    private static func lockOptOuts(
        of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) {
        _ = try await transaction.execute("SELECT FROM accounts WHERE id = \(account.rawValue) FOR NO KEY UPDATE")
    }
}
