import Channels
import HTTP
import Lifecycle
import Messaging
import Store
import Telemetry
import Timestamps
import WebClient

/// Asks providers what became of messages whose receipts do not come, and ends those that will not be heard of any more.
///
/// Messages are looked at when they have come to one of a few ages, once at each, by whichever worker comes first. Who hands
/// messages over has nothing to do for it.
struct Reconciler: Sendable {
    /// How old messages are when their provider is asked. A code is asked for at the first already: whoever waits for one tries
    /// again soon. The last is for those that were sent long after they were accepted.
    static let ages: [Duration] =
        [Self.codeAge] + [900, 3600, 6 * 3600, 24 * 3600, 72 * 3600, 8 * 86_400, 19 * 86_400].map { .seconds($0) }
    static let codeAge = Duration.seconds(120)
    /// Between two looks.
    static let interval = Duration.seconds(30)
    /// Messages looked at by one statement.
    static let sweepLimit: Int32 = 1000
    /// Inquiries to one provider between two looks; messages beyond that are asked for at their next age.
    static let inquiryLimit = 200
    /// Inquiries to one provider a second, of one worker.
    static let inquiriesPerSecond = 20
    static let inquiryTimeout = Duration.seconds(5)
    /// How long receipts may take where neither the operator nor the kind of provider says.
    static let usualWindow = Duration.seconds(72 * 3600)

    let store: Store
    let lanes: [Lane]
    let service: DirectoryWatch<ServicePlan>
    let client: WebClient
    let metrics: ReconciliationMetrics
    /// Rung when there may be something to tell an endpoint.
    let events: LaneBell
    let logger: Logger
    /// The ages to look at beside the providers' windows.
    var ages = Self.ages
    var interval = Self.interval

    func run() async {
        let rota = LaneRota(self.lanes)
        var known: Set<Place> = []
        await Pulse(name: "asking for receipts", logger: self.logger).run {
            try await self.look(rota.next(), &known)
            try await Task.sleep(for: self.interval * Double.random(in: 0.8...1.2))
        }
    }

    /// Where this process has looked before.
    struct Place: Hashable {
        var lane: Lane
        var age: Duration
    }

    /// One look at every age, in some of the lanes.
    func look(_ lanes: [Lane], _ known: inout Set<Place>) async throws {
        let providers = self.service.current.providers
        let windows = providers.mapValues(\.receiptWindow)
        for age in Set(self.ages).union(windows.values).sorted() {
            for lane in lanes {
                let place = Place(lane: lane, age: age)
                try await self.look(at: place, isFirst: !known.contains(place), providers, windows)
                known.insert(place)
            }
        }
    }

    // MARK: - Private

    private func look(
        at place: Place, isFirst: Bool, _ providers: [ProviderID: ConfiguredProvider],
        _ windows: [ProviderID: Duration]
    ) async throws {
        let (lane, age) = (place.lane, place.age)
        var budget = InquiryBudget(limit: Self.inquiryLimit)
        while !Task.isCancelled {
            let sweep = try await self.store.sweepSilent(
                lane: lane, age: age, windows: windows, limit: Self.sweepLimit, isFirst: isFirst)
            // At the first age only codes are in a hurry.
            let asked = sweep.silent.filter { $0.isOver || age != Self.codeAge || $0.priority == .otp }
            await self.ask(budget.grant(asked), providers)
            try await self.end(sweep.silent.filter(\.isOver).map(\.id), lane)
            guard sweep.seen == Int(Self.sweepLimit) else { return }
        }
    }

    /// Each provider is asked by itself, so that a slow one holds up no other.
    private func ask(_ messages: [SilentMessage], _ providers: [ProviderID: ConfiguredProvider]) async {
        await withTaskGroup { group in
            for (id, messages) in Dictionary(grouping: messages, by: \.provider) {
                guard let configured = providers[id], case .http(let driver) = configured.driver.wire else { continue }
                group.addTask { await self.ask(messages, of: driver, id, named: configured.provider.name) }
            }
        }
    }

    private func ask(
        _ messages: [SilentMessage], of driver: any HTTPDriver, _ provider: ProviderID, named name: String
    ) async {
        let inquirer = Inquirer(driver: driver, client: self.client, timeout: Self.inquiryTimeout)
        for message in messages where !Task.isCancelled {
            guard let inquiry = message.inquiry, let answer = await inquirer.ask(inquiry) else { continue }
            self.metrics.inquiries(name, answer.name).add(1)
            await self.apply(answer.receipts.map { IncomingReceipt(provider: provider, receipt: $0) })
            // It answers nobody now; the others would wait for it in vain, and are asked for at their next age.
            if case .none = answer { return }
            try? await Task.sleep(for: .seconds(1) / Self.inquiriesPerSecond)
        }
    }

    private func apply(_ receipts: [IncomingReceipt]) async {
        guard !receipts.isEmpty else { return }
        do {
            _ = try await self.store.apply(receipts, lanes: self.lanes)
            self.events.ring(Set(receipts.compactMap { $0.receipt.message?.id.lane }))
        } catch {
            // It is asked for again at its next age.
            self.logger.warning("could not store what a provider answered", ["error": "\(error)"])
        }
    }

    private func end(_ ids: [MessageID], _ lane: Lane) async throws {
        guard !ids.isEmpty else { return }
        let ended = try await self.store.endSilent(ids, lane: lane)
        guard ended > 0 else { return }
        self.metrics.ended.add(ended)
        self.events.ring(lane)
        self.logger.info("messages ended without a receipt", ["messages": ended])
    }
}

/// How many inquiries each provider may still get.
struct InquiryBudget {
    private let limit: Int
    private var used: [ProviderID: Int] = [:]

    init(limit: Int) { self.limit = limit }

    /// The first of these that there is room for.
    mutating func grant(_ messages: [SilentMessage]) -> [SilentMessage] {
        messages.filter { message in
            let used = self.used[message.provider, default: 0]
            guard used < self.limit else { return false }
            self.used[message.provider] = used + 1
            return true
        }
    }
}

extension SilentMessage {
    /// Nil for a recipient that this version does not understand.
    fileprivate var inquiry: Inquiry? {
        Recipient(self.recipient, channel: self.channel).map {
            Inquiry(reference: self.reference, parts: self.parts, recipient: $0)
        }
    }
}

extension ConfiguredProvider {
    /// How long its receipts may take.
    var receiptWindow: Duration {
        self.provider.receiptWindow ?? ProviderKind(rawValue: self.provider.kind)?.receiptWindow
            ?? Reconciler.usualWindow
    }
}

/// What a worker counts of messages whose receipts do not come.
struct ReconciliationMetrics: Sendable {
    let ended: Counter
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        self.ended = metrics.counter(
            "pinpost_silent_total", help: "Messages ended because no receipt came within their provider's window.")
    }

    func inquiries(_ provider: String, _ answer: String) -> Counter {
        self.metrics.counter(
            "pinpost_inquiries_total", help: "Providers asked what became of a message, by what they answered.",
            labels: ["provider": provider, "answer": answer])
    }
}
