import Messaging
import Postgres
import Store
import TestDatabase
import TestSystem
import Testing
import Timestamps
import Verification

/// What prepaid accounts pay for messages, and what they do not get when they cannot.
@Suite(.bothWays) struct ChargingTests {
    @Test func whatIsStoredIsPaidForAndToldWhatIsLeft() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.prepay(100)
            let requests = [fixture.purchase(10, 20), fixture.purchase(nil), fixture.purchase(30)]
            let left = AcceptanceResult.accepted(balance: Money(rawValue: 40))
            #expect(try await fixture.store.accept(requests) == [left, .accepted(balance: nil), left])
            #expect(try await fixture.balances() == [40])
            let message = try #require(
                try await fixture.store.timeline(of: requests[0].messages[1].id, account: fixture.account)?.message)
            #expect(message.price == Price(amount: Money(rawValue: 20), network: "22801"))
            #expect(message.currency == "EUR")
        }
    }

    @Test func whoPaysAfterwardsIsNeitherChargedNorRefused() async throws {
        try await StoreFixture.run { fixture async throws in
            #expect(try await fixture.store.accept([fixture.purchase(.max)]) == [.accepted(balance: nil)])
            #expect(try await fixture.balances() == [])
        }
    }

    @Test func aRequestIsChargedWholeOrRefusedWhole() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.prepay(25)
            #expect(try await fixture.store.accept([fixture.purchase(10, 10, 10)]) == [.outOfBalance])
            #expect(try await fixture.balances() == [25])
            for table: SQL in [
                "SELECT count(*) FROM messages", "SELECT count(*) FROM outbox",
                "SELECT count(*) FROM idempotency_keys",
            ] { #expect(try await fixture.count(table) == 0) }
        }
    }

    /// A dear one is refused by itself; of the others those in front go first.
    @Test func aDearRequestDoesNotRefuseTheCheapOnesBehindIt() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.prepay(25)
            let requests = [26, 10, .max, 10, 10, 5].map { fixture.purchase($0) }
            let left = AcceptanceResult.accepted(balance: Money(rawValue: 5))
            #expect(
                try await fixture.store.accept(requests) == [.outOfBalance, left, .outOfBalance, left, .again, .again])
            #expect(
                try await fixture.store.accept(Array(requests.suffix(2)))
                    == [.outOfBalance, .accepted(balance: .zero)])
            #expect(try await fixture.balances() == [0])
        }
    }

    /// What there was when the statement began would not do; what is there when it has the lock does.
    @Test func aRequestThatWaitsForATopUpIsPaidFromIt() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.prepay(5)
            let accepting = try await fixture.pool.transaction { transaction in
                _ = try await transaction.execute("UPDATE balances SET balance = 100")
                let accepting = Task { try await fixture.store.accept([fixture.purchase(30)]) }
                try await fixture.waitForALock()
                return accepting
            }
            #expect(try await accepting.value == [.accepted(balance: Money(rawValue: 70))])
        }
    }

    @Test func accountsOfABatchPayEachItsOwn() async throws {
        try await StoreFixture.run { fixture async throws in
            let other = AccountID(rawValue: 2)
            try await fixture.prepay(10)
            try await fixture.prepay(100, other)
            let results = try await fixture.store.accept([
                fixture.purchase(10, account: other), fixture.purchase(10), fixture.purchase(1),
                fixture.purchase(20, account: other), fixture.purchase(5, account: AccountID(rawValue: 3)),
            ])
            let rich = AcceptanceResult.accepted(balance: Money(rawValue: 70))
            #expect(results == [rich, .accepted(balance: .zero), .again, rich, .accepted(balance: nil)])
            #expect(try await fixture.balances() == [0, 70])
        }
    }

    @Test func aRepeatedRequestPaysOnceHoweverLittleIsLeft() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.prepay(10)
            let first = fixture.purchase(10, key: "k")
            #expect(try await fixture.store.accept([first]) == [.accepted(balance: .zero)])
            let repeated = AcceptanceResult.repeated(
                EarlierAcceptance(ids: first.messages.map(\.id), fingerprint: [7]))
            #expect(try await fixture.store.accept([fixture.purchase(10, key: "k")]) == [repeated])
            // Again while there is enough.
            try await fixture.prepay(20)
            let batch = [
                fixture.purchase(10, key: "k"), fixture.purchase(10, key: "l"), fixture.purchase(10, key: "l"),
            ]
            let results = try await fixture.store.accept(batch)
            #expect(results[0] == repeated)
            #expect(try await fixture.balances() == [10])
            #expect(try await fixture.count("SELECT count(*) FROM messages") == 2)
        }
    }

    @Test func aRefusedRequestLeavesItsKeyFree() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.prepay(5)
            #expect(try await fixture.store.accept([fixture.purchase(10, key: "k")]) == [.outOfBalance])
            try await fixture.prepay(5)
            #expect(try await fixture.store.accept([fixture.purchase(10, key: "k")]) == [.accepted(balance: .zero)])
        }
    }

    /// Through pools of their own, as processes have them; each price, with and without keys.
    @Test(arguments: [[10], [10, 1, 7, 40, 200]] as [[Int64]], [false, true])
    func manyAtOnceSpendWhatThereIsAndNoMore(prices: [Int64], keyed: Bool) async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.prepay(100)
            let pools = (0..<4).map { _ in TestDatabase.pool(fixture.url, limit: 3) }
            let results = try await withThrowingTaskGroup(of: (price: Int64, isPaid: Bool).self) { group in
                for index in 0..<64 {
                    let store = Store(pools[index % pools.count])
                    let price = prices[index % prices.count]
                    let request = fixture.purchase(price, key: keyed ? "k\(index)" : nil)
                    group.addTask { (price, try await !store.acceptInRounds([request]).isEmpty) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let paid = results.filter(\.isPaid).map(\.price).reduce(0, +)
            for pool in pools { pool.close() }
            #expect(try await fixture.balances() == [100 - paid])
            #expect(try await fixture.count("SELECT coalesce(sum(price), 0)::bigint FROM messages") == Int(paid))
            #expect(try await fixture.count("SELECT count(*) FROM outbox o JOIN messages USING (lane, id)") > 0)
            if prices.count == 1 { #expect(try await fixture.count("SELECT count(*) FROM messages") == 10) }
            #expect(results.allSatisfy { $0.isPaid || $0.price > 100 - paid }, "what is left would buy a refused one")
        }
    }

    /// Batches of several accounts, from all sides and against top-ups and cancellations: nobody waits in a circle.
    @Test func noMoneyIsLostAmongManyAccounts() async throws {
        try await StoreFixture.run { fixture async throws in
            let accounts = (1...4).map { AccountID(rawValue: $0) }
            for account in accounts { try await fixture.prepay(1000, account) }
            let pools = (0..<4).map { _ in TestDatabase.pool(fixture.url, limit: 3) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<40 {
                    let store = Store(pools[round % pools.count])
                    let batch = (0..<20).map { index in
                        fixture.purchase(
                            Int64(1 + (round + index) % 9), account: accounts[(index &* 7 + round) % 4],
                            key: index % 3 == 0 ? "shared \(index)" : nil)
                    }
                    group.addTask {
                        let stored = try await store.acceptInRounds(batch)
                        for request in stored.prefix(3) {
                            _ = try await store.cancel(request.messages[0].id, account: request.account)
                        }
                        _ = try await store.topUp(
                            accounts[round % 4], by: Money(rawValue: 10), name: "round \(round)")
                    }
                }
                try await group.waitForAll()
            }
            for pool in pools { pool.close() }
            // What was paid in is there, or in messages that were not cancelled.
            let spent = try await fixture.count(
                "SELECT coalesce(sum(price), 0)::bigint FROM messages WHERE state <> 'cancelled'")
            #expect(try await fixture.balances().reduce(0, +) == Int64(4400 - spent))
            #expect(try await fixture.count("SELECT count(*) FROM messages WHERE state = 'cancelled'") > 0)
        }
    }

    @Test func whatIsCancelledInTimeIsGivenBackOnce() async throws {
        try await StoreFixture.run { fixture async throws in
            let before = fixture.purchase(5)
            #expect(try await fixture.store.accept([before]) == [.accepted(balance: nil)])
            try await fixture.prepay(30)
            let queued = fixture.purchase(10)
            let later = Acceptance(
                account: fixture.account, messages: [fixture.priced(10, sendAt: .now + .seconds(3600))],
                idempotency: nil)
            let sent = fixture.purchase(10)
            _ = try await fixture.store.accept([queued, later, sent])
            #expect(try await fixture.balances() == [0])
            for request in [queued, later, queued] {
                let result = try await fixture.store.cancel(request.messages[0].id, account: fixture.account)
                #expect(result == .cancelled || result == .refused(.cancelled))
            }
            #expect(try await fixture.balances() == [20])
            // It was accepted before anything was paid in, and cost nothing.
            #expect(try await fixture.store.cancel(before.messages[0].id, account: fixture.account) == .cancelled)
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            #expect(try await fixture.claim(worker).count == 1)
            #expect(
                try await fixture.store.cancel(sent.messages[0].id, account: fixture.account) == .refused(.sending))
            #expect(try await fixture.balances() == [20])
        }
    }

    @Test func aTopUpCountsOnceAndNeverTakesMoreThanThereIs() async throws {
        try await StoreFixture.run { fixture async throws in
            func topUp(_ name: String, _ amount: Int64) async throws -> TopUpResult {
                try await fixture.store.topUp(fixture.account, by: Money(rawValue: amount), name: name)
            }
            try await fixture.makeAccount(fixture.account)
            #expect(try await topUp("a", -1) == .outOfRange)
            #expect(try await fixture.balances() == [])
            #expect(try await topUp("a", 100) == .made(balance: Money(rawValue: 100)))
            #expect(try await topUp("a", 100) == .repeated(balance: Money(rawValue: 100)))
            #expect(try await topUp("a", 99) == .nameTaken)
            #expect(try await topUp("b", -101) == .outOfRange)
            #expect(try await topUp("b", -40) == .made(balance: Money(rawValue: 60)))
            #expect(try await topUp("c", Store.balanceLimit.rawValue) == .outOfRange)
            #expect(try await topUp("c", .max) == .outOfRange)
            #expect(try await fixture.balances() == [60])
            let results = try await withThrowingTaskGroup(of: TopUpResult.self) { group in
                for _ in 0..<8 { group.addTask { try await topUp("race", 1) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.count { $0 == .made(balance: Money(rawValue: 61)) } == 1)
            #expect(try await fixture.balances() == [61])
        }
    }

    @Test func thePlanGoesByTheBalancesKey() async throws {
        try await StoreFixture.run(limit: 1) { fixture async throws in
            _ = try await fixture.pool.execute(
                """
                WITH a AS (
                    INSERT INTO accounts (id, name) OVERRIDING SYSTEM VALUE
                    SELECT n, 'account ' || n FROM generate_series(1, 5000) n RETURNING id
                )
                INSERT INTO balances SELECT id, 1000 FROM a
                """)
            // Once planned while it was known to be empty, perhaps; then for any number of rows.
            let before = try await Scans(fixture)
            for number in 1...8 {
                let account = AccountID(rawValue: Int32(number))
                #expect(
                    try await fixture.store.accept([fixture.purchase(nil, account: account)])[0]
                        == .accepted(balance: nil))
            }
            #expect(try await Scans(fixture).since(before).rows(named: "balances") == 0)
            for number in 1...8 {
                let account = AccountID(rawValue: Int32(number))
                #expect(
                    try await fixture.store.accept([fixture.purchase(1, account: account)])
                        == [.accepted(balance: Money(rawValue: 999))])
            }
        }
    }
}

extension StoreFixture {
    /// A message with a price.
    func priced(_ price: Int64?, recipient: String = "+41790000001", sendAt: Timestamp? = nil) -> NewMessage {
        var message = self.newMessage(recipient: recipient, sendAt: sendAt)
        message.price = price.map { Price(amount: Money(rawValue: $0), network: "22801") }
        return message
    }

    /// A request with a message for each price.
    fileprivate func purchase(_ prices: Int64?..., account: AccountID? = nil, key: String? = nil) -> Acceptance {
        Acceptance(
            account: account ?? self.account, messages: prices.map { self.priced($0) },
            idempotency: key.map { IdempotencyKey(lane: self.lane, key: $0, fingerprint: [7]) })
    }

    func makeAccount(_ account: AccountID) async throws {
        _ = try await self.pool.execute(
            """
            INSERT INTO accounts (id, name) OVERRIDING SYSTEM VALUE VALUES (\(account.rawValue), gen_random_uuid()::text)
            ON CONFLICT DO NOTHING
            """)
    }

    /// Pays something in; the account is made if it does not exist.
    func prepay(_ amount: Int64, _ account: AccountID? = nil) async throws {
        let account = account ?? self.account
        try await self.makeAccount(account)
        let result = try await self.store.topUp(account, by: Money(rawValue: amount), name: "\(self.newMessage().id)")
        guard case .made = result else { throw VerificationFixture.FixtureError() }
    }

    /// What all prepaid accounts have, in their order.
    func balances() async throws -> [Int64] {
        try await self.pool.query("SELECT balance FROM balances ORDER BY account_id") { row throws(PostgresError) in
            try row.decode(0, as: Int64.self)
        }
    }
}

extension Store {
    /// Comes again with those that have to; returns those that were accepted.
    fileprivate func acceptInRounds(_ requests: [Acceptance]) async throws -> [Acceptance] {
        var waiting = requests
        var accepted: [Acceptance] = []
        while !waiting.isEmpty {
            let results = Array(zip(waiting, try await self.accept(waiting)))
            accepted += results.filter { if case .accepted = $0.1 { true } else { false } }.map(\.0)
            waiting = results.filter { $0.1 == .again }.map(\.0)
        }
        return accepted
    }
}
