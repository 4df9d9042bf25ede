import Messaging
import Postgres
import Store
import Testing

/// A provider's rate is shared by all workers and never exceeded, however they come and go.
@Suite struct ShareTests {
    private static let provider = ProviderID(rawValue: 1)

    private func renew(_ fixture: StoreFixture, _ worker: Int32, of rate: Int32) async throws -> Int32 {
        let shares = try await fixture.store.renewShares(
            of: [Self.provider: rate], worker: WorkerID(rawValue: worker))
        return try #require(shares[Self.provider])
    }

    private static let granted: SQL = "SELECT coalesce(sum(share), 0) FROM provider_shares WHERE until > now()"

    @Test func aLoneWorkerHasItAll() async throws {
        try await StoreFixture.run { fixture async throws in
            #expect(try await self.renew(fixture, 1, of: 30) == 30)
            #expect(try await self.renew(fixture, 1, of: 7) == 7)
        }
    }

    @Test func whoComesGetsItsPartWhenTheOthersHaveComeBack() async throws {
        try await StoreFixture.run { fixture async throws in
            #expect(try await self.renew(fixture, 1, of: 31) == 31)
            #expect(try await self.renew(fixture, 2, of: 31) == 0)
            #expect(try await self.renew(fixture, 1, of: 31) == 16)
            #expect(try await self.renew(fixture, 2, of: 31) == 15)
            #expect(try await self.renew(fixture, 3, of: 31) == 0)
        }
    }

    @Test func whatLapsedIsFreeAgain() async throws {
        try await StoreFixture.run { fixture async throws in
            #expect(try await self.renew(fixture, 1, of: 30) == 30)
            _ = try await fixture.pool.execute("UPDATE provider_shares SET until = now()")
            #expect(try await self.renew(fixture, 2, of: 30) == 30)
        }
    }

    @Test(arguments: [1, 3, 30, 1000] as [Int32]) func noMoreIsEverGranted(rate: Int32) async throws {
        try await StoreFixture.run { fixture async throws in
            // Three rounds of five at once, in any order; between them one goes and its share lapses.
            for round in 1...6 as ClosedRange<Int32> {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in round...(round + 4) {
                        group.addTask { _ = try await self.renew(fixture, worker, of: rate) }
                    }
                    try await group.waitForAll()
                }
                #expect(try await fixture.count(Self.granted) <= Int(rate))
                if round == 3 {
                    _ = try await fixture.pool.execute(
                        "UPDATE provider_shares SET until = now() WHERE worker_id = \(round)")
                }
            }
            _ = try await fixture.pool.execute("UPDATE provider_shares SET until = now() WHERE worker_id < 6")
            for _ in 1...3 {
                for worker in 6...10 as ClosedRange<Int32> { _ = try await self.renew(fixture, worker, of: rate) }
            }
            #expect(try await fixture.count(Self.granted) == Int(rate))
        }
    }
}
