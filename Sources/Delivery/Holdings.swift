import Messaging
import Store
import Synchronization

/// What this process holds: claimed, and neither written back nor given back.
///
/// The database knows it too, and the two can differ when an answer of the database is lost: a claim whose answer never
/// came was made all the same, and a settlement that was given up left its message claimed. As long as this process
/// lives nobody else would take such messages over, so it gives up itself what it does not know to hold; see
/// ``Store/disown(lane:worker:holding:)``.
final class Holdings: Sendable {
    private struct State {
        var messages: Set<MessageID> = []
        /// Until when an answer that was lost may still show its effect.
        var doubtfulUntil: ContinuousClock.Instant?
    }

    /// A statement whose answer was lost has ended on the server after so long, one way or the other.
    static let doubt = Duration.seconds(20)

    private let state = Mutex(State())

    func insert(_ claims: [Claim]) {
        self.state.withLock { $0.messages.formUnion(claims.lazy.map(\.id)) }
    }

    func remove(_ held: [HeldClaim]) {
        self.state.withLock { $0.messages.subtract(held.lazy.map(\.claim.id)) }
    }

    /// An answer of the database was lost: what is held there is not known for a while.
    func doubt() { self.state.withLock { $0.doubtfulUntil = .now + Self.doubt } }

    /// What is held, when the database may think otherwise. Nil when the two agree.
    var inDoubt: [MessageID]? {
        self.state.withLock { state in
            guard let until = state.doubtfulUntil else { return nil }
            if until < .now { state.doubtfulUntil = nil }
            return Array(state.messages)
        }
    }
}
