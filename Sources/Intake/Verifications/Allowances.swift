import Batching
import Messaging
import Postgres
import Store
import Telemetry
import Verification

/// How much this process may still send for each application before it has to ask the database again.
///
/// The count of an application is the hottest there is: one row for all of its codes. So a process takes a slice of what is
/// left and gives it out from memory; towards the end of the limit a slice is what is waited for and no more, so the limit is
/// never passed and is reached whichever process the requests come to. What lies here unused is given back.
struct Allowances: Sendable {
    /// Codes taken ahead of those that wait, at most; a process that dies takes so many with it.
    static let sliceLimit: Int32 = 500
    /// Requests that may wait for a slice.
    static let queueLimit = 10_000
    /// Slices are looked through so often; one that nobody has taken from in between is given back.
    static let idleLimit = Duration.seconds(2)
    /// How often a request whose slice others have used up asks for another.
    static let roundLimit = 20

    /// Whether one code may be sent.
    enum Grant: Sendable {
        case given(Permit)
        /// It may not until the period is over.
        case refused(wait: Duration)
    }

    /// Others used up every slice that it waited for.
    struct Crowded: Error {}

    private struct Wish: Sendable, Hashable {
        var application: ApplicationID
        var limit: RateLimit
    }

    /// Nil: there is a slice. Otherwise how long there will be none.
    private typealias Refill = Result<Duration?, PostgresError>

    private let stock: AllowanceStock
    private let wishes: Batcher<Wish, Refill>
    private let logger: Logger

    init(store: Store, logger: Logger) {
        let stock = AllowanceStock(store: store)
        self.stock = stock
        self.logger = logger
        // One writer: two would each take a slice where one is wanted.
        self.wishes = Batcher(
            name: "allowances", batchLimit: Self.queueLimit, queueLimit: Self.queueLimit, writers: 1
        ) { wishes in
            let refills = await Self.refill(stock, for: wishes)
            return wishes.map { refills[$0] ?? .failure(.cancelled) }
        }
    }

    /// Hosts the slices. Returns when drained, with everything given back.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.giveBackWhatLies() }
            await self.wishes.run()
            group.cancelAll()
        }
        await self.stock.giveBack(self.logger) { _ in true }
    }

    func drain() { self.wishes.drain() }

    /// One code of an application's limit. Throws what the database or the batcher throws, or ``Crowded``.
    ///
    /// A slice lies in the stock before anybody is told of it, so a caller that has gone meanwhile takes nothing with it.
    func take(_ application: ApplicationID, limit: RateLimit) async throws -> Grant {
        for _ in 0..<Self.roundLimit {
            if let permit = self.stock.take(application, limit: limit) { return .given(permit) }
            let refill = try await self.wishes.submit(Wish(application: application, limit: limit))
            if let wait = try refill.get() { return .refused(wait: wait) }
        }
        throw Crowded()
    }

    /// For a code that was not sent after all.
    func putBack(_ permit: Permit, to application: ApplicationID) { self.stock.putBack(permit, to: application) }

    // MARK: - Private

    /// Each application by itself: one that is slow or fails keeps nobody else waiting for more than this batch.
    private static func refill(_ stock: AllowanceStock, for wishes: [Wish]) async -> [Wish: Refill] {
        let waiting = Dictionary(grouping: wishes) { $0 }.mapValues(\.count)
        return await withTaskGroup { group in
            for (wish, count) in waiting {
                group.addTask {
                    do throws(PostgresError) {
                        let wait = try await stock.refill(wish.application, limit: wish.limit, waiting: count)
                        return (wish, Refill.success(wait))
                    } catch {
                        return (wish, Refill.failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func giveBackWhatLies() async {
        while (try? await Task.sleep(for: Self.idleLimit)) != nil {
            let now = ContinuousClock.now
            await self.stock.giveBack(self.logger) { now - $0 >= Self.idleLimit }
        }
    }
}
