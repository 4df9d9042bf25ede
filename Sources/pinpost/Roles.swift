import Carrier
import Channels
import Configuration
import Crypto
import Delivery
import HTTP
import Intake
import Lifecycle
import Messaging
import PhoneNumbers
import Polling
import Postgres
import Receipts
import Settings
import Store
import Telemetry
import WebClient
import WebServer

/// A role's services in the order of their start, and what tells whether it is ready.
struct Role {
    var services: [any Service]
    var health: [(name: String, health: Health)] = []
}

// MARK: - API

extension Role {
    /// Takes requests in. `onAccepted` is told the lane of each commit, beside the hint that goes through the database.
    static func api(
        _ base: ProcessBase, stores: APIStores, masterKeys: MasterKeys, listen: Address,
        onAccepted: @escaping @Sendable (Lane) -> Void = { _ in },
        onListening: @escaping @Sendable (UInt16) -> Void = { _ in }
    ) async throws -> Role {
        let health = Health()
        let lanes = try await stores.watch.lanes()
        let hints = HintSender(store: stores.watch, laneCount: lanes.count, logger: base.logger)
        let conditions = ConditionsWatch(stores.watch)
        let regions = RegionCache(limit: Self.regionLimit)
        let access = try await DirectoryWatch(stores.watch) { [logger = base.logger] in
            Access(
                $0, masterKeys: masterKeys, logger: logger, region: { regions.region(of: $0.e164) },
                conditions: { conditions.current })
        }
        let sources = try await DirectoryWatch(stores.watch) { [logger = base.logger] in
            Self.lookUpSource($0, masterKeys: masterKeys, logger: logger)
        }
        let intake = Intake(
            store: stores.reads, acceptStore: stores.accepts, lanes: lanes, access: access, masterKeys: masterKeys,
            egress: base.settings.egress, lookUp: Self.lookUp(base, stores.reads, sources), metrics: base.metrics,
            logger: base.logger,
            onAccepted: {
                onAccepted($0)
                hints.send(ReadyLanes(.messages, in: $0))
            },
            onProgress: { health.succeeded() }, onLook: { health.looked() }, onFailure: { health.failed() })
        // Kill switches hold from the first request on.
        try await intake.start()
        var configuration = WebServer.Configuration(port: listen.port)
        configuration.address = listen.host
        // Within two seconds a caller is told that the database hangs, which no statement's own limit ensures.
        configuration.handlerDeadline = Self.answerDeadline
        // A thousand messages of full length.
        configuration.bodyByteLimit = 4 << 20
        configuration.refusal = { Intake.refusal($0, path: $1) }
        let web = WebService(configuration, name: "api", logger: base.logger, onListening: onListening) {
            await intake.respond(to: $0)
        }
        return Role(
            services: [
                Self.watch(access, name: "keys and routes", health: health, logger: base.logger),
                Self.watch(conditions, logger: base.logger),
                Self.watchLanes(lanes.count) { access.laneCount },
                Self.watch(sources, name: "number look-up", health: health, logger: base.logger),
                FunctionService(name: "hints", run: { await hints.run() }, drain: { hints.drain() }),
                FunctionService(name: "commits", run: { await intake.run() }, drain: { intake.drain() }),
                FunctionService(
                    name: web.name, run: { try await web.run() },
                    drain: {
                        health.drain()
                        web.drain()
                    }),
            ],
            health: [("api", health)])
    }

    /// After this the API answers 503, whatever the request waits for.
    static let answerDeadline = Duration.milliseconds(1900)

    /// Blocks of numbers whose country is kept in memory; some 10 MB.
    static let regionLimit = 100_000

    /// Keeps what is known of providers up to date.
    private static func watch(_ conditions: ConditionsWatch, logger: Logger) -> any Service {
        Self.untilDrained("conditions of providers") {
            await conditions.run { error in
                logger.warning("could not look how the providers are", ["error": "\(error)"])
            }
        }
    }

    /// Keeps a view of the configuration up to date; each look is a sign that the database answers.
    private static func watch<View: Sendable>(
        _ watch: DirectoryWatch<View>, name: String, health: Health, logger: Logger
    ) -> any Service {
        Self.untilDrained(name) {
            await watch.run(onLook: { health.looked() }) { error in
                logger.warning("could not look for changes of the configuration", ["error": "\(error)"])
            }
        }
    }

    /// Ends the process when the number of lanes is another than it began with: a recipient's limits would be looked for where
    /// other processes do not.
    private static func watchLanes(_ count: Int, current: @escaping @Sendable () -> Int) -> any Service {
        let stop = Signal()
        return FunctionService(
            name: "number of lanes",
            run: {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await stop.wait() }
                    group.addTask {
                        while current() == count { try await Task.sleep(for: .seconds(1)) }
                        throw LanesChanged(from: count, to: current())
                    }
                    try await group.next()
                    group.cancelAll()
                }
            },
            drain: { stop.ring() })
    }

    private struct LanesChanged: Error, CustomStringConvertible {
        var from: Int
        var to: Int
        var description: String { "the number of lanes was raised from \(self.from) to \(self.to): start again" }
    }

    /// Something that goes on until its task is cancelled, as a service.
    private static func untilDrained(_ name: String, _ body: @escaping @Sendable () async -> Void) -> any Service {
        let stop = Signal()
        return FunctionService(
            name: name,
            run: {
                await withTaskGroup { group in
                    group.addTask { await body() }
                    await stop.wait()
                    group.cancelAll()
                }
            },
            drain: { stop.ring() })
    }
}

extension Role {
    /// With a provider configured, it is asked about what the numbering plans let pass.
    private static func lookUp(
        _ base: ProcessBase, _ store: Store, _ sources: DirectoryWatch<LookUpSource?>
    ) -> any NumberLookUp {
        guard base.settings.lookUp == .offline else { return NoLookUp() }
        let client = WebClient(WebClient.Configuration())
        client.start()
        return ProviderLookUp(store: store, metrics: base.metrics, source: { sources.current }) { request, timeout in
            try? await client.send(
                WebRequest(
                    method: request.method, url: request.url, fields: request.fields, body: request.body,
                    timeout: timeout))
        }
    }

    private static func lookUpSource(_ directory: Directory, masterKeys: MasterKeys, logger: Logger) -> LookUpSource? {
        guard let lookUp = directory.lookUp else { return nil }
        do {
            let numbers = try ProviderSecrets.numberDirectory(
                for: lookUp, among: directory.providers, masterKeys: masterKeys)
            return LookUpSource(directory: numbers, maxAge: lookUp.maxAge, timeLimit: lookUp.timeLimit)
        } catch {
            logger.error("numbers cannot be looked up", ["error": "\(error)"])
            return nil
        }
    }
}

// MARK: - Worker

extension Role {
    static func worker(
        _ base: ProcessBase, store: Store, masterKeys: MasterKeys, poller: Poller, listenURL: String?,
        receiptURL: String?
    ) async throws -> (role: Role, worker: Worker) {
        let client = WebClient(WebClient.Configuration())
        client.start()
        let lanes = try await store.lanes()
        var configuration = Worker.Configuration(name: base.settings.workerName, lanes: lanes)
        configuration.lease = base.settings.lease
        configuration.drainDeadline = base.settings.drainDeadline
        let worker = try await Worker(
            configuration, store: store, masterKeys: masterKeys, poller: poller, client: client,
            callbackClient: Self.callbackClient(base.settings), metrics: base.metrics, logger: base.logger
        ) { provider in
            try ProviderSecrets.driver(for: provider, masterKeys: masterKeys, receiptBaseURL: receiptURL)
        }
        var services: [any Service] = [worker, Self.watchLanes(lanes.count) { worker.laneCount }]
        if let listenURL {
            services.insert(Self.listener(listenURL, poller: poller, worker: worker, logger: base.logger), at: 0)
        }
        return (Role(services: services, health: [("worker", worker.health)]), worker)
    }

    /// For customers' endpoints: judges every address, and shares no connection with the providers' client.
    private static func callbackClient(_ settings: ProcessSettings) -> WebClient {
        var configuration = WebClient.Configuration()
        // What an endpoint has to say is its status.
        configuration.responseByteLimit = 64 << 10
        configuration.egress = settings.egress
        configuration.nameServers = settings.nameServers
        let client = WebClient(configuration)
        client.start()
        return client
    }

    /// Rings the worker's bells when another process says that something is ready.
    private static func listener(_ url: String, poller: Poller, worker: Worker, logger: Logger) -> any Service {
        let listener = Listener(url: url, channels: HintedWork.allCases.map(\.rawValue), poller: poller)
        let stop = Signal()
        return FunctionService(
            name: "listener",
            run: {
                await withTaskGroup { group in
                    group.addTask {
                        do {
                            try await listener.run { channel, payload in
                                guard let work = HintedWork(rawValue: channel) else { return }
                                worker.hint(of: work, in: Store.lanes(ofHint: payload))
                            }
                        } catch {
                            logger.warning("not listening for hints; polling goes on", ["error": "\(error)"])
                        }
                    }
                    await stop.wait()
                    group.cancelAll()
                }
            },
            drain: { stop.ring() })
    }
}

// MARK: - Receiver

extension Role {
    /// Takes receipts in. `onReady` is told what each commit made ready, beside the hint that goes through the database.
    static func receiver(
        _ base: ProcessBase, store: Store, masterKeys: MasterKeys, listen: Address, receiptURL: String?,
        onReady: @escaping @Sendable (ReadyLanes) -> Void = { _ in },
        onListening: @escaping @Sendable (UInt16) -> Void = { _ in }
    ) async throws -> Role {
        let health = Health()
        let logger = base.logger
        let lanes = try await store.lanes()
        let hints = HintSender(store: store, laneCount: lanes.count, logger: logger)
        let sources = try await DirectoryWatch(store) { directory in
            Self.sources(directory, masterKeys: masterKeys, receiptURL: receiptURL, logger: logger)
        }
        let intake = ReceiptIntake(
            store: store, masterKeys: masterKeys, lanes: lanes, sources: sources, metrics: base.metrics, logger: logger,
            onReady: {
                onReady($0)
                hints.send($0)
            },
            onProgress: { health.succeeded() }, onFailure: { health.failed() })
        var configuration = WebServer.Configuration(port: listen.port)
        configuration.address = listen.host
        // Two thousand receipts in one request, as the largest provider sends them.
        configuration.bodyByteLimit = 4 << 20
        let web = WebService(configuration, name: "receiver", logger: logger, onListening: onListening) {
            await intake.respond(to: $0)
        }
        return Role(
            services: [
                Self.watch(sources, name: "receipt sources", health: health, logger: logger),
                Self.watchLanes(lanes.count) { sources.laneCount },
                FunctionService(name: "hints", run: { await hints.run() }, drain: { hints.drain() }),
                FunctionService(name: "receipts", run: { await intake.run() }, drain: { intake.drain() }),
                FunctionService(
                    name: web.name, run: { try await web.run() },
                    drain: {
                        health.drain()
                        web.drain()
                    }),
            ],
            health: [("receiver", health)])
    }

    /// Providers out of service are among them: what they took before still gets its receipts.
    private static func sources(
        _ directory: Directory, masterKeys: MasterKeys, receiptURL: String?, logger: Logger
    ) -> [String: ReceiptSource] {
        var sources: [String: ReceiptSource] = [:]
        for provider in directory.providers {
            do {
                let driver = try ProviderSecrets.driver(
                    for: provider, masterKeys: masterKeys, receiptBaseURL: receiptURL)
                sources[provider.name] = ReceiptSource(provider: provider.id, driver: driver)
            } catch {
                logger.error(
                    "receipts of a provider cannot be taken", ["provider": provider.name, "error": "\(error)"])
            }
        }
        return sources
    }
}
