public import Routing
import Synchronization

/// Keeps the ``Conditions`` of providers in memory, and up to date within a second or so.
///
/// Readers never wait and never touch the database; while the database is away they go on with what they know, in which breakers
/// come to the end of their time by themselves. Before the first reading all providers are well.
public final class ConditionsWatch: Sendable {
    private let store: Store
    private let interval: Duration
    private let state = Mutex(Conditions())
    private let onRevision: @Sendable (Int64) -> Void

    /// `interval` bounds how long a change goes unnoticed. `onRevision` is told the configuration's revision at each reading.
    public init(
        _ store: Store, interval: Duration = .seconds(1), onRevision: @escaping @Sendable (Int64) -> Void = { _ in }
    ) {
        self.store = store
        self.interval = interval
        self.onRevision = onRevision
    }

    public var current: Conditions { self.state.withLock { $0 } }

    /// Reads until the task is cancelled, at once and then in intervals. `onFailure` is told each reading that failed.
    public func run(onFailure: @Sendable (any Error) -> Void) async {
        while !Task.isCancelled {
            do {
                try await self.refresh()
                try await Task.sleep(for: self.interval)
            } catch is CancellationError {
                return
            } catch {
                if Task.isCancelled { return }
                onFailure(error)
                try? await Task.sleep(for: self.interval)
            }
        }
    }

    public func refresh() async throws {
        let (conditions, revision) = try await self.store.conditionsAndRevision()
        self.state.withLock { $0 = conditions }
        self.onRevision(revision)
    }
}
