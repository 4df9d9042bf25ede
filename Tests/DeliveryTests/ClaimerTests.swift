import Messaging
import Postgres
import Store
import Synchronization
import Telemetry
import TestSystem
import Testing

@testable import Delivery

/// When a lane is asked for what is in it.
@Suite(.timeLimit(.minutes(1))) struct ClaimerTests {
    @Test func aLaneIsNotClaimedFromUntilItIsOpen() async throws {
        try await TestSystem.run { system async throws in
            let lanes = [Lane(rawValue: 0), Lane(rawValue: 1)]
            let source = ScriptedSource(open: [lanes[0]])
            try await Self.run(source, lanes, system.store) { signal in
                for count in 1...3 {
                    signal.ring()
                    // A round goes over all lanes that were asked for.
                    await source.waitForClaims(count, in: lanes[0])
                }
                #expect(source.claims(in: lanes[1]) == 0)
                source.open(lanes[1])
                signal.ring(lanes[1])
                await source.waitForClaims(1, in: lanes[1])
            }
        }
    }

    private static func run(
        _ source: ScriptedSource, _ lanes: [Lane], _ store: Store, _ body: (LaneBell) async -> Void
    ) async throws {
        let lease = Lease(store: store, name: "test", timing: .init(), logger: .silent) {}
        let signal = LaneBell()
        let claimer = Claimer(
            source: source, lanes: lanes, lease: lease, holdings: Holdings(), signal: signal,
            metrics: DeliveryMetrics(Metrics()).work, logger: .silent, onProgress: {})
        await withTaskGroup { group in
            group.addTask { await lease.run() }
            group.addTask { await claimer.run() }
            await body(signal)
            group.cancelAll()
        }
    }
}

/// Counts who asks, and has nothing.
private final class ScriptedSource: ClaimSource {
    static let noun = "number"

    private struct State {
        var open: Set<Lane>
        var claims: [Lane: Int] = [:]
    }

    private let state: Mutex<State>
    private let claimed = LaneBell()

    init(open: Set<Lane>) { self.state = Mutex(State(open: open)) }

    static func id(of claim: Int) -> Int { claim }

    func open(_ lane: Lane) { self.state.withLock { _ = $0.open.insert(lane) } }

    func isOpen(_ lane: Lane) -> Bool { self.state.withLock { $0.open.contains(lane) } }

    func claim(lane: Lane, worker: WorkerID) async throws(PostgresError) -> (claims: [Int], more: Bool)? {
        self.state.withLock { $0.claims[lane, default: 0] += 1 }
        self.claimed.ring()
        return ([], false)
    }

    func claims(in lane: Lane) -> Int { self.state.withLock { $0.claims[lane] ?? 0 } }

    func waitForClaims(_ count: Int, in lane: Lane) async {
        while self.claims(in: lane) < count { await self.claimed.wait(upTo: .seconds(1)) }
    }

    func pass(_ held: [Held<Int>]) -> [Held<Int>] { [] }
    func removeAll() -> [Held<Int>] { [] }
    func handBack(_ claims: [Int], worker: WorkerID) async throws(PostgresError) -> Int { 0 }
    func disown(lane: Lane, worker: WorkerID, holding: [Int]) async throws(PostgresError) -> Int { 0 }
}
