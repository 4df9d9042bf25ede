import Testing

@testable import Postgres

private typealias Pool = PoolState<Int, String>

private let start = ContinuousClock.now
private let refusal = PostgresError.connection("refused")

/// Grants as text, for comparing.
private func text(_ grant: PoolGrant<Int>?) -> String {
    switch grant {
    case nil: "wait"
    case .idle(let connection): "idle \(connection)"
    case .open: "open"
    case .refused(let error): "refused: \(error)"
    }
}

extension PoolState<Int, String> {
    fileprivate mutating func ask(after seconds: Int = 0) -> String { text(self.lease(at: start + .seconds(seconds))) }

    fileprivate mutating func wait(_ name: String, ticket: UInt64, until seconds: Int = 5) {
        self.wait(name, ticket: ticket, since: start, until: start + .seconds(seconds))
    }

    fileprivate mutating func giveBack(_ connection: Int?, after seconds: Int = 0) -> [String] {
        self.release(connection, at: start + .seconds(seconds)).map { "\($0.waiter): \(text($0.grant))" }
    }

    fileprivate mutating func fail(after seconds: Int = 0, with error: PostgresError = refusal) -> [String] {
        self.openingFailed(error, at: start + .seconds(seconds), pause: .seconds(1)).map {
            "\($0.waiter): \(text($0.grant))"
        }
        .sorted()
    }
}

@Suite struct PoolStateTests {
    @Test func opensUpToTheLimitAndThenHasPeopleWait() {
        var pool = Pool(limit: 2, waiterLimit: 10)
        #expect([pool.ask(), pool.ask(), pool.ask()] == ["open", "open", "wait"])
        #expect(pool.openCount == 2)
    }

    @Test func lendsTheConnectionUsedLast() {
        var pool = Pool(limit: 3, waiterLimit: 10)
        for _ in 1...3 { _ = pool.ask() }
        for connection in 1...3 { #expect(pool.giveBack(connection) == []) }
        #expect(pool.idleCount == 3)
        #expect([pool.ask(), pool.ask(), pool.ask(), pool.ask()] == ["idle 3", "idle 2", "idle 1", "wait"])
    }

    /// What is preferred comes before a new one, a new one before any that lies ready, and any before waiting.
    @Test func lendsWhatIsPreferredAsLongAsThereMayBeMore() {
        var pool = Pool(limit: 3, waiterLimit: 10)
        for _ in 1...2 { _ = pool.ask() }
        for connection in 1...2 { _ = pool.giveBack(connection) }
        #expect(text(pool.lease(at: start) { $0 == 1 }) == "idle 1")
        #expect(text(pool.lease(at: start) { $0 == 9 }) == "open")
        #expect(text(pool.lease(at: start) { $0 == 9 }) == "idle 2")
        #expect(text(pool.lease(at: start) { $0 == 9 }) == "wait")
    }

    @Test func whenNoneCanBeOpenedAnyThatLiesReadyDoes() {
        var pool = Pool(limit: 3, waiterLimit: 10)
        _ = pool.ask()
        _ = pool.giveBack(1)
        #expect(text(pool.lease(at: start) { _ in false }) == "open")
        #expect(pool.fail() == [])
        #expect(text(pool.leaseIdle()) == "idle 1")
        #expect(text(pool.leaseIdle()) == "wait")
    }

    @Test func servesThoseWhoWaitInTheOrderTheyCame() {
        var pool = Pool(limit: 1, waiterLimit: 10)
        _ = pool.ask()
        pool.wait("a", ticket: 1)
        pool.wait("b", ticket: 2)
        // A place freed goes to who waited, not to who just came.
        #expect(pool.giveBack(7) == ["a: idle 7"])
        #expect(pool.ask() == "wait")
        #expect(pool.giveBack(nil) == ["b: open"])
        #expect(pool.giveBack(8) == [])
        #expect(pool.ask() == "idle 8")
    }

    @Test func whoLeavesIsPassedOver() {
        var pool = Pool(limit: 1, waiterLimit: 10)
        _ = pool.ask()
        for ticket in 1...3 { pool.wait("\(ticket)", ticket: UInt64(ticket)) }
        #expect(pool.leave(1) == "1")
        #expect(pool.leave(1) == nil)
        #expect(pool.giveBack(7) == ["2: idle 7"])
        #expect(pool.leave(2) == nil)
        #expect(pool.waitingCount == 1)
    }

    @Test func whoWaitedTooLongIsTurnedAway() {
        var pool = Pool(limit: 1, waiterLimit: 10)
        _ = pool.ask()
        pool.wait("a", ticket: 1, until: 5)
        pool.wait("b", ticket: 2, until: 6)
        #expect(pool.expire(at: start + .seconds(4)).waiters == [])
        let expired = pool.expire(at: start + .seconds(5))
        #expect(expired.waiters == ["a"])
        #expect(expired.next == start + .seconds(6))
        #expect(pool.expire(at: start + .seconds(7)).next == nil)
        #expect(pool.timeouts == 2)
        #expect(pool.giveBack(7) == [])
    }

    @Test func tooManyWaitersAreTurnedAwayAtOnce() {
        var pool = Pool(limit: 1, waiterLimit: 1)
        _ = pool.ask()
        #expect(pool.ask() == "wait")
        pool.wait("a", ticket: 1)
        #expect(pool.ask() == "refused: \(PostgresError.poolExhausted)")
    }

    @Test func aServerThatRefusesIsLeftAloneForAWhile() {
        var pool = Pool(limit: 4, waiterLimit: 10)
        #expect(pool.ask() == "open")
        #expect(pool.fail() == [])
        #expect(pool.ask() == "refused: \(refusal)")
        // One may try when the pause is over, the others are refused while it does.
        #expect(pool.ask(after: 1) == "open")
        #expect(pool.ask(after: 1) == "refused: \(refusal)")
        _ = pool.fail(after: 1)
        #expect(pool.failures == 2)
        #expect(pool.ask(after: 1) == "refused: \(refusal)")
        #expect(pool.ask(after: 2) == "open")
        #expect(pool.opened(at: start).isEmpty)
        #expect(pool.failures == 0)
        #expect([pool.ask(after: 2), pool.ask(after: 2)] == ["open", "open"])
    }

    @Test func noneIsRefusedWhileAConnectionIsOutThatMayComeBack() {
        var pool = Pool(limit: 2, waiterLimit: 10)
        #expect([pool.ask(), pool.ask()] == ["open", "open"])
        _ = pool.opened(at: start)
        #expect(pool.fail() == [])
        #expect(pool.ask() == "wait")
        pool.wait("a", ticket: 1)
        #expect(pool.giveBack(7) == ["a: idle 7"])
    }

    @Test func thoseWhoWaitAreRefusedWhenNothingCanComeBack() {
        var pool = Pool(limit: 2, waiterLimit: 10)
        #expect([pool.ask(), pool.ask()] == ["open", "open"])
        pool.wait("a", ticket: 1)
        pool.wait("b", ticket: 2)
        #expect(pool.fail() == [])
        #expect(pool.fail() == ["a: refused: \(refusal)", "b: refused: \(refusal)"])
        #expect(pool.waitingCount == 0)
    }

    @Test func givingUpOnConnectingSaysNothingAboutTheServer() {
        var pool = Pool(limit: 1, waiterLimit: 10)
        _ = pool.ask()
        pool.wait("a", ticket: 1)
        #expect(pool.fail(with: .cancelled) == ["a: open"])
        #expect(pool.failures == 0)
    }

    @Test func aBrokenConnectionMakesRoomForANewOne() {
        var pool = Pool(limit: 1, waiterLimit: 10)
        _ = pool.ask()
        #expect(pool.giveBack(nil) == [])
        #expect(pool.openCount == 0)
        #expect(pool.ask() == "open")
    }

    @Test func closingTurnsEverybodyAwayAndKeepsNothing() {
        var pool = Pool(limit: 2, waiterLimit: 10)
        #expect([pool.ask(), pool.ask()] == ["open", "open"])
        #expect(pool.giveBack(1) == [])
        #expect(pool.close().connections == [1])
        #expect(pool.giveBack(2) == [])
        #expect(pool.openCount == 0)
        #expect(pool.ask() == "refused: \(poolIsClosed)")
    }

    @Test func closingTurnsAwayThoseWhoWait() {
        var pool = Pool(limit: 1, waiterLimit: 10)
        _ = pool.ask()
        pool.wait("a", ticket: 1)
        #expect(pool.close().answers.map { "\($0.waiter): \(text($0.grant))" } == ["a: refused: \(poolIsClosed)"])
        #expect(pool.giveBack(1) == [])
    }

    @Test func countsWhatWasLentAndHowLongItTook() {
        var pool = Pool(limit: 1, waiterLimit: 10)
        _ = pool.ask()
        pool.wait("a", ticket: 1)
        _ = pool.giveBack(7, after: 3)
        #expect(pool.acquisitions == 2)
        #expect(pool.totalWait == .seconds(3))
    }

    @Test func aLongLineStaysInOrder() {
        var pool = Pool(limit: 1, waiterLimit: 10_000)
        _ = pool.ask()
        for ticket in 1...1000 { pool.wait("\(ticket)", ticket: UInt64(ticket)) }
        for ticket in stride(from: 1, through: 1000, by: 3) { _ = pool.leave(UInt64(ticket)) }
        let served = (1...1000).flatMap { _ in pool.giveBack(0) }
        #expect(served == (1...1000).filter { $0 % 3 != 1 }.map { "\($0): idle 0" })
    }
}

@Suite struct BackoffTests {
    @Test(arguments: [(1, 50), (2, 100), (3, 200), (5, 800), (6, 1000), (1000, 1000)])
    func theCeilingDoublesUpToASecond(failures: Int, milliseconds: Int) {
        let backoff = Backoff()
        #expect(backoff.ceiling(afterFailures: failures) == .milliseconds(milliseconds))
        for _ in 0..<100 {
            #expect((.zero ... .milliseconds(milliseconds)).contains(backoff.pause(afterFailures: failures)))
        }
    }
}
