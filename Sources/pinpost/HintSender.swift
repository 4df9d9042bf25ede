import Lifecycle
import Messaging
import Store
import Synchronization
import Telemetry

/// Tells workers that something is ready, at most twenty times a second, apart from the commits: a NOTIFY inside the
/// accepting transaction would serialise all of them.
struct HintSender: Sendable {
    static let interval = Duration.milliseconds(50)

    let store: Store
    /// Of one there is no need to name it.
    let laneCount: Int
    let logger: Logger
    /// Rung after each commit.
    let signal = Signal()
    private let accepted = Accepted()
    private let isDraining = Flag()

    func run() async {
        while !Task.isCancelled {
            await self.signal.wait()
            if Task.isCancelled || self.isDraining.isSet { return }
            let lanes = self.accepted.take()
            // A ring that came between two commits may find them told of already.
            if lanes.isEmpty { continue }
            do {
                try await self.store.hint(self.laneCount == 1 ? nil : lanes)
            } catch {
                // Workers look by themselves, too.
                self.logger.debug("could not send a hint", ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Something was stored in a lane.
    func send(_ lane: Lane) {
        self.accepted.add(lane)
        self.signal.ring()
    }

    func drain() {
        self.isDraining.set()
        self.signal.ring()
    }

    /// The lanes of which nobody has been told yet.
    private final class Accepted: Sendable {
        private let lanes = Mutex<Set<Lane>>([])

        func add(_ lane: Lane) { _ = self.lanes.withLock { $0.insert(lane) } }

        func take() -> Set<Lane> {
            self.lanes.withLock { lanes in
                defer { lanes = [] }
                return lanes
            }
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { self.value.load(ordering: .acquiring) }
        func set() { self.value.store(true, ordering: .releasing) }
    }
}
