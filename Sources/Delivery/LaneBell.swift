import Lifecycle
public import Messaging
import Synchronization

/// A doorbell that says in which lanes there is something. As with ``Signal``, one waits and several rings count as one.
public final class LaneBell: Sendable {
    /// For whoever has nothing new to tell, such as that there is room again: the lanes that were asked for before are still
    /// to be looked at.
    let signal = Signal()
    private let rung = Mutex(Rung.lanes([]))

    enum Rung: Sendable, Equatable {
        case all
        case lanes(Set<Lane>)
    }

    public init() {}

    /// Nil: in any of them.
    public func ring(_ lanes: Set<Lane>? = nil) {
        self.rung.withLock { rung in
            if let lanes, case .lanes(let others) = rung { rung = .lanes(others.union(lanes)) } else { rung = .all }
        }
        self.signal.ring()
    }

    public func ring(_ lane: Lane) { self.ring([lane]) }

    /// What it was rung for since this was asked last.
    func take() -> Rung {
        self.rung.withLock { rung in
            defer { rung = .lanes([]) }
            return rung
        }
    }

    /// As ``Signal/wait(upTo:)``.
    func wait(upTo timeout: Duration) async { await self.signal.wait(upTo: timeout) }
}
