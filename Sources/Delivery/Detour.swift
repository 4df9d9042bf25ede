import Lifecycle
import Messaging
import Routing
import Store
import Telemetry

/// Takes messages out of the queues of providers that are not well, and has them go elsewhere.
///
/// A queue is emptied only as fast as its provider answers, and one that hangs does not. So what can go elsewhere does not wait for
/// its turn there: neither what is bound for a place that is closed, nor a code that has waited as long as it would for an answer.
struct Detour: Sendable {
    /// Between looks at the queues.
    static let interval = Duration.milliseconds(100)

    let outlets: Outlets
    let navigator: Navigator
    let sender: Sender
    let logger: Logger

    /// Looks until cancelled.
    func run() async {
        await Pulse(name: "diverting messages", logger: self.logger).run {
            await self.divert()
            try await Task.sleep(for: Self.interval)
        }
    }

    private func divert() async {
        guard self.navigator.routes().hasAlternatives else { return }
        let now = ContinuousClock.now
        let isAnyOpen = self.navigator.breakers.isAnyOpen(now: now)
        await withTaskGroup { group in
            for outlet in self.outlets.all {
                let isOverdue = outlet.queue.oldestCode.map { now - $0 > outlet.provider.slowAfter } ?? false
                guard isAnyOpen || isOverdue else { continue }
                let diverted = outlet.queue.remove { self.isToGo($0, from: outlet, now: now) }
                guard !diverted.isEmpty else { continue }
                group.addTask { await self.sender.skip(diverted, through: outlet) }
            }
        }
    }

    private func isToGo(_ held: HeldClaim, from outlet: Outlet, now: ContinuousClock.Instant) -> Bool {
        guard let way = self.navigator.way(of: held.claim) else { return false }
        let isOverdue = way.isCode && now - held.waitingSince > outlet.provider.slowAfter
        guard isOverdue || self.navigator.breakers.refuses(way.place, isPatient: way.isPatient, now: now) else {
            return false
        }
        return way.next(in: self.navigator.breakers.conditions(now: now)) != nil
    }
}
