import Synchronization

/// Keeps what a process needs of the ``Directory`` in memory, and up to date within seconds.
///
/// `View` is what the process makes of it, once for each revision: an index of keys, a driver for each provider. Readers
/// never wait and never touch the database; while the database is away they go on with what they know.
public final class DirectoryWatch<View: Sendable>: Sendable {
    private let store: Store
    private let interval: Duration
    private let make: @Sendable (Directory) -> View
    private let state: Mutex<State>

    private struct State {
        var revision: Int64
        var laneCount: Int
        var view: View
        /// The revision that another statement came by, and when.
        var heard: Int64?
        var heardAt = ContinuousClock.now
    }

    /// After so long without hearing of a revision, it is asked for.
    private let silenceLimit = Duration.seconds(10)

    /// Reads the directory once; throws when that fails. `interval` bounds how long a change goes unnoticed.
    public init(
        _ store: Store, interval: Duration = .seconds(2), make: @escaping @Sendable (Directory) -> View
    ) async throws {
        let directory = try await store.directory()
        self.store = store
        self.interval = interval
        self.make = make
        self.state = Mutex(
            State(
                revision: directory.revision, laneCount: directory.laneCount, view: make(directory)))
    }

    public var current: View { self.state.withLock { $0.view } }

    /// How many lanes there are, as of the latest reading.
    public var laneCount: Int { self.state.withLock { $0.laneCount } }

    /// Takes note of a revision that another statement came by.
    public func hear(of revision: Int64) {
        self.state.withLock { state in
            state.heard = revision
            state.heardAt = .now
        }
    }

    /// What was heard of is not what is known, or nothing was heard for long: it is time to ``refresh()``.
    public var isOutdated: Bool {
        self.state.withLock { state in
            if let heard = state.heard, heard != state.revision { return true }
            return .now - state.heardAt > self.silenceLimit
        }
    }

    /// Looks for changes until the task is cancelled. `onLook` is told each look, `onFailure` each that failed.
    public func run(
        onLook: @Sendable () -> Void = {}, onFailure: @Sendable (any Error) -> Void
    ) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: self.interval)
                try await self.refresh()
                onLook()
            } catch is CancellationError {
                return
            } catch {
                onFailure(error)
            }
        }
    }

    /// Reads the directory again if it changed; true when it did.
    @discardableResult
    public func refresh() async throws -> Bool {
        let known = self.state.withLock { $0.revision }
        let revision = try await self.store.configurationRevision()
        // What was heard may have been asked for before the last reading.
        self.hear(of: revision)
        guard revision != known else { return false }
        let directory = try await self.store.directory()
        let view = self.make(directory)
        self.state.withLock { $0 = State(revision: directory.revision, laneCount: directory.laneCount, view: view) }
        return true
    }
}
