import Batching
import Lifecycle
public import Messaging
import Postgres
public import Store
public import Telemetry

/// Stores receipts, many in one statement, however they came in: by callbacks or over sessions.
///
/// What it has taken is committed when ``keep(_:)`` returns. What is sent twice, late, early or in another order does no
/// harm. A receipt whose message is not known yet is kept and joined when it is.
public final class ReceiptKeeper: Sendable {
    /// Receipts in one statement. A single call may bring more by itself.
    static let batchLimit = 500
    /// Receipts that may wait for a commit; beyond that providers have to come again.
    static let queueLimit = 50_000
    static let writers = 2
    /// Providers wait for seconds at least; a busy database gets fewer and larger statements.
    static let pace = BatchPace(least: .milliseconds(5), most: .milliseconds(40))
    /// Tries of one batch before the provider has to come again.
    static let tryLimit = 3

    private let batcher: Batcher<IncomingReceipt, Void>
    private let joiner: Joiner

    /// `onReady`: told what receipts have made ready for workers; `onProgress`, `onFailure`: told after each commit, and each that
    /// failed.
    public init(
        store: Store, lanes: [Lane], metrics: ReceiptMetrics, logger: Logger,
        onReady: @escaping @Sendable (ReadyLanes) -> Void = { _ in },
        onProgress: @escaping @Sendable () -> Void = {}, onFailure: @escaping @Sendable () -> Void = {}
    ) {
        let joiner = Joiner(store: store, lanes: lanes, metrics: metrics, logger: logger, onReady: onReady)
        self.joiner = joiner
        self.batcher = Batcher(
            name: "receipts", batchLimit: Self.batchLimit, queueLimit: Self.queueLimit, writers: Self.writers,
            pace: Self.pace
        ) { receipts in
            let counts: ReceiptCounts
            do {
                counts = try await Self.apply(receipts, lanes: lanes, store: store, logger: logger)
            } catch {
                onFailure()
                throw error
            }
            metrics.count(counts)
            if counts.unmatched > 0 { joiner.signal.ring() }
            onReady(counts.ready)
            onProgress()
            return [Void](repeating: (), count: receipts.count)
        }
    }

    /// Hosts the commits and the joining of kept receipts until drained.
    public func run() async {
        await withTaskGroup { group in
            group.addTask { await self.joiner.run() }
            await self.batcher.run()
            group.cancelAll()
        }
    }

    public func drain() { self.batcher.drain() }

    /// Returns when all of them are committed. When it throws, some of them may be.
    public func keep(_ receipts: [Receipt], of provider: ProviderID) async throws {
        _ = try await self.batcher.submit(
            contentsOf: receipts.map { IncomingReceipt(provider: provider, receipt: $0) })
    }

    // MARK: - Private

    /// Applies a batch, and again when it stood in another statement's way: applying twice changes nothing.
    private static func apply(
        _ receipts: [IncomingReceipt], lanes: [Lane], store: Store, logger: Logger
    ) async throws -> ReceiptCounts {
        for attempt in 1... {
            do throws(PostgresError) {
                return try await store.apply(receipts, lanes: lanes)
            } catch {
                guard case .server(let state, _, _) = error, state.category == "40", attempt < Self.tryLimit else {
                    throw error
                }
                logger.debug("applying receipts again", ["error": "\(error)"])
            }
        }
        preconditionFailure("the loop ends by return or throw")
    }
}
