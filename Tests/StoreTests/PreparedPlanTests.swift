import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Verification

/// PostgreSQL weighs a plan for any values against one for these, and the first grows dearer with each partition: with a
/// month of history it would plan every guess anew, which takes longer than carrying it out.
@Suite struct PreparedPlanTests {
    @Test func guessesAndCodesAreNotPlannedAnewHoweverMuchHistoryThereIs() async throws {
        // One connection: its prepared statements are all there are.
        try await VerificationFixture.run(limit: 1) { fixture async throws in
            #expect(try await fixture.store.makePartitions(daysAhead: 60) > 200)
            let id = try await fixture.start()
            for _ in 0..<10 { _ = try await fixture.check(id, "0000") }
            _ = try await fixture.start()
            let plans = try await fixture.base.pool.query(
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%verifications%'"
            ) { row throws(PostgresError) in
                (generic: try row.decode(0, as: Int64.self), custom: try row.decode(1, as: Int64.self))
            }
            #expect(plans.count == 2)
            #expect(plans.allSatisfy { $0.generic > 0 && $0.custom == 0 })
        }
    }
}
