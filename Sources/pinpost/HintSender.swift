import Lifecycle
import Messaging
import Store
import Synchronization
import Telemetry

/// Tells workers what is ready, at most twenty times a second, apart from the commits: a NOTIFY inside the
/// accepting transaction would serialise all of them.
struct HintSender: Sendable {
    static let interval = Duration.milliseconds(50)

    let store: Store
    /// Of one there is no need to name it.
    let laneCount: Int
    let logger: Logger
    private let signal = Signal()
    private let ready = Ready()
    private let isDraining = Flag()

    func run() async {
        while !Task.isCancelled {
            await self.signal.wait()
            if Task.isCancelled { return }
            let ready = self.ready.take()
            // A ring that came between two commits may find them told of already.
            if !ready.isEmpty { await self.tell(ready) }
            // Not before: what was committed last is told, too.
            if self.isDraining.isSet { return }
            if !ready.isEmpty { try? await Task.sleep(for: Self.interval) }
        }
    }

    /// Something was committed that waits for a worker.
    func send(_ ready: ReadyLanes) {
        guard !ready.isEmpty else { return }
        self.ready.add(ready)
        self.signal.ring()
    }

    func drain() {
        self.isDraining.set()
        self.signal.ring()
    }

    private func tell(_ ready: ReadyLanes) async {
        do {
            try await self.store.hint(of: ready, namingLanes: self.laneCount > 1)
        } catch {
            // Workers look by themselves, too.
            self.logger.debug("could not send a hint", ["error": "\(error)"])
        }
    }

    /// What nobody has been told of yet.
    private final class Ready: Sendable {
        private let lanes = Mutex(ReadyLanes())

        func add(_ ready: ReadyLanes) { self.lanes.withLock { $0.formUnion(ready) } }

        func take() -> ReadyLanes {
            self.lanes.withLock { lanes in
                defer { lanes = ReadyLanes() }
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
