import Messaging
import Postgres
import Store
import TestDatabase
import TestSystem
import Testing
import Timestamps
import Verification

/// As ``ChargingTests``, of codes.
@Suite(.bothWays) struct CodeChargingTests {
    private typealias Fixture = VerificationFixture

    @Test func aCodeThatCannotBePaidCountsTowardsNothing() async throws {
        try await Fixture.run(recipientSendLimit: "1/1d") { fixture async throws in
            try await fixture.base.prepay(10, fixture.account)
            let key = IdempotencyKey(lane: fixture.base.lane, key: "k", fingerprint: [7])
            #expect(try await fixture.store.send([fixture.sending(price: 11, key: key)]) == [.outOfBalance])
            for table: SQL in [
                "SELECT count(*) FROM recipient_limits", "SELECT count(*) FROM verifications",
                "SELECT count(*) FROM idempotency_keys", "SELECT count(*) FROM messages",
            ] { #expect(try await fixture.base.count(table) == 0) }
            #expect(try await fixture.store.send([fixture.sending(price: 10, key: key)]) == [.sent])
            #expect(try await fixture.base.balances() == [0])
            guard case .repeated = try await fixture.store.send([fixture.sending(price: 10, key: key)])[0] else {
                Issue.record("an answer under a key is not charged again")
                return
            }
        }
    }

    @Test func whatALimitRefusesIsNotCharged() async throws {
        try await Fixture.run(recipientSendLimit: "1/1d") { fixture async throws in
            try await fixture.base.prepay(100, fixture.account)
            #expect(try await fixture.store.send([fixture.sending(price: 10)]) == [.sent])
            guard case .limited = try await fixture.store.send([fixture.sending(price: 10)])[0] else {
                Issue.record("not limited")
                return
            }
            #expect(try await fixture.base.balances() == [90])
        }
    }

    /// Those of one recipient go one after the other, and a dear one is in nobody's way.
    @Test func inABatchEachIsJudgedByItself() async throws {
        try await Fixture.run { fixture async throws in
            try await fixture.base.prepay(20, fixture.account)
            let batch = [
                try fixture.sending(price: 30), try fixture.sending(price: 5),
                try fixture.sending(to: "+41790000002", price: 15), try fixture.sending(to: "+41790000003", price: 10),
                try fixture.sending(to: "+41790000004"),
            ]
            #expect(try await fixture.store.send(batch) == [.outOfBalance, .again, .sent, .again, .sent])
            #expect(try await fixture.store.send([batch[1], batch[3]]) == [.sent, .outOfBalance])
            #expect(try await fixture.base.balances() == [0])
        }
    }

    @Test func aResendIsPaidAsAnyOther() async throws {
        try await Fixture.run { fixture async throws in
            try await fixture.base.prepay(15, fixture.account)
            let sending = try fixture.sending(price: 10)
            #expect(try await fixture.store.send([sending]) == [.sent])
            var again = fixture.resending(sending.verification)
            again.message = fixture.base.priced(10)
            #expect(try await fixture.store.send([again]) == [.outOfBalance])
            #expect(try await fixture.store.verification(sending.verification, of: fixture.account)?.sends == 1)
            try await fixture.base.prepay(5, fixture.account)
            #expect(try await fixture.store.send([again]) == [.sent])
            #expect(try await fixture.base.balances() == [0])
        }
    }

    @Test(arguments: [[10], [10, 1, 7, 40, 200]] as [[Int64]], [false, true])
    func manyAtOnceSpendWhatThereIsAndNoMore(prices: [Int64], keyed: Bool) async throws {
        try await Fixture.run { fixture async throws in
            try await fixture.base.prepay(100, fixture.account)
            let pools = (0..<4).map { _ in TestDatabase.pool(fixture.base.url, limit: 3) }
            let results = try await withThrowingTaskGroup(of: (price: Int64, isSent: Bool).self) { group in
                for index in 0..<64 {
                    let store = Store(pools[index % pools.count])
                    let price = prices[index % prices.count]
                    let key = IdempotencyKey(lane: fixture.base.lane, key: "k\(index)", fingerprint: [7])
                    // Some are for one recipient, most are not.
                    let sending = try fixture.sending(
                        to: "+417900000\(10 + index % 40)", price: price, key: keyed ? key : nil)
                    group.addTask {
                        var result = SendingResult.again
                        while result == .again { result = try await store.send([sending])[0] }
                        return (price, result == .sent)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let sent = results.filter(\.isSent).map(\.price).reduce(0, +)
            for pool in pools { pool.close() }
            #expect(try await fixture.base.balances() == [100 - sent])
            #expect(
                try await fixture.base.count("SELECT sum(price)::bigint FROM messages JOIN outbox USING (lane, id)")
                    == Int(sent))
            if prices.count == 1 { #expect(try await fixture.base.count("SELECT count(*) FROM verifications") == 10) }
            #expect(results.allSatisfy { $0.isSent || $0.price > 100 - sent }, "what is left would buy a refused one")
            #expect(
                try await fixture.base.count("SELECT coalesce(sum(sends), 0)::bigint FROM recipient_limits")
                    == fixture.base.count("SELECT count(*) FROM verifications"))
        }
    }

    /// Messages and codes of one account, batches crossing each other.
    @Test func messagesAndCodesShareABalance() async throws {
        try await Fixture.run { fixture async throws in
            try await fixture.base.prepay(100, fixture.account)
            let pools = (0..<4).map { _ in TestDatabase.pool(fixture.base.url, limit: 3) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<32 {
                    let store = Store(pools[index % pools.count])
                    let key = IdempotencyKey(lane: fixture.base.lane, key: "k\(index % 16)", fingerprint: [7])
                    let request = Acceptance(
                        account: fixture.account, messages: [fixture.base.priced(10)], idempotency: key)
                    let sending = try fixture.sending(to: "+4179000001\(index % 10)", price: 10, key: key)
                    group.addTask { _ = try await store.accept([request]) }
                    group.addTask {
                        // As `Verifier` does it.
                        do { _ = try await store.send([sending]) } catch PostgresError.server(.uniqueViolation, _, _) {
                            _ = try await store.send([sending])
                        }
                    }
                }
                try await group.waitForAll()
            }
            for pool in pools { pool.close() }
            #expect(try await fixture.base.balances() == [0])
            #expect(try await fixture.base.count("SELECT count(*) FROM messages") == 10)
        }
    }
}

extension VerificationFixture {
    fileprivate func sending(
        to number: String = Self.number, price: Int64, key: IdempotencyKey? = nil
    ) throws -> Sending {
        var sending = try self.sending(to: number, key: key)
        sending.message = self.base.priced(price, recipient: number)
        return sending
    }
}
