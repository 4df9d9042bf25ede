import Lifecycle
import Synchronization
import Testing

private final class Produced: Sendable {
    let count = Atomic(0)
}

@Suite(.timeLimit(.minutes(1))) struct SignalTests {
    @Test func aRingWhileNobodyWaitsIsKept() async {
        let signal = Signal()
        signal.ring()
        await signal.wait()
    }

    @Test func severalRingsAreOne() async {
        let signal = Signal()
        for _ in 0..<5 { signal.ring() }
        await signal.wait()
        let clock = ContinuousClock.now
        await signal.wait(upTo: .milliseconds(50))
        #expect(ContinuousClock.now - clock >= .milliseconds(50))
    }

    @Test func aRingWakesWhoWaits() async {
        for _ in 0..<500 {
            let signal = Signal()
            async let waiting: Void = signal.wait()
            await Task.yield()
            signal.ring()
            await waiting
        }
    }

    @Test func aCancelledTaskWaitsNoLonger() async {
        for _ in 0..<500 {
            let signal = Signal()
            let task = Task { await signal.wait() }
            await Task.yield()
            task.cancel()
            await task.value
        }
    }

    @Test func aTaskThatIsCancelledAlreadyDoesNotWait() async {
        let signal = Signal()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            await signal.wait()
            await signal.wait(upTo: .seconds(3600))
        }
        task.cancel()
        await task.value
    }

    @Test func aWaitEndsAtItsTimeout() async {
        let signal = Signal()
        let clock = ContinuousClock.now
        await signal.wait(upTo: .milliseconds(30))
        #expect(ContinuousClock.now - clock >= .milliseconds(30))
        await signal.wait(upTo: .zero)
        await signal.wait(upTo: .seconds(-1))
    }

    @Test func aWaitWithATimeoutEndsAtTheRing() async {
        let signal = Signal()
        async let waiting: Void = signal.wait(upTo: .seconds(3600))
        signal.ring()
        await waiting
    }

    /// Whatever the order of rings, timeouts and waits: the last ring is heard.
    @Test func noRingIsLost() async {
        let signal = Signal()
        let produced = Produced()
        await withTaskGroup { group in
            group.addTask {
                for _ in 0..<5000 {
                    produced.count.add(1, ordering: .sequentiallyConsistent)
                    signal.ring()
                    if Bool.random() { await Task.yield() }
                }
            }
            group.addTask {
                while produced.count.load(ordering: .sequentiallyConsistent) < 5000 {
                    if Bool.random() {
                        await signal.wait(upTo: .microseconds(.random(in: 0...200)))
                    } else {
                        await signal.wait()
                    }
                }
            }
        }
    }
}
