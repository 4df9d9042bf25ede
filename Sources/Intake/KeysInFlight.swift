import Messaging
import Synchronization

/// The idempotency keys of requests that this process is handling now.
final class KeysInFlight: Sendable {
    private struct Place: Hashable {
        var account: AccountID
        var key: String
    }

    private let places = Mutex<Set<Place>>([])

    func begin(_ account: AccountID, _ key: String) -> Bool {
        self.places.withLock { $0.insert(Place(account: account, key: key)).inserted }
    }

    func end(_ account: AccountID, _ key: String) {
        _ = self.places.withLock { $0.remove(Place(account: account, key: key)) }
    }
}
