import Messaging
import Store
import Telemetry

/// One kind of work from its claim to its settlement.
///
/// Draining stops the claims, gives back what has not been begun, lets what is under way end and writes back what came of it.
struct Pipeline<Source: ClaimSource, Settled: SettledWork>: Sendable where Source.ID == Settled.ID {
    let source: Source
    let claimer: Claimer<Source>
    let settler: Settler<Settled>
    let holdings: Holdings<Source.ID>
    let metrics: WorkMetrics
    let logger: Logger
    /// Hosts what is under way; returns when closed and done.
    let work: @Sendable () async -> Void
    let close: @Sendable () -> Void

    /// Works until drained; `beside` runs, and is cancelled, with the claims.
    func run(beside: @escaping @Sendable () async -> Void = {}) async {
        await withTaskGroup { group in
            group.addTask { await self.settler.run() }
            await self.workUntilDrained(beside: beside)
            // All that might settle has ended: the settler writes what it has and ends too.
            self.settler.drain()
        }
    }

    func drain() { self.claimer.stop() }

    /// Gives back what has not been begun.
    func giveBack(_ held: [Held<Source.Claim>]) async throws {
        self.holdings.remove(held.map { Source.id(of: $0.claim) })
        do {
            for (worker, claims) in Dictionary(grouping: held, by: \.worker) {
                let count = try await self.source.handBack(claims.map(\.claim), worker: worker)
                self.metrics.handedBack.add(count)
            }
        } catch {
            self.holdings.doubt()
            throw error
        }
    }

    // MARK: - Private

    private func workUntilDrained(beside: @escaping @Sendable () async -> Void) async {
        await withTaskGroup { group in
            group.addTask { await self.work() }
            await self.claimUntilDrained(beside: beside)
            await self.giveBack()
            self.close()
        }
    }

    private func claimUntilDrained(beside: @escaping @Sendable () async -> Void) async {
        await withTaskGroup { group in
            group.addTask { await beside() }
            await self.claimer.run()
            group.cancelAll()
        }
    }

    private func giveBack() async {
        do {
            try await self.giveBack(self.source.removeAll())
        } catch {
            self.logger.warning("could not give claims back; their lease will run out", ["error": "\(error)"])
        }
    }
}
