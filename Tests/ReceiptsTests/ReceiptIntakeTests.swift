import HTTP
import Messaging
import Postgres
import PostgresServer
import Receipts
import Store
import Synchronization
import Telemetry
import TestDatabase
import TestSystem
import Testing

private final class Answered: Sendable {
    let flag = Atomic(false)
}

@Suite(.timeLimit(.minutes(3))) struct ReceiptIntakeTests {
    @Test func aReceiptMovesItsMessageOnceItIsCommitted() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let ids = try await fixture.handedOver([["p1"], ["p2"]], to: "vonage")
            #expect(await fixture.post(ReceiptsFixture.vonage("p1", of: ids[0])).status == 200)
            let lost = ReceiptsFixture.vonage("p2", of: ids[1], status: "failed", code: "12")
            #expect(await fixture.post(lost).status == 200)
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE state = 'delivered'") == 1)
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE state = 'undelivered'") == 1)
        }
    }

    @Test func nothingIsAnsweredBeforeTheCommit() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let id = try await fixture.handedOver([["p1"]], to: "vonage")[0]
            let answered = Answered()
            try await withThrowingTaskGroup { group in
                try await fixture.system.locking("receipts") {
                    group.addTask {
                        let response = await fixture.post(ReceiptsFixture.vonage("p1", of: id))
                        answered.flag.store(true, ordering: .relaxed)
                        #expect(response.status == 200)
                    }
                    try await fixture.system.wait(for: TestSystem.lockWaits, is: 1)
                    let isAnswered = answered.flag.load(ordering: .relaxed)
                    #expect(!isAnswered)
                }
                try await group.waitForAll()
            }
            #expect(try await fixture.receipts == 1)
        }
    }

    @Test func aHundredInOneCallbackAreOneCommit() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let ids = try await fixture.handedOver(Array(repeating: [], count: 100), to: "infobip")
            #expect(await fixture.post(ReceiptsFixture.infobip(ids.map(\.description))).status == 200)
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE state = 'delivered'") == 100)
            #expect(try await fixture.system.count("SELECT count(DISTINCT xmin::text) FROM receipts") == 1)
        }
    }

    @Test func simultaneousCallbacksShareCommits() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let parts = (0..<200).map { ["p\($0)"] }
            let ids = try await fixture.handedOver(parts, to: "vonage")
            let statuses = await withTaskGroup(of: Int.self) { group in
                for (id, part) in zip(ids, parts) {
                    group.addTask { await fixture.post(ReceiptsFixture.vonage(part[0], of: id)).status }
                }
                return await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(statuses == [200])
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE state = 'delivered'") == 200)
            #expect(try await fixture.system.count("SELECT count(DISTINCT xmin::text) FROM receipts") <= 60)
        }
    }

    @Test func duplicatesAreTakenAndChangeNothing() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let id = try await fixture.handedOver([["p1", "p2"]], to: "vonage")[0]
            await withTaskGroup { group in
                for _ in 0..<20 {
                    group.addTask {
                        #expect(await fixture.post(ReceiptsFixture.vonage("p1", of: id)).status == 200)
                    }
                }
            }
            #expect(try await fixture.receipts == 1)
            #expect(try await fixture.system.states() == ["accepted"])
            let many = ReceiptsFixture.infobip(Array(repeating: "\(id)", count: 50))
            #expect(await fixture.post(many).status == 200)
            #expect(await fixture.post(ReceiptsFixture.vonage("p2", of: id)).status == 200)
            #expect(try await fixture.system.states() == ["delivered"])
        }
    }

    @Test(.timeLimit(.minutes(1))) func aReceiptOfAnUnknownMessageIsKeptAndJoinedWhenItIsKnown() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let early = ReceiptsFixture.vonage("early")
            #expect(await fixture.post(early).status == 200)
            #expect(await fixture.post(early).status == 200)
            #expect(try await fixture.unmatched == 1)
            _ = try await fixture.handedOver([["early"]], to: "vonage")
            try await fixture.system.wait(for: "SELECT count(*) FROM messages WHERE state = 'delivered'", is: 1)
            #expect(try await fixture.unmatched == 0)
            // It is counted when the commit is answered.
            while !fixture.metrics.render().contains("pinpost_receipts_joined_total 1") {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    @Test func whatNamesAMessageThatNobodyKnowsIsKept() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let stranger = MessageID(high: 0x0192_d1e4_7000_7000, low: 0x8000_0000_0000_00C8)
            #expect(await fixture.post(ReceiptsFixture.vonage("p1", of: stranger)).status == 200)
            #expect(await fixture.post(ReceiptsFixture.infobip(["\(stranger)", "nonsense", ""])).status == 200)
            #expect(try await fixture.receipts == 0)
            #expect(try await fixture.unmatched > 0)
        }
    }

    @Test func aReceiptOfAnotherProviderTouchesNothing() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let id = try await fixture.handedOver([["p1"]], to: "vonage")[0]
            #expect(await fixture.post(ReceiptsFixture.vonage("p1", of: id, provider: "other")).status == 200)
            #expect(try await fixture.system.states() == ["accepted"])
            #expect(try await fixture.unmatched == 1)
        }
    }

    @Test func aProviderOutOfServiceIsStillHeard() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let id = try await fixture.handedOver([["p1"]], to: "retired")[0]
            #expect(await fixture.post(ReceiptsFixture.vonage("p1", of: id, provider: "retired")).status == 200)
            #expect(try await fixture.system.states() == ["delivered"])
        }
    }

    @Test func whatAProviderWritesCannotSpoilABatch() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let ids = try await fixture.handedOver([["p1"], ["p2"]], to: "vonage")
            await withTaskGroup { group in
                for request in [
                    ReceiptsFixture.vonage("p1", of: ids[0]), ReceiptsFixture.vonage("p2", of: ids[1]),
                    ReceiptsFixture.vonage("a\u{0}b\u{7}", status: "deli\u{0}vered"),
                    ReceiptsFixture.vonage(
                        String(repeating: "é", count: 5000), status: String(repeating: "s", count: 9999)),
                    ReceiptsFixture.vonage("'; DROP TABLE receipts; --", code: "\\"),
                ] {
                    group.addTask { #expect(await fixture.post(request).status == 200) }
                }
            }
            #expect(try await fixture.system.states() == ["delivered", "delivered"])
        }
    }

    @Test func aDatabaseThatIsAwayIsToldWithinTwoSecondsAndTheReceiptComesAgain() async throws {
        try await withOwnServer { server in
            var configuration = ConnectionPool.Configuration(url: server.url, limit: 4)
            configuration.connectTimeout = .milliseconds(900)
            configuration.acquireTimeout = .seconds(1)
            let system = TestSystem(url: server.url, pool: ConnectionPool(configuration, poller: TestDatabase.poller))
            _ = try await system.store.migrate(try Migration.all(in: TestSystem.migrations))
            try await system.apply(ReceiptsFixture.configuration)
            try await ReceiptsFixture.run(on: system) { fixture async throws in
                let id = try await fixture.handedOver([["p1"]], to: "vonage")[0]
                try await server.stop(.immediate)
                let clock = ContinuousClock.now
                let response = await fixture.post(ReceiptsFixture.vonage("p1", of: id))
                #expect(ContinuousClock.now - clock < .seconds(2))
                #expect(response.status == 503)
                #expect(response.fields["Retry-After"] == "1")
                // Who cannot prove anything is told so all the same.
                #expect(await fixture.post(ReceiptsFixture.vonage("p1", token: "wrong-0123456789000")).status == 403)
                try await server.start()
                #expect(await fixture.post(ReceiptsFixture.vonage("p1", of: id)).status == 200)
                #expect(try await fixture.system.states() == ["delivered"])
            }
        }
    }

    @Test func aCommitWhoseAnswerIsLostIsNoSuccess() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let id = try await fixture.handedOver([["p1"]], to: "vonage")[0]
            try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                try await fixture.system.locking("receipts") {
                    group.addTask { await fixture.post(ReceiptsFixture.vonage("p1", of: id)) }
                    try await fixture.system.wait(for: TestSystem.lockWaits, is: 1)
                    _ = try await fixture.system.pool.execute(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock'
                        """)
                }
                #expect(try await group.next()?.status == 503)
            }
            #expect(await fixture.post(ReceiptsFixture.vonage("p1", of: id)).status == 200)
            #expect(try await fixture.system.states() == ["delivered"])
        }
    }

    @Test func whenDrainedTheProviderComesAgain() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            fixture.intake.drain()
            #expect(await fixture.post(ReceiptsFixture.vonage("p1")).status == 503)
            #expect(try await fixture.unmatched == 0)
        }
    }
}
