import Lifecycle
import Store
import Synchronization
import Telemetry

/// Tells workers that something is ready, at most twenty times a second, apart from the commits: a NOTIFY inside the
/// accepting transaction would serialise all of them.
struct HintSender: Sendable {
    static let interval = Duration.milliseconds(50)

    let store: Store
    let logger: Logger
    /// Rung after each commit.
    let signal = Signal()
    private let isDraining = Flag()

    func run() async {
        while !Task.isCancelled {
            await self.signal.wait()
            if Task.isCancelled || self.isDraining.isSet { return }
            do {
                try await self.store.hint()
            } catch {
                // Workers poll; a lost hint costs a second.
                self.logger.debug("could not send a hint", ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    func drain() {
        self.isDraining.set()
        self.signal.ring()
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { self.value.load(ordering: .acquiring) }
        func set() { self.value.store(true, ordering: .releasing) }
    }
}
