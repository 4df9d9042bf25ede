import Messaging
import Postgres
import Store
import Synchronization

/// The endpoints of callbacks by their origins, as they were found or made: an origin's endpoint stays the same, so nothing
/// here grows old.
final class CallbackOrigins: Sendable {
    /// Endpoints kept; when there are more, all are forgotten and asked for again as they are used.
    static let limit = 10_000

    private struct Place: Hashable {
        var account: AccountID
        var origin: String
    }

    private let store: Store
    private let endpoints = Mutex<[Place: EndpointID]>([:])

    init(store: Store) { self.store = store }

    /// Nil when the account has as many others as it may.
    func endpoint(at origin: String, of account: AccountID) async throws(PostgresError) -> EndpointID? {
        let place = Place(account: account, origin: origin)
        if let endpoint = self.endpoints.withLock({ $0[place] }) { return endpoint }
        let found = try await self.store.callbackEndpoint(at: origin, of: account, publicID: PublicID.make())
        guard let found else { return nil }
        self.endpoints.withLock { endpoints in
            if endpoints.count >= Self.limit { endpoints.removeAll() }
            endpoints[place] = found
        }
        return found
    }
}
