import HTTP
import Intake
import JSON
import Postgres
import PostgresServer
import Store
import Telemetry
import TestDatabase
import TestSystem
import Testing

@Suite(.timeLimit(.minutes(3))) struct AvailabilityTests {
    /// A 202 that nobody committed would be a lie; so would be a 503 that says that nothing was stored.
    @Test func aDatabaseThatIsAwayIsToldWithinTwoSeconds() async throws {
        try await withOwnServer { server in
            var configuration = ConnectionPool.Configuration(url: server.url, limit: 4)
            configuration.connectTimeout = .milliseconds(900)
            configuration.acquireTimeout = .seconds(1)
            let system = TestSystem(
                url: server.url, pool: ConnectionPool(configuration, poller: TestDatabase.poller))
            _ = try await system.store.migrate(try Migration.all(in: TestSystem.migrations))
            try await system.apply(IntakeFixture.configuration)
            try await IntakeFixture.run(on: system) { fixture async throws in
                let id = try await fixture.accept()
                try await server.stop(.immediate)
                for round in 0..<3 {
                    let clock = ContinuousClock.now
                    let responses = [
                        await fixture.post(IntakeFixture.message),
                        await fixture.post([IntakeFixture.message], idempotencyKey: "k\(round)"),
                        await fixture.get("/v1/messages"), await fixture.get("/v1/messages/\(id)"),
                        await fixture.ask("POST", "/v1/messages/\(id)/cancel"),
                    ]
                    for response in responses {
                        #expect(response.status == 503)
                        #expect(response.fields["Retry-After"] == "1")
                    }
                    #expect(ContinuousClock.now - clock < .seconds(2 * responses.count))
                    // What needs no database is told as before.
                    #expect(await fixture.post(["to": 5]).status == 422)
                    #expect(await fixture.get("/v1/messages", key: "wrong-key-0123456789").status == 401)
                }
                try await server.start()
                // Whatever looked a moment before it was up keeps the pool from looking again for a while.
                while (try? await system.pool.execute("SELECT 1")) == nil { await Task.yield() }
                #expect(await fixture.post(IntakeFixture.message).status == 202)
                #expect(try await fixture.stored == 2)
            }
        }
    }

    @Test func aCommitWhoseAnswerIsLostIsCalledUnknownAndFoundByItsKey() async throws {
        try await IntakeFixture.run { fixture async throws in
            try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                try await fixture.system.locking("messages") {
                    group.addTask { await fixture.post(IntakeFixture.message, idempotencyKey: "k") }
                    try await fixture.waitForLockWaits(1)
                    try await fixture.system.killLockWaits()
                }
                let response = try #require(try await group.next())
                #expect(response.status == 503)
                #expect(response.code == "outcome_unknown")
                #expect(response.fields["Retry-After"] == "1")
            }
            #expect(await fixture.post(IntakeFixture.message, idempotencyKey: "k").status == 202)
            #expect(try await fixture.stored == 1)
        }
    }

    @Test func whyNothingCouldBeStoredIsLoggedAndCounted() async throws {
        try await IntakeFixture.run { fixture async throws in
            _ = try await fixture.system.pool.execute("DROP TABLE messages")
            #expect(await fixture.post(IntakeFixture.message).code == "unavailable")
            let lines = fixture.log.lines
            #expect(lines.count == 1)
            #expect(lines[0].contains("could not store messages requests=1"))
            #expect(!lines[0].contains(IntakeFixture.number))
            #expect(fixture.metrics.render().contains("pinpost_accept_failures_total 1\n"))
        }
    }

    /// Reads that succeed do not hide commits that fail.
    @Test func commitsReadsAndFailuresAreToldApart() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = try await fixture.accept()
            #expect(await fixture.get("/v1/messages/\(id)").status == 200)
            #expect(await fixture.get("/v1/messages", key: "wrong-key-0123456789").status == 401)
            _ = try await fixture.system.pool.execute("ALTER TABLE messages ADD CHECK (recipient = '') NOT VALID")
            #expect(await fixture.post(IntakeFixture.message).status == 503)
            #expect(await fixture.get("/v1/messages").status == 200)
            #expect(fixture.health.all == ["succeeded", "looked", "failed", "looked"])
        }
    }

    @Test func aStatementPastItsDeadlineIsCalledUnknown() async throws {
        try await IntakeFixture.run { fixture async throws in
            var configuration = ConnectionPool.Configuration(url: fixture.system.url, limit: 2)
            configuration.statementTimeout = .milliseconds(300)
            let hasty = TestSystem(
                url: fixture.system.url, pool: ConnectionPool(configuration, poller: TestDatabase.poller))
            try await IntakeFixture.run(on: hasty) { fixture async throws in
                try await fixture.system.locking("messages") {
                    #expect(await fixture.post(IntakeFixture.message).code == "outcome_unknown")
                    #expect(await fixture.get("/v1/messages").code == "unavailable")
                }
            }
        }
    }

    /// The web server cancels a handler that takes too long; its message may be stored all the same.
    @Test func aCancelledRequestIsNotCalledRefused() async throws {
        try await IntakeFixture.run { fixture async throws in
            try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                try await fixture.system.locking("messages") {
                    group.addTask { await fixture.post(IntakeFixture.message) }
                    try await fixture.waitForLockWaits(1)
                    group.cancelAll()
                    let response = try #require(try await group.next())
                    #expect(response.code == "outcome_unknown")
                }
            }
            try await fixture.system.wait(for: "SELECT count(*) FROM messages", is: 1)
        }
    }

    @Test func whenDrainedNothingMoreIsAccepted() async throws {
        try await IntakeFixture.run { fixture async throws in
            fixture.intake.drain()
            let response = await fixture.post(IntakeFixture.message)
            #expect(response.status == 503)
            #expect(response.code == "unavailable")
            #expect(try await fixture.stored == 0)
        }
    }

    @Test func theWebServersOwnRefusalPromisesNothingThatItCannotKnow() {
        for status in [400, 408, 413, 414, 431, 500, 503] {
            #expect(Problem.refusal(status).response.status == status)
        }
        // It is given for a handler that took too long, too.
        #expect(!Problem.refusal(503).detail.contains("nothing was accepted"))
        #expect(Problem.refusal(503).code == "not_answered")
        #expect(Problem.refusal(503).response.fields["Retry-After"] != nil)
    }
}

extension TestSystem {
    /// Ends the connections whose statements wait for a lock, as a server that goes down would.
    func killLockWaits() async throws {
        _ = try await self.pool.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            """)
    }
}
