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

    /// A plan for any day would have a part for each that is kept, and be made and carried out in ever more time.
    @Test func plansHaveTheDaysOfTheirBatchAndNoOthers() async throws {
        try await StoreFixture.run { fixture async throws in
            let log = try await PlanLog(ofDatabaseAt: fixture.url)
            defer { log.close() }
            #expect(try await fixture.store.makePartitions(daysAhead: 60) > 200)
            for day in 2...20 { try await fixture.makeDay(try await fixture.store.today() - Int32(day)) }
            let verifications = try await VerificationFixture(fixture, ApplicationSettings(name: "test"))
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let events = EventFixture(base: fixture, account: verifications.account, worker: worker)
            _ = try await events.endpoint()
            _ = try log.new()
            let ids = try await fixture.accept([fixture.newMessage()], account: verifications.account)
            let claims = try await fixture.claim(worker)
            let settled = claims.map { fixture.settled($0, parts: ["part"]) }
            _ = try await fixture.store.settle(settled, lane: fixture.lane, worker: worker)
            _ = try await fixture.store.apply([fixture.receipt(ids[0], part: "part", covers: true)])
            _ = try await fixture.store.apply([fixture.receipt(nil, part: "part", covers: true)])
            _ = try await fixture.store.timeline(of: ids[0], account: verifications.account)
            _ = try await events.settle(try await events.claim())
            let code = try await verifications.start()
            _ = try await verifications.check(code, "0000")
            let plans = try log.new().filter { statement in !statement.tables.isEmpty }
            #expect(plans.count > 10)
            for plan in plans {
                // A message may be claimed that was accepted eleven days ago.
                let limit = plan.text.contains("WITH RECURSIVE wanted") ? 13 : 3
                #expect(plan.days.count <= limit && !plan.isPrunedLate, "\(plan.text)")
            }
        }
    }
}
