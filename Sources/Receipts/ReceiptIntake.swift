import Batching
public import Channels
public import Crypto
public import HTTP
import Lifecycle
public import Messaging
import Postgres
public import Store
public import Telemetry
import Timestamps

/// Where receipts of one provider come in.
public struct ReceiptSource: Sendable {
    var provider: ProviderID
    var driver: any Driver

    public init(provider: ProviderID, driver: any Driver) {
        self.provider = provider
        self.driver = driver
    }
}

/// The receiver: turns a provider's callback into stored receipts and their messages' new states.
///
/// A provider is told 2xx after COMMIT and never before; what it sends twice, late, early or in another order does no
/// harm. A receipt whose message is not known yet is kept and joined when it is.
public final class ReceiptIntake: Sendable {
    /// Receipts in one statement. A single request may bring more by itself.
    static let batchLimit = 500
    /// Receipts that may wait for a commit; beyond that the answer is 503, and providers come again.
    static let queueLimit = 50_000
    static let writers = 2
    /// How long a statement waits for more while another is under way.
    static let gather = Duration.milliseconds(5)
    /// Tries of one batch before the provider has to come again.
    static let tryLimit = 3

    private let sources: DirectoryWatch<[String: ReceiptSource]>
    private let batcher: Batcher<IncomingReceipt, Void>
    private let joiner: Joiner
    private let scripts: Scripts
    private let metrics: ReceiptMetrics
    private let logger: Logger

    /// `onProgress`, `onFailure`: told after each commit, and each that failed.
    public init(
        store: Store, masterKeys: MasterKeys, lanes: [Lane] = [Lane(rawValue: 0)],
        sources: DirectoryWatch<[String: ReceiptSource]>,
        metrics: Metrics, logger: Logger, onProgress: @escaping @Sendable () -> Void,
        onFailure: @escaping @Sendable () -> Void = {}
    ) {
        let receiptMetrics = ReceiptMetrics(metrics)
        let joiner = Joiner(store: store, lanes: lanes, metrics: receiptMetrics, logger: logger)
        self.sources = sources
        self.metrics = receiptMetrics
        self.logger = logger
        self.joiner = joiner
        self.scripts = Scripts(store: store, masterKeys: masterKeys, logger: logger)
        self.batcher = Batcher(
            name: "receipts", batchLimit: Self.batchLimit, queueLimit: Self.queueLimit, writers: Self.writers,
            gather: Self.gather
        ) { receipts in
            let counts: ReceiptCounts
            do {
                counts = try await Self.apply(receipts, store: store, logger: logger)
            } catch {
                onFailure()
                throw error
            }
            receiptMetrics.count(counts)
            if counts.unmatched > 0 { joiner.signal.ring() }
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

    /// Answers one callback: `/receipts/PROVIDER`, and whatever the provider's driver wants to find behind it.
    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        guard let source = self.source(of: request.path) else { return Self.refusal(404, "no such provider") }
        guard ["GET", "POST"].contains(request.method) else {
            var response = Self.refusal(405, "use GET or POST")
            response.fields["Allow"] = "GET, POST"
            return response
        }
        do throws(ReceiptRefusal) {
            switch try source.driver.callback(request, now: .now) {
            case .receipts(let receipts): return await self.store(receipts, of: source)
            case .script(let reference): return await self.script(of: reference, from: source)
            case .answer(let response): return response
            }
        } catch {
            var response = self.refuse(error)
            response.status = source.driver.status(of: error, of: request)
            return response
        }
    }

    // MARK: - Private

    private func source(of path: String) -> ReceiptSource? {
        let pieces = path.split(separator: "/", maxSplits: 2)
        guard pieces.count >= 2, pieces[0] == "receipts", let name = PercentEncoding.decode(String(pieces[1])) else {
            return nil
        }
        return self.sources.current[name]
    }

    /// What the call that asks is to say.
    private func script(of reference: MessageReference, from source: ReceiptSource) async -> HTTPResponse {
        guard let writer = source.driver as? any ScriptWriter else { return Self.refusal(404, "nothing to say") }
        do {
            return writer.script(try await self.scripts.speech(of: reference.id, through: source.provider))
        } catch {
            return self.unavailable("could not say what a call is to say", error)
        }
    }

    private func store(_ receipts: [Receipt], of source: ReceiptSource) async -> HTTPResponse {
        do {
            let incoming = receipts.map { IncomingReceipt(provider: source.provider, receipt: $0) }
            _ = try await self.batcher.submit(contentsOf: incoming)
            return source.driver.receiptAnswer()
        } catch {
            return self.unavailable("could not store receipts; the provider was asked to come again", error)
        }
    }

    private func unavailable(_ event: StaticString, _ error: any Error) -> HTTPResponse {
        self.metrics.refused("unavailable").add(1)
        self.logger.warning(event, ["error": "\(error)"])
        var response = Self.refusal(503, "come again")
        response.fields["Retry-After"] = "1"
        return response
    }

    /// Applies a batch, and again when it stood in another statement's way: applying twice changes nothing.
    private static func apply(
        _ receipts: [IncomingReceipt], store: Store, logger: Logger
    ) async throws -> ReceiptCounts {
        for attempt in 1... {
            do throws(PostgresError) {
                return try await store.apply(receipts)
            } catch {
                guard case .server(let state, _, _) = error, state.category == "40", attempt < Self.tryLimit else {
                    throw error
                }
                logger.debug("applying receipts again", ["error": "\(error)"])
            }
        }
        preconditionFailure("the loop ends by return or throw")
    }

    private func refuse(_ refusal: ReceiptRefusal) -> HTTPResponse {
        switch refusal {
        case .unauthenticated:
            self.metrics.refused("unauthenticated").add(1)
            return Self.refusal(403, "not authenticated")
        case .malformed(let reason):
            self.metrics.refused("malformed").add(1)
            return Self.refusal(400, reason)
        }
    }

    private static func refusal(_ status: Int, _ reason: String) -> HTTPResponse {
        HTTPResponse(
            status: status, fields: ["Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"],
            body: Array("\(reason)\n".utf8))
    }
}
