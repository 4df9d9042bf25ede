import Lifecycle
import Messaging
import Postgres
import Store
import Telemetry

/// The look at what there is to do, by which everything else that a worker does is woken, and by which claims know how far back to look.
extension Upkeep {
    /// Looks at all lanes in turn, and rings for what is there or will be before the next look.
    func look(_ rota: LaneRota) async {
        var dead = 0
        let rounds = (self.lanes.count + LaneTurns.idleLimit - 1) / LaneTurns.idleLimit
        var looksBack: [Lane: ContinuousClock.Instant] = [:]
        await self.pulse("looking for work") {
            let started = ContinuousClock.now
            // Several times in a lease, so that a death is noticed soon after its end.
            let least = min(self.lease / 5, Self.outlookInterval)
            var pause = least
            // Nothing is claimed in a lane before its first outlook.
            let new = self.lanes.filter { !self.horizons.isKnown($0) }
            var failure: (any Error)?
            for lane in new.isEmpty ? rota.next() : new {
                do {
                    let outlook = try await self.outlook(lane, &looksBack)
                    pause = Self.pause(after: .now - started, least: least, most: Self.longestOutlookPause)
                    // Until this lane's turn comes again, and a bit, as rounds are not of one length.
                    let horizon = max(pause, Self.outlookInterval) * 1.5 * Double(rounds)
                    self.ring(lane, outlook, horizon)
                    if outlook.deadWorkers > dead { self.deaths.ring() }
                    dead = outlook.deadWorkers
                } catch {
                    // The others' turn has come all the same: one of them may be on another server.
                    failure = error
                }
            }
            if let failure { throw failure }
            try await Task.sleep(for: pause * Double.random(in: 0.9...1.1))
        }
    }

    /// Looks no further back than the claims do, but now and then, and then has the claims do so.
    private func outlook(_ lane: Lane, _ looksBack: inout [Lane: ContinuousClock.Instant]) async throws -> Outlook {
        let started = ContinuousClock.now
        let served = Array(self.service.current.providers.keys)
        let isDue = self.horizons.takeLookAtAll(lane) || looksBack[lane].map { $0 <= started } ?? true
        if !isDue, let from = self.horizons.reach(lane) {
            let outlook = try await self.store.outlook(lane: lane, served: served, from: from)
            if let oldest = outlook.oldestReady { self.horizons.include(lane, oldest) }
            return outlook
        }
        defer { looksBack[lane] = .now + Self.pause(after: .now - started, most: Self.longestLookBackPause) }
        return try await self.outlookOnAll(lane, served)
    }

    /// The first decides when claims begin, so it may not take long; those after it may, while dead rows make it slow.
    private func outlookOnAll(_ lane: Lane, _ served: [ProviderID]) async throws -> Outlook {
        let started = ContinuousClock.now
        let isFirst = !self.horizons.isKnown(lane)
        let outlook: Outlook
        do {
            outlook = try await self.store.outlook(
                lane: lane, served: served, timeout: isFirst ? nil : Store.scanTimeout)
        } catch {
            if isFirst { self.open(lane, after: error, took: .now - started) }
            throw error
        }
        self.horizons.judge(lane, oldest: outlook.oldestReady, took: outlook.oldestReadyTook)
        if self.horizons.reach(lane) != nil {
            // Who waits for the first outlook need not wait for this, too. Nor is it made at the start, when there is most to do: it
            // reads all dead rows once more.
            self.messages.ready.ring(lane)
            if !isFirst { await self.findFlows(lane, served) }
        }
        return outlook
    }

    /// Whatever keeps the outlook from telling, what is new goes on. Where it took too long, claims of all would as well.
    private func open(_ lane: Lane, after error: any Error, took: Duration) {
        let isTooSlow = error as? PostgresError == .timedOut
        self.horizons.judge(lane, oldest: nil, took: isTooSlow ? took : .zero)
        self.messages.ready.ring(lane)
    }

    private func findFlows(_ lane: Lane, _ served: [ProviderID]) async {
        do {
            let flows = try await self.store.readyFlows(lane: lane, served: served, limit: KnownFlows.mostKept)
            self.horizons.note(lane, flows)
        } catch {
            self.logger.warning("could not look for accounts with something ready", ["error": "\(error)"])
        }
    }

    private func ring(_ lane: Lane, _ outlook: Outlook, _ horizon: Duration) {
        if outlook.oldestReady != nil { self.messages.ready.ring(lane) }
        if outlook.hasEvents { self.events.ready.ring(lane) }
        if outlook.isDue(\.nextMessage, within: horizon) { self.messages.scheduled.ring(lane) }
        if outlook.isDue(\.nextEvent, within: horizon) { self.events.scheduled.ring(lane) }
        if outlook.isDue(\.nextStandby, within: horizon) { self.standby.ring(lane) }
        if outlook.hasTallies { self.tallies.ring(lane) }
    }
}

extension Outlook {
    fileprivate func isDue(_ wait: KeyPath<Outlook, Duration?>, within horizon: Duration) -> Bool {
        self[keyPath: wait].map { $0 <= horizon } ?? false
    }
}
