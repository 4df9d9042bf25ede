import Messaging
import Postgres
import Store
import TestDatabase
import TestSystem
import Testing
import Timestamps

/// The number of lanes is the database's, and raised while nothing else runs.
@Suite struct LaneCountTests {
    @Test func thereIsOneUntilThereAreMore() async throws {
        try await StoreFixture.run { fixture async throws in
            #expect(try await fixture.store.lanes() == [Lane(rawValue: 0)])
            let watch = try await DirectoryWatch(fixture.store) { $0.revision }
            #expect(watch.laneCount == 1)
            #expect(try await fixture.store.raiseLanes(to: 32))
            #expect(try await fixture.store.raiseLanes(to: 32) == false)
            #expect(try await fixture.store.lanes() == (0..<32).map { Lane(rawValue: $0) })
            try await watch.refresh()
            #expect(watch.laneCount == 32)
            await #expect(throws: LaneProblem.fewer(than: 32)) { try await fixture.store.raiseLanes(to: 8) }
            #expect(try await fixture.store.raiseLanes(to: 256))
            #expect(try await fixture.store.lanes().last == Lane(rawValue: 255))
        }
    }

    @Test func whatIsFoundByItsNameIsFoundAgain() async throws {
        try await VerificationFixture.run { fixture async throws in
            let numbers = (10..<40).map { "+417900000\($0)" }
            for number in numbers { _ = try await fixture.check(fixture.start(to: number), "0000") }
            let key = IdempotencyKey(lane: fixture.base.lane, key: "k", fingerprint: [1])
            let message = fixture.base.newMessage()
            _ = try await fixture.store.accept([
                Acceptance(account: fixture.account, messages: [message], idempotency: key)
            ])
            _ = try await fixture.base.pool.execute("UPDATE verifications SET code = NULL WHERE lane = 0")
            #expect(try await fixture.store.raiseLanes(to: 32))
            let choice = LaneChoice(lanes: Store.lanes(32))
            for number in numbers {
                let lane = choice.lane(of: number, account: fixture.account)
                #expect(try await fixture.store.unlock(recipient: number, lane: lane, account: fixture.account))
            }
            let earlier = try await fixture.store.accepted(
                under: "k", lane: choice.lane(of: "k", account: fixture.account), account: fixture.account)
            #expect(earlier?.ids == [message.id])
            let moved = try await fixture.base.pool.query(
                "SELECT lane, recipient FROM recipient_limits"
            ) { row throws(PostgresError) in
                (Lane(rawValue: UInt8(try row.decode(0, as: Int16.self))), try row.decode(1, as: String.self))
            }
            #expect(moved.count == numbers.count)
            #expect(moved.allSatisfy { choice.lane(of: $0.1, account: fixture.account) == $0.0 })
            // A message stays where its id says.
            #expect(try await fixture.store.timeline(of: message.id, account: fixture.account) != nil)
        }
    }

    /// More than one page of them.
    @Test func manyNamesAreMoved() async throws {
        try await StoreFixture.run { fixture async throws in
            _ = try await fixture.pool.execute(
                """
                INSERT INTO recipient_failures (lane, account_id, failures, failed_at, recipient)
                SELECT 0, 1 + n % 3, 1, now(), 'r' || n FROM generate_series(1, 20500) AS n
                """)
            #expect(try await fixture.store.raiseLanes(to: 4))
            let choice = LaneChoice(lanes: Store.lanes(4))
            let rows = try await fixture.pool.query("SELECT lane, account_id, recipient FROM recipient_failures") {
                row throws(PostgresError) in
                (
                    lane: Lane(rawValue: UInt8(try row.decode(0, as: Int16.self))),
                    account: AccountID(rawValue: try row.decode(1)), recipient: try row.decode(2, as: String.self)
                )
            }
            #expect(rows.count == 20_500)
            #expect(rows.allSatisfy { choice.lane(of: $0.recipient, account: $0.account) == $0.lane })
        }
    }

    @Test func nothingIsRaisedWhileSomebodyLooksInTheOldPlaces() async throws {
        try await VerificationFixture.run { fixture async throws in
            let store = fixture.store
            let worker = try await store.registerWorker(name: "test", lease: .seconds(600))
            await #expect(throws: LaneProblem.workersAlive(1)) { try await store.raiseLanes(to: 2) }
            try await store.unregisterWorker(worker)
            _ = try await fixture.start()
            await #expect { try await store.raiseLanes(to: 2) } throws: { error in
                if case LaneProblem.codesAlive = error { true } else { false }
            }
            _ = try await fixture.base.pool.execute("UPDATE verifications SET expires_at = now() WHERE lane = 0")
            let other = ConnectionPool(
                ConnectionPool.Configuration(url: fixture.base.url, applicationName: "pinpost-api"),
                poller: TestDatabase.poller)
            _ = try await other.execute("SELECT 1")
            await #expect(throws: LaneProblem.inUse(["pinpost-api"])) { try await store.raiseLanes(to: 2) }
            other.close()
            #expect(try await store.lanes().count == 1)
        }
    }

    @Test func hintsNameLanes() {
        #expect(Store.lanes(ofHint: "") == nil)
        #expect(Store.lanes(ofHint: "0,31,255") == [Lane(rawValue: 0), Lane(rawValue: 31), Lane(rawValue: 255)])
        #expect(Store.lanes(ofHint: "what") == nil)
    }
}
