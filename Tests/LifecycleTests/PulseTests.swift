import Lifecycle
import Synchronization
import Telemetry
import Testing

@Suite(.timeLimit(.minutes(1))) struct PulseTests {
    private struct Failure: Error {}

    /// Runs a pulse until a round throws `CancellationError`; returns the log's lines.
    private func run(_ round: @Sendable () async throws -> Void) async -> [String] {
        let lines = Lines()
        let logger = Logger(label: "test", write: { lines.add(String(decoding: $0, as: UTF8.self)) })
        await Pulse(name: "counting", logger: logger, pauseAfterFailure: .milliseconds(1)).run(round)
        return lines.all
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { self.lines.withLock { $0 } }
        func add(_ line: String) { self.lines.withLock { $0.append(line) } }
    }

    @Test func aRoundFollowsARoundUntilCancelled() async {
        let rounds = Atomic(0)
        let lines = await self.run {
            if rounds.add(1, ordering: .relaxed).newValue == 5 { throw CancellationError() }
        }
        #expect(rounds.load(ordering: .relaxed) == 5)
        #expect(lines == [])
    }

    @Test func aRoundThatFailsIsLoggedAndRepeated() async {
        let rounds = Atomic(0)
        let lines = await self.run {
            switch rounds.add(1, ordering: .relaxed).newValue {
            case 1, 3: throw Failure()
            case 5: throw CancellationError()
            default: break
            }
        }
        #expect(rounds.load(ordering: .relaxed) == 5)
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.contains("counting") && $0.contains("Failure") })
    }

    @Test func cancellationEndsItAndIsNoFailure() async {
        let rounds = Atomic(0)
        let started = Signal()
        let pulse = Pulse(name: "waiting", logger: .silent)
        let task = Task {
            await pulse.run {
                rounds.add(1, ordering: .relaxed)
                started.ring()
                while !Task.isCancelled { await Task.yield() }
                throw Failure()
            }
        }
        await started.wait()
        task.cancel()
        await task.value
        #expect(rounds.load(ordering: .relaxed) == 1)
    }

    @Test func aCancelledPauseEndsIt() async {
        let failed = Signal()
        let pulse = Pulse(name: "failing", logger: .silent, pauseAfterFailure: .seconds(3600))
        let task = Task {
            await pulse.run {
                failed.ring()
                throw Failure()
            }
        }
        await failed.wait()
        task.cancel()
        await task.value
    }
}
