public import Channels
public import Crypto
public import HTTP
public import Messaging
import ReceiptKeeping
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
    private let sources: DirectoryWatch<[String: ReceiptSource]>
    private let keeper: ReceiptKeeper
    private let scripts: Scripts
    private let metrics: ReceiptMetrics
    private let logger: Logger

    /// `onReady`: told what receipts have made ready for workers; `onProgress`, `onFailure`: told after each commit, and each that
    /// failed.
    public init(
        store: Store, masterKeys: MasterKeys, lanes: [Lane],
        sources: DirectoryWatch<[String: ReceiptSource]>,
        metrics: Metrics, logger: Logger, onReady: @escaping @Sendable (ReadyLanes) -> Void = { _ in },
        onProgress: @escaping @Sendable () -> Void,
        onFailure: @escaping @Sendable () -> Void = {}
    ) {
        let metrics = ReceiptMetrics(metrics)
        self.sources = sources
        self.metrics = metrics
        self.logger = logger
        self.scripts = Scripts(store: store, masterKeys: masterKeys, logger: logger)
        self.keeper = ReceiptKeeper(
            store: store, lanes: lanes, metrics: metrics, logger: logger, onReady: onReady, onProgress: onProgress,
            onFailure: onFailure)
    }

    /// Hosts the commits and the joining of kept receipts until drained.
    public func run() async { await self.keeper.run() }

    public func drain() { self.keeper.drain() }

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
            return await self.refuse(error, request, of: source)
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
            try await self.keeper.keep(receipts, of: source.provider)
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

    /// What is authentic and cannot be read is taken all the same, or the provider would send it for days
    /// (providers.md section 8 rule 6). It is kept as a receipt of no message that says why, and counted.
    private func refuse(
        _ refusal: ReceiptRefusal, _ request: HTTPRequest, of source: ReceiptSource
    ) async -> HTTPResponse {
        switch refusal {
        case .unauthenticated:
            self.metrics.refused("unauthenticated").add(1)
            var response = Self.refusal(403, "not authenticated")
            response.status = source.driver.status(of: refusal, of: request)
            return response
        case .malformed(let reason):
            self.metrics.refused("malformed").add(1)
            self.logger.warning("a callback cannot be read", ["reason": reason])
            return await self.store([Self.unreadable(reason)], of: source)
        }
    }

    private static func unreadable(_ reason: String) -> Receipt {
        Receipt(
            message: nil, part: "", coversMessage: false, verdict: Verdict(.unknown, .none, .wait, .unknown),
            status: "malformed", code: reason, occurredAt: nil)
    }

    private static func refusal(_ status: Int, _ reason: String) -> HTTPResponse {
        HTTPResponse(
            status: status, fields: ["Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"],
            body: Array("\(reason)\n".utf8))
    }
}
