public import Messaging
public import Postgres

/// What an account is called and what it has.
public struct StoredFinances: Sendable, Hashable {
    public var name: String
    /// ISO 4217.
    public var currency: String
    /// Nil for an account that pays afterwards.
    public var balance: Money?
}

/// What became of a top-up.
public enum TopUpResult: Sendable, Hashable {
    /// With what the account has now.
    case made(balance: Money)
    /// The same was made before; nothing was changed.
    case repeated(balance: Money)
    /// Another was made under this name; nothing was changed.
    case nameTaken
    /// It would leave less than nothing, or more than ``Store/balanceLimit``; nothing was changed.
    case outOfRange
}

// See ``Charging`` for what is taken away, and ``Store/cancel(_:account:)`` for what is given back.
extension Store {
    /// What an account may have, ten billion whole ones: far from what a column has room for.
    public static let balanceLimit = Money(rawValue: 1_000_000_000_000_000_000)

    public func finances(of account: AccountID) async throws(PostgresError) -> StoredFinances? {
        try await self.pool.query(
            """
            SELECT a.name, a.currency, b.balance FROM accounts a LEFT JOIN balances b ON b.account_id = a.id
            WHERE a.id = \(account.rawValue)
            """
        ) { row throws(PostgresError) in
            StoredFinances(
                name: try row.decode(0), currency: try row.decode(1),
                balance: try row.decodeIfPresent(2, as: Int64.self).map(Money.init(rawValue:)))
        }.first
    }

    /// Pays something into an account, or takes something out; once for each name. The first makes the account prepaid.
    public func topUp(
        _ account: AccountID, by amount: Money, name: String
    ) async throws(PostgresError) -> TopUpResult {
        try await self.transaction { transaction throws(PostgresError) in
            try await Self.topUp(account, by: amount, name: name, in: transaction)
        }
    }

    /// As ``topUp(_:by:name:)``, within a transaction. Until it ends, what the account sends waits.
    public static func topUp(
        _ account: AccountID, by amount: Money, name: String, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> TopUpResult {
        // Another of the same account waits here, and so finds what this one has made. Not at the account's row: others may
        // hold that while they wait for what this transaction has changed.
        try await transaction.execute(
            "SELECT pg_advisory_xact_lock(hashtext('pinpost top-ups'), \(account.rawValue))")
        let balance = try await Self.lockedBalance(of: account, in: transaction)
        if let earlier = try await Self.topUp(named: name, of: account, in: transaction) {
            return earlier == amount ? .repeated(balance: balance) : .nameTaken
        }
        let (sum, overflows) = balance.rawValue.addingReportingOverflow(amount.rawValue)
        guard !overflows, (0...Self.balanceLimit.rawValue).contains(sum) else { return .outOfRange }
        try await transaction.execute(
            """
            WITH named AS (
                INSERT INTO top_ups (account_id, name, amount) VALUES (\(account.rawValue), \(name), \(amount.rawValue))
            )
            INSERT INTO balances (account_id, balance) VALUES (\(account.rawValue), \(sum))
            ON CONFLICT (account_id) DO UPDATE SET balance = excluded.balance
            """)
        return .made(balance: Money(rawValue: sum))
    }

    /// Makes an account's currency what it should be. No amount is converted.
    public static func putCurrency(
        _ currency: String, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        try await transaction.execute(
            "UPDATE accounts SET currency = \(currency) WHERE id = \(account.rawValue) AND currency <> \(currency)"
        ) > 0
    }

    // MARK: - Prices

    /// What messages of an account may cost: its own prices, and those for everybody that it has no own for.
    public func prices(of account: AccountID) async throws(PostgresError) -> [StoredPrice] {
        try await self.pool.query(
            """
            SELECT DISTINCT ON (channel, prefix) account_id, channel, prefix, price, network FROM prices
            WHERE account_id IS NULL OR account_id = \(account.rawValue)
            ORDER BY channel, prefix, account_id NULLS LAST
            """,
            decode: StoredPrice.init)
    }

    /// Makes an account's own prices what they should be, all of them; returns whether any was not so.
    public func replacePrices(
        of account: AccountID, with prices: [StoredPrice]
    ) async throws(PostgresError) -> Bool {
        let channels = prices.map(\.channel.rawValue)
        let prefixes = prices.map(\.prefix)
        return try await self.transaction { transaction throws(PostgresError) in
            let removed = try await transaction.execute(
                """
                DELETE FROM prices WHERE account_id = \(account.rawValue)
                    AND (channel, prefix) NOT IN (SELECT * FROM unnest(\(channels), \(prefixes)))
                """)
            let changed = try await transaction.execute(
                """
                INSERT INTO prices AS p (account_id, channel, prefix, price, network)
                SELECT \(account.rawValue), * FROM unnest(
                    \(channels), \(prefixes), \(prices.map(\.price.amount.rawValue)), \(prices.map(\.price.network))
                )
                ON CONFLICT (account_id, channel, prefix) DO UPDATE SET price = excluded.price, network = excluded.network
                WHERE (p.price, p.network) IS DISTINCT FROM (excluded.price, excluded.network)
                """)
            return removed + changed > 0
        }
    }

    /// Makes a price what it should be.
    public static func putPrice(
        _ price: StoredPrice, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        try await transaction.execute(
            """
            INSERT INTO prices AS p (account_id, channel, prefix, price, network)
            VALUES (\(price.account?.rawValue), \(price.channel.rawValue), \(price.prefix), \(price.price.amount.rawValue),
                    \(price.price.network))
            ON CONFLICT (account_id, channel, prefix) DO UPDATE SET price = excluded.price, network = excluded.network
            WHERE (p.price, p.network) IS DISTINCT FROM (excluded.price, excluded.network)
            """
        ) > 0
    }

    /// Takes a price away, whatever it is.
    public static func removePrice(
        account: AccountID?, channel: Channel, prefix: String, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Bool {
        try await transaction.execute(
            """
            DELETE FROM prices WHERE account_id IS NOT DISTINCT FROM \(account?.rawValue)
                AND channel = \(channel.rawValue) AND prefix = \(prefix)
            """
        ) > 0
    }

    // MARK: - Private

    /// Nothing, of an account that pays afterwards.
    private static func lockedBalance(
        of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Money {
        try await transaction.query("SELECT balance FROM balances WHERE account_id = \(account.rawValue) FOR UPDATE") {
            row throws(PostgresError) in Money(rawValue: try row.decode(0))
        }.first ?? .zero
    }

    private static func topUp(
        named name: String, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> Money? {
        try await transaction.query(
            "SELECT amount FROM top_ups WHERE account_id = \(account.rawValue) AND name = \(name)"
        ) { row throws(PostgresError) in Money(rawValue: try row.decode(0)) }.first
    }
}
