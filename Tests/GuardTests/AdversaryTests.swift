import Messaging
import Testing
import Timestamps

@testable import Guard

/// Attacks on an account amid its ordinary traffic, with money to lose: the guard trips before 1 % of it is spent, and refuses nobody
/// else. The same each time: the clock and the dice are the test's.
@Suite(.timeLimit(.minutes(10))) struct AdversaryTests {
    static let price = 0.05

    /// What the attack would send, one message each.
    private struct Attack: CustomTestStringConvertible {
        var testDescription: String
        /// Between two messages.
        var pause: Duration
        var count: Int
        /// The number for a message.
        var number: @Sendable (Int) -> String
    }

    private static let attacks = [
        Attack(testDescription: "sequential blocks, as fast as can be", pause: .milliseconds(100), count: 15_000) {
            "+99255\(1_000_000 + $0)"
        },
        Attack(
            testDescription: "ten of each block of neighbours, block after block", pause: .milliseconds(200),
            count: 40_000
        ) {
            "+99255\(1000 + $0 / 10)\(100 + $0 % 10 * 7)"
        },
        // For a day.
        Attack(testDescription: "one an hour to each of 1,000 blocks", pause: .milliseconds(3600), count: 24_000) {
            "+99255\(1000 + $0 % 1000)\(100 + $0 / 1000 * 37 % 900)"
        },
        Attack(
            testDescription: "blocks of a network in a country with customers", pause: .milliseconds(3600),
            count: 24_000
        ) {
            "+44791\(1000 + $0 % 1000)\(100 + $0 / 1000 * 37 % 900)"
        },
    ]

    /// People who log in, four a minute, in four countries: 60 to 90 of 100 use their codes within a minute.
    private struct Customers {
        private var random = Seeded(42)
        private var due: [(at: Timestamp, number: String)] = []
        private var next: Timestamp
        private(set) var sent = 0
        private(set) var refusals: [GuardReason] = []

        private static let places: [(prefix: String, digits: Int, conversion: Int)] = [
            ("+4474", 8, 85), ("+4179", 7, 90), ("+4915", 9, 75), ("+1201", 7, 60),
        ]

        init(from start: Timestamp) { self.next = start }

        mutating func act(_ watchman: inout Watchman) {
            while let first = self.due.first, first.at <= watchman.now {
                watchman.use(first.number)
                self.due.removeFirst()
            }
            guard watchman.now >= self.next else { return }
            self.next = watchman.now + .seconds(15)
            let place = Self.places[Int.random(in: 0..<Self.places.count, using: &self.random)]
            let digits = (0..<place.digits).map { _ in "\(Int.random(in: 2...9, using: &self.random))" }.joined()
            self.sent += 1
            if let refusal = watchman.refusal(place.prefix + digits) { self.refusals.append(refusal) }
            guard Int.random(in: 0..<100, using: &self.random) < place.conversion else { return }
            self.due.append(
                (watchman.now + .seconds(Int.random(in: 5...60, using: &self.random)), place.prefix + digits))
            self.due.sort { $0.at < $1.at }
        }
    }

    @Test(arguments: attacks) private func pumpingIsStoppedAndNobodyElse(attack: Attack) {
        let (spent, customers, tripped) = Self.run(attack, Watchman())
        let budget = Double(attack.count) * Self.price
        #expect(
            tripped != nil && spent < budget / 100, "\(spent) of \(budget), tripped by \(String(describing: tripped))")
        #expect(customers.refusals == [], "of \(customers.sent)")
        #expect(customers.sent >= 100)
    }

    /// That the test would notice.
    @Test(arguments: attacks) private func withTheGuardOffAllOfItIsSpent(attack: Attack) {
        var watchman = Watchman()
        watchman.policy.mode = .watch
        var attack = attack
        attack.count /= 10
        let (spent, _, _) = Self.run(attack, watchman)
        #expect(spent > Double(attack.count) * Self.price * 0.999)
    }

    private static func run(
        _ attack: Attack, _ watchman: Watchman
    ) -> (spent: Double, customers: Customers, tripped: GuardReason?) {
        var watchman = watchman
        var customers = Customers(from: watchman.now)
        var spent = 0.0
        var tripped: GuardReason?
        for number in 0..<attack.count {
            watchman.pass(attack.pause)
            customers.act(&watchman)
            if let refusal = watchman.refusal(attack.number(number)) {
                tripped = tripped ?? refusal
            } else {
                spent += Self.price
            }
        }
        return (spent, customers, tripped)
    }

    /// Random numbers of the networks that the customers have, one and a half times as many: nothing but that fewer are used than on
    /// the day before tells them apart. What is blocked then is the country with its customers in it.
    @Test(arguments: [true, false]) func aPumpAmongTheCustomersIsFoundByTheFallInUse(isPumped: Bool) {
        var watchman = Watchman()
        var random = Seeded(17)
        var (spent, tripped) = (0, nil as Int?)
        var due: [(at: Timestamp, number: String)] = []
        let number = { (random: inout Seeded) in "+4474\(Int.random(in: 10_000_000...99_999_999, using: &random))" }
        // Two days and a half, twice as many by day as by night.
        for second in 0..<216_000 {
            watchman.pass(.seconds(1))
            while let first = due.first, first.at <= watchman.now {
                watchman.use(first.number)
                due.removeFirst()
            }
            if second % (second % 86_400 < 43_200 ? 40 : 80) == 0 {
                let number = number(&random)
                let refusal = watchman.refusal(number)
                if refusal != nil, !isPumped { #expect(refusal == nil, "at \(second)") }
                if refusal == nil, Int.random(in: 0..<100, using: &random) < 80 {
                    due.append((watchman.now + .seconds(60), number))
                }
            }
            guard isPumped, second >= 172_800, second % 27 == 0, tripped == nil else { continue }
            if watchman.refusal(number(&random)) == nil { spent += 1 } else { tripped = second }
        }
        guard isPumped else { return }
        // Of what a week would have cost.
        #expect(tripped != nil && spent < 604_800 / 27 / 100, "\(spent), at \(String(describing: tripped))")
    }

    /// 10,000 numbers, five guesses at each, from 150 addresses, while customers mistype now and then.
    @Test func sprayedGuessesAreStoppedAndTyposAreNot() {
        var watchman = Watchman()
        var random = Seeded(1)
        var evaluated = 0
        var refusedCustomers = 0
        // They have logged in before.
        for place in 0..<250 {
            let customer = GuardCaller(address: "203.0.113.\(place)")
            watchman.state.guessed(isRight: true, of: Watchman.account, customer, at: watchman.now)
        }
        for guess in 0..<50_000 {
            watchman.pass(.milliseconds(50))
            let caller = GuardCaller(address: "198.51.100.\(guess % 150)")
            if watchman.state.judgeGuess(of: Watchman.account, caller, watchman.policy, at: watchman.now) == nil {
                evaluated += 1
                watchman.state.guessed(isRight: false, of: Watchman.account, caller, at: watchman.now)
            }
            guard guess % 40 == 0 else { continue }
            let customer = GuardCaller(address: "203.0.113.\(guess / 40 % 250)", device: "device \(guess)")
            for isRight in Int.random(in: 0..<10, using: &random) == 0 ? [false, true] : [true] {
                let refusal = watchman.state.judgeGuess(
                    of: Watchman.account, customer, watchman.policy, at: watchman.now)
                if refusal != nil { refusedCustomers += 1 }
                watchman.state.guessed(isRight: isRight, of: Watchman.account, customer, at: watchman.now)
            }
        }
        #expect(evaluated < 500, "\(evaluated)")
        #expect(refusedCustomers == 0)
    }

    /// However long it goes on, each time it is let in again it gets less than before.
    @Test func aBlockLastsTwiceAsLongEachTime() {
        #expect(GuardBlock.firstDuration == .seconds(900))
        #expect(GuardBlock.permanentLevel == 8)
    }
}
