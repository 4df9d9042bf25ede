import Messaging
import Postgres
import Store
import Synchronization

/// Whose numbers want no messages of an account.
///
/// An account without any costs nothing: processes know which have some, within seconds as with all configuration, and in the
/// process that was told at once.
final class OptOuts: Sendable {
    private let store: Store
    private let access: DirectoryWatch<Access>
    /// Accounts that this process was told of, which its view may not know yet.
    private let noted = Mutex<Set<AccountID>>([])

    init(store: Store, access: DirectoryWatch<Access>) {
        self.store = store
        self.access = access
    }

    /// Whether an account has any, so that it is worth a look.
    func concern(_ account: AccountID) -> Bool {
        self.access.current.accountsWithOptOuts.contains(account) || self.noted.withLock { $0.contains(account) }
    }

    /// Which of `recipients` an account must not send to.
    func among(_ recipients: [Recipient], of account: AccountID) async throws(PostgresError) -> Set<Recipient> {
        let found = try await self.store.optedOut(among: recipients.map(\.key), of: account)
        return Set(recipients.filter { found.contains($0.key) })
    }

    /// True when it was not so before.
    func add(_ recipient: Recipient, of account: AccountID) async throws(PostgresError) -> Bool {
        self.noted.withLock { _ = $0.insert(account) }
        return try await self.store.putOptOut(recipient.key, of: account)
    }
}
