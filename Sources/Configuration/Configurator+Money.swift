import JSON
import Messaging
import Postgres
import Store

// What things cost, and what was paid for them.
extension Configurator {
    func apply(
        _ price: ConfigurationFile.ListedPrice, at path: String, in transaction: borrowing Transaction,
        _ progress: inout Progress
    ) async throws {
        var account: AccountID?
        if let name = price.account {
            account = try await Store.account(named: name, in: transaction)
            if account == nil { return progress.fail("\(path)/account", "there is no such account") }
        }
        if try await Self.set(price, account: account, in: transaction) {
            let place = [price.account, price.channel.rawValue, price.prefix.isEmpty ? nil : price.prefix]
            let words = place.compactMap { $0 }.joined(separator: " ")
            progress.changed("price \(words): \(price.isRemoved ? "removed" : "set")")
        }
    }

    /// What is paid in, or taken out. Whoever sends waits for it until the file is applied, so it comes last, and in the order in
    /// which batches of messages lock balances.
    func apply(
        _ topUps: [Progress.TopUp], in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws {
        for topUp in topUps.sorted(by: { $0.owner.id.rawValue < $1.owner.id.rawValue }) {
            let result = try await Store.topUp(
                topUp.owner.id, by: topUp.amount, name: topUp.id, in: transaction)
            switch result {
            case .made: progress.changed("account \(topUp.owner.name), top-up \(topUp.id): made")
            case .repeated: break
            case .nameTaken: progress.fail("\(topUp.path)/amount", "is not what was paid in under this id")
            case .outOfRange:
                progress.fail("\(topUp.path)/amount", "would leave less than nothing, or more than an account may have")
            }
        }
    }

    // MARK: - Private

    private static func set(
        _ price: ConfigurationFile.ListedPrice, account: AccountID?, in transaction: borrowing Transaction
    ) async throws -> Bool {
        guard !price.isRemoved, let amount = price.price else {
            return try await Store.removePrice(
                account: account, channel: price.channel, prefix: price.prefix, in: transaction)
        }
        let stored = StoredPrice(account: account, channel: price.channel, prefix: price.prefix, price: amount)
        return try await Store.putPrice(stored, in: transaction)
    }
}
