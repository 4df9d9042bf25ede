import HTTP
import JSON
import Postgres
import TestSystem
import Testing

@Suite(.timeLimit(.minutes(3))) struct CommitTests {
    @Test func simultaneousRequestsShareCommits() async throws {
        try await IntakeFixture.run { fixture async throws in
            let before = try await fixture.transactions
            let statuses = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<200 { group.addTask { await fixture.post(IntakeFixture.message).status } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 202, count: 200))
            let transactions = try await fixture.system.count("SELECT count(DISTINCT xmin::text) FROM messages")
            #expect(transactions <= 50, "\(transactions) transactions for 200 requests")
            #expect(try await fixture.transactions - before < 80)
            #expect(fixture.accepted.now == transactions)
            #expect(try await fixture.stored == 200)
        }
    }

    /// What shares a statement shares no fate: each is answered for itself.
    @Test func aRefusedNeighbourCostsNothing() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = await fixture.post(IntakeFixture.message, idempotencyKey: "taken")
            let statuses = await withTaskGroup(of: (Int, Int).self) { group in
                for index in 0..<90 {
                    group.addTask {
                        switch index % 3 {
                        case 0: (0, await fixture.post(IntakeFixture.message).status)
                        case 1: (1, await fixture.post(["to": "0790000077"]).status)
                        default:
                            (
                                2,
                                await fixture.post(
                                    IntakeFixture.message.with(["ttl": 60]), idempotencyKey: "taken"
                                ).status
                            )
                        }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0, default: Set<Int>()].insert($1.1) }
            }
            #expect(statuses[0] == [202])
            #expect(statuses[1] == [422])
            #expect(statuses[2]?.isSubset(of: [422, 409]) == true)
            #expect(try await fixture.stored == 31)
        }
    }

    @Test func nothingIsAnsweredBeforeItsCommit() async throws {
        try await IntakeFixture.run { fixture async throws in
            try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                try await fixture.system.locking("outbox") {
                    group.addTask { await fixture.post(IntakeFixture.message) }
                    try await fixture.waitForLockWaits(1)
                    #expect(fixture.accepted.now == 0)
                }
                #expect(try await group.next()?.status == 202)
                #expect(fixture.accepted.now == 1)
            }
        }
    }
}

extension IntakeFixture {
    /// Transactions that this database has committed, as it counts them itself.
    fileprivate var transactions: Int {
        get async throws {
            _ = try await self.system.count("SELECT count(*) FROM (SELECT pg_stat_force_next_flush()) f")
            return try await self.system.count(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        }
    }
}
