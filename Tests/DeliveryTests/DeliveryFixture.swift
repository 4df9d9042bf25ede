import Channels
import Configuration
import Crypto
import Egress
import JSON
import Messaging
import Postgres
import Routing
import Store
import Telemetry
import TestDatabase
import TestSystem
import Testing
import Timestamps
import WebClient

@testable import Delivery

/// A worker on a database of its own, and its scripted providers.
struct DeliveryFixture: Sendable {
    let system: TestSystem
    let metrics = Metrics()
    let account: AccountID
    let providers: [String: ProviderID]

    /// A provider of the configuration.
    struct Outlet {
        var name = "vonage"
        var port: UInt16
        var inFlight: Int64 = 10
        var perSecond: Int64 = 10_000
        var timeout: Int64 = 10
        var slowAfter: Int64 = 1200
        var settings: [String: String] = [:]

        var json: JSON {
            if self.name.hasPrefix("smpp") { return self.smpp }
            let isVonage = self.name.hasPrefix("vonage")
            let credentials: JSON =
                isVonage
                ? ["api_key": "abcd1234", "api_secret": "s3cret", "receipt_token": "receipts-0123456789"]
                : ["api_key": "key-1", "receipt_token": "receipts-0123456789"]
            return [
                "name": .string(self.name), "kind": isVonage ? "vonage-sms" : "infobip-sms",
                "url": .string("http://127.0.0.1:\(self.port)"), "credentials": credentials,
                "in_flight": .integer(self.inFlight), "per_second": .integer(self.perSecond),
                "timeout": .integer(self.timeout), "slow_after_ms": .integer(self.slowAfter),
            ]
        }

        private var smpp: JSON {
            [
                "name": .string(self.name), "kind": "smpp", "url": .string("smpp://127.0.0.1:\(self.port)"),
                "credentials": ["system_id": "pinpost", "password": "s3cret"], "timeout": .integer(self.timeout),
                "in_flight": .integer(self.inFlight), "per_second": .integer(self.perSecond),
                "settings": .object(self.settings.map { .init($0.key, .string($0.value)) }),
            ]
        }
    }

    static func run(_ outlets: [Outlet], _ body: (DeliveryFixture) async throws -> Void) async throws {
        try await TestSystem.run(limit: 8) { system async throws in
            try await system.apply([
                "accounts": [["name": "acme"]], "providers": .array(outlets.map(\.json)),
            ])
            try await body(try await DeliveryFixture(system))
        }
    }

    /// With one provider that speaks as Vonage does, or as the outlet's name says.
    static func run(
        _ outlet: Outlet = Outlet(port: 0), _ body: (DeliveryFixture, ScriptedProvider) async throws -> Void
    ) async throws {
        try await withProvider { provider, port in
            var outlet = outlet
            outlet.port = port
            try await Self.run([outlet]) { fixture async throws in try await body(fixture, provider) }
        }
    }

    private init(_ system: TestSystem) async throws {
        self.system = system
        self.account = AccountID(rawValue: Int32(try await system.count("SELECT id::bigint FROM accounts")))
        let rows = try await system.pool.query("SELECT name, id FROM providers") { row throws(PostgresError) in
            (try row.decode(0, as: String.self), ProviderID(rawValue: try row.decode(1)))
        }
        self.providers = Dictionary(uniqueKeysWithValues: rows)
    }

    /// Two providers, `vonage` and `infobip`, and a route of the first with the second behind it.
    static func runWithTwo(
        slowAfter: Int64 = 1200, timeout: Int64 = 10, perSecond: Int64 = 10_000, silenceLimit: Duration? = nil,
        _ body: (DeliveryFixture, _ first: ScriptedProvider, _ second: ScriptedProvider) async throws -> Void
    ) async throws {
        try await withProvider { first, firstPort in
            try await withProvider { second, secondPort in
                let outlets = [
                    Outlet(
                        name: "vonage", port: firstPort, perSecond: perSecond, timeout: timeout, slowAfter: slowAfter),
                    Outlet(name: "infobip", port: secondPort, timeout: timeout, slowAfter: slowAfter),
                ]
                try await Self.run(outlets) { fixture async throws in
                    try await fixture.route(["vonage", "infobip"], silenceLimit: silenceLimit)
                    try await body(fixture, first, second)
                }
            }
        }
    }

    func route(_ names: [String], silenceLimit: Duration? = nil) async throws {
        let targets = try names.map { RouteTarget(provider: try #require(self.providers[$0]), channel: .sms) }
        let route = Route(
            id: RouteID(rawValue: 0), channel: .sms, silenceLimit: silenceLimit, targets: targets)
        #expect(try await self.system.store.configure { try await Store.putRoute(route, in: $0) })
    }

    // MARK: - Messages

    @discardableResult
    func accept(
        _ count: Int = 1, priority: Priority = .otp, provider: String? = nil, timeToLive: Duration = .seconds(600),
        recipient: String = "+41790000077", content: Content = .text(TextContent("Your code is 918273")),
        callback: Callback? = nil
    ) async throws -> [MessageID] {
        let provider = try #require(self.providers[provider ?? self.providers.keys.first ?? ""])
        var generator = SystemRandomNumberGenerator()
        let messages = (0..<count).map { _ in
            let id = MessageID(
                lane: Lane(rawValue: 0), milliseconds: Timestamp.now.milliseconds, using: &generator)
            return NewMessage(
                id: id, provider: provider, channel: content.channel, priority: priority, recipient: recipient,
                sender: "Pinpost",
                body: TestSystem.masterKeys.seal(
                    content.encoded, for: id.sealingContext(account: self.account)),
                parts: 1, reference: nil, metadata: nil, sendAt: nil, timeToLive: timeToLive,
                callback: callback)
        }
        let request = Acceptance(account: self.account, messages: messages, idempotency: nil)
        #expect(try await self.system.store.accept([request]) == [.accepted(balance: nil)])
        return messages.map(\.id)
    }

    func wait(for state: MessageState, count: Int = 1) async throws {
        try await self.system.wait(
            for: "SELECT count(*) FROM messages WHERE state = \(state.rawValue)", is: count)
    }

    /// Waits until nothing is to be sent, now or later.
    func waitUntilIdle() async throws {
        try await self.system.wait(
            for: "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM scheduled)", is: 0)
    }

    /// What the timeline tells of a message's attempts.
    func attempts(of id: MessageID) async throws -> [StoredAttempt] {
        try #require(try await self.system.store.timeline(of: id, account: self.account)).attempts
    }

    func state(of id: MessageID) async throws -> MessageState? {
        try await self.system.store.timeline(of: id, account: self.account)?.message.state
    }

    /// Has a provider report of a message as a whole.
    @discardableResult
    func report(
        _ id: MessageID, series: Int16, by provider: String, _ state: Verdict.ProviderState, _ action: Verdict.Action
    ) async throws -> ReceiptCounts {
        let receipt = Receipt(
            message: MessageReference(id: id, series: series), part: "", coversMessage: true,
            verdict: Verdict(state, .transientProvider, action, .carrierError), status: state.rawValue,
            code: "\(series)",
            occurredAt: nil)
        let provider = try #require(self.providers[provider])
        return try await self.system.store.apply([IncomingReceipt(provider: provider, receipt: receipt)])
    }

    // MARK: - Worker

    /// Retries that a test can wait for.
    static var hasty: RetryPolicy {
        var policy = RetryPolicy()
        policy.backoff = .init(base: .milliseconds(20), cap: .milliseconds(50))
        policy.codeBackoff = .init(base: .milliseconds(20), cap: .milliseconds(50))
        policy.unansweredGrace = .milliseconds(300)
        policy.haltDelay = .milliseconds(20)
        return policy
    }

    /// Runs a worker for the time of `body`, then drains it and waits for its end. Customers' endpoints may be in the network
    /// `callable` and nowhere else that is not public.
    func work(
        policy: RetryPolicy = Self.hasty, lease: Duration = .seconds(15), callable: String = "127.0.0.0/8",
        reconciliation: Worker.Configuration.Reconciliation = .init(),
        wrap: @escaping @Sendable (any Driver) -> any Driver = { $0 },
        _ body: (Worker) async throws -> Void
    ) async throws {
        var callbacks = WebClient.Configuration()
        callbacks.egress = EgressPolicy(allowed: [try #require(Network(callable))])
        let (client, callbackClient) = (WebClient(), WebClient(callbacks))
        client.start()
        callbackClient.start()
        var configuration = Worker.Configuration(name: "test", lanes: [Lane(rawValue: 0)])
        configuration.policy = policy
        configuration.lease = lease
        configuration.reconciliation = reconciliation
        let worker = try await Worker(
            configuration, store: self.system.store, masterKeys: TestSystem.masterKeys, poller: TestDatabase.poller,
            client: client, callbackClient: callbackClient, metrics: self.metrics, logger: .silent
        ) { provider in
            wrap(try ProviderSecrets.driver(for: provider, masterKeys: TestSystem.masterKeys, receiptBaseURL: nil))
        }
        try await withThrowingTaskGroup { group in
            group.addTask { try await worker.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body(worker)) } catch { result = .failure(error) }
            worker.drain()
            try await group.waitForAll()
            try result.get()
        }
        await client.stop()
        await callbackClient.stop()
    }
}
