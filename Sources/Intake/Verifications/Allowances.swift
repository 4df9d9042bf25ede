import Batching
import Messaging
import Store
import Synchronization
import Telemetry
import Verification

/// How much this process may still send for each application before it has to ask the database again.
///
/// The count of an application is the hottest there is: one row for all of its codes. So a process takes a slice of what is
/// left and gives it out from memory; slices become single codes as the limit comes near, so the limit is never passed and is
/// reached whichever process the requests come to. What lies here unused is given back.
struct Allowances: Sendable {
    /// Codes in one slice at most; a process that dies takes so many with it.
    static let sliceLimit: Int32 = 500
    /// Requests that may wait for a slice.
    static let queueLimit = 10_000
    /// Slices are looked through so often; one that nobody has taken from in between is given back.
    static let idleLimit = Duration.seconds(2)

    /// Whether one code may be sent.
    enum Grant: Sendable, Hashable {
        /// It may, in this period.
        case given(Allowance)
        /// It may not until the period is over.
        case refused(wait: Duration)
    }

    private struct Wish: Sendable {
        var application: ApplicationID
        var limit: RateLimit
    }

    private let stock: Stock
    private let wishes: Batcher<Wish, Grant>
    private let logger: Logger

    init(store: Store, logger: Logger) {
        let stock = Stock(store: store)
        self.stock = stock
        self.logger = logger
        // One writer: two would each take a slice where one is wanted.
        self.wishes = Batcher(
            name: "allowances", batchLimit: Self.queueLimit, queueLimit: Self.queueLimit, writers: 1
        ) { wishes in
            var grants: [Grant] = []
            var refused: [ApplicationID: Duration] = [:]
            for (index, wish) in wishes.enumerated() {
                if let wait = refused[wish.application] {
                    grants.append(.refused(wait: wait))
                    continue
                }
                let behind = wishes[index...].count { $0.application == wish.application }
                let grant = try await stock.take(wish.application, limit: wish.limit, behind: behind)
                if case .refused(let wait) = grant { refused[wish.application] = wait }
                grants.append(grant)
            }
            return grants
        }
    }

    /// Hosts the slices. Returns when drained, with everything given back.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.giveBackWhatLies() }
            await self.wishes.run()
            group.cancelAll()
        }
        await self.giveBack { _ in true }
    }

    func drain() { self.wishes.drain() }

    /// One code of an application's limit. Throws what the database or the batcher throws.
    func take(_ application: ApplicationID, limit: RateLimit) async throws -> Grant {
        if let allowance = self.stock.takeAtOnce(application) { return .given(allowance) }
        return try await self.wishes.submit(Wish(application: application, limit: limit))
    }

    /// For a code that was not sent after all.
    func putBack(_ allowance: Allowance, to application: ApplicationID) {
        self.stock.putBack(allowance, to: application)
    }

    // MARK: - Private

    private func giveBackWhatLies() async {
        while (try? await Task.sleep(for: Self.idleLimit)) != nil {
            let now = ContinuousClock.now
            await self.giveBack { now - $0 >= Self.idleLimit }
        }
    }

    private func giveBack(_ isIdle: (ContinuousClock.Instant) -> Bool) async {
        do {
            try await self.stock.giveBack(isIdle)
        } catch {
            self.logger.warning(
                "what was not sent of an application's limit could not be given back", ["error": "\(error)"])
        }
    }
}

/// The slices of this process.
private final class Stock: Sendable {
    private struct Slice {
        var allowance: Allowance
        var endsAt: ContinuousClock.Instant
        var usedAt: ContinuousClock.Instant
    }

    private let store: Store
    private let slices = Mutex<[ApplicationID: Slice]>([:])

    init(store: Store) { self.store = store }

    /// Nil when there is nothing left of the running period.
    func takeAtOnce(_ application: ApplicationID) -> Allowance? {
        let now = ContinuousClock.now
        return self.slices.withLock { slices in
            guard var slice = slices[application] else { return nil }
            guard slice.allowance.count > 0, now < slice.endsAt else {
                slices[application] = nil
                return nil
            }
            slice.allowance.count -= 1
            slice.usedAt = now
            slices[application] = slice
            return slice.allowance
        }
    }

    /// `behind`: how many wait for the same, this one among them.
    func take(_ application: ApplicationID, limit: RateLimit, behind: Int) async throws -> Allowances.Grant {
        if let allowance = self.takeAtOnce(application) { return .given(allowance) }
        // The clock is read first: the period must not seem to last longer here than there.
        let now = ContinuousClock.now
        var allowance = try await self.store.takeAllowance(
            of: application, limit: limit, wanted: max(Int32(clamping: behind), Allowances.sliceLimit))
        guard allowance.count > 0 else { return .refused(wait: allowance.remaining) }
        allowance.count -= 1
        self.slices.withLock {
            $0[application] = Slice(allowance: allowance, endsAt: now + allowance.remaining, usedAt: now)
        }
        return .given(allowance)
    }

    func putBack(_ allowance: Allowance, to application: ApplicationID) {
        self.slices.withLock { slices in
            guard var slice = slices[application], slice.allowance.period == allowance.period else { return }
            slice.allowance.count += 1
            slices[application] = slice
        }
    }

    func giveBack(_ isIdle: (ContinuousClock.Instant) -> Bool) async throws {
        let idle = self.slices.withLock { slices in
            let idle = slices.filter { isIdle($0.value.usedAt) }
            for application in idle.keys { slices[application] = nil }
            return idle
        }
        for (application, slice) in idle where slice.allowance.count > 0 {
            try await self.store.giveBack(slice.allowance.count, of: slice.allowance, to: application)
        }
    }
}
