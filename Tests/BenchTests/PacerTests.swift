import Testing

@testable import Bench

struct PacerTests {
    private let start = MonotonicTime(nanoseconds: 5_000_000_000)

    @Test func aClosedLoopSendsAtOnceUntilItsTimeIsUp() {
        var pacer = Pacer(.closedLoop(seconds: 2, gate: .open), messagesPerRequest: 1, start: self.start)
        #expect(pacer.next(now: self.start) == .send(scheduled: self.start))
        #expect(pacer.next(now: self.start + 1.9) == .send(scheduled: self.start + 1.9))
        #expect(pacer.next(now: self.start + 2) == .end)
    }

    @Test func aGateLetsThroughAsManyMessagesAsItSays() {
        let gate = Gate(limit: 250)
        var pacer = Pacer(.closedLoop(seconds: 2, gate: gate), messagesPerRequest: 100, start: self.start)
        #expect(pacer.next(now: self.start) == .send(scheduled: self.start))
        #expect(pacer.next(now: self.start) == .send(scheduled: self.start))
        #expect(pacer.next(now: self.start) == .wait(until: self.start + 0.002))
        gate.raise(to: 300)
        #expect(pacer.next(now: self.start) == .send(scheduled: self.start))
    }

    @Test func momentsAreKeptHoweverLateItIsAsked() {
        var pacer = Pacer(.moments([0.3, 0.4]), messagesPerRequest: 1, start: self.start)
        #expect(pacer.next(now: self.start) == .wait(until: self.start + 0.3))
        #expect(pacer.next(now: self.start + 5) == .send(scheduled: self.start + 0.3))
        #expect(pacer.next(now: self.start + 5) == .send(scheduled: self.start + 0.4))
        #expect(pacer.next(now: self.start + 5) == .end)
    }

    @Test func anOpenLoopKeepsItsScheduleHoweverLateItIsAsked() {
        var pacer = Pacer(.openLoop(rate: 10, count: 3), messagesPerRequest: 1, start: self.start)
        #expect(pacer.next(now: self.start) == .send(scheduled: self.start))
        #expect(pacer.next(now: self.start) == .wait(until: self.start + 0.1))
        #expect(pacer.next(now: self.start + 5) == .send(scheduled: self.start + 0.1))
        #expect(pacer.next(now: self.start + 5) == .send(scheduled: self.start + 0.2))
        #expect(pacer.next(now: self.start + 5) == .end)
    }
}
