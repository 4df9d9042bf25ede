import Messaging
import Postgres
import Routing
import Store
import TestSystem
import Testing

@Suite(.bothWays) struct ConditionsTests {
    private static let (first, second) = (ProviderID(rawValue: 1), ProviderID(rawValue: 2))

    private static func execute(_ fixture: StoreFixture, _ statement: SQL) async throws {
        _ = try await fixture.pool.execute(statement)
    }

    private static func seed(_ fixture: StoreFixture) async throws {
        try await Self.execute(
            fixture,
            """
            INSERT INTO breakers (provider_id, country, open_until, openings, reason, changed_at)
            VALUES (1, '+41', now() + interval '40 s', 1, 'timeout', now()),
                   (1, '', now() - interval '2 days', 1, 'timeout', now()),
                   (2, '+41', NULL, 0, 'healed', now() - interval '15 s')
            """)
        try await Self.execute(
            fixture,
            "INSERT INTO providers (name, kind, url, credentials, in_flight_limit, rate_limit, timeout) VALUES ('a', 'discard', '', '', 1, 1, '1 s') "
        )
        try await Self.execute(
            fixture, "INSERT INTO routes (channel, prefix, provider_id) SELECT 'sms', '+41', min(id) FROM providers")
        try await Self.execute(
            fixture, "INSERT INTO route_weights (route_id, provider_id, weight) SELECT id, 2, 70 FROM routes")
    }

    @Test func timesOfTheDatabaseBecomeThoseOfTheProcess() async throws {
        try await StoreFixture.run { fixture async throws in
            #expect(try await fixture.store.conditions() == Conditions())
            try await Self.seed(fixture)
            let before = ContinuousClock.now
            let conditions = try await fixture.store.conditions()
            let after = ContinuousClock.now
            #expect(conditions.breakers.count == 3)
            guard
                case .open(let until) = conditions.breakers[.init(provider: Self.first, country: "+41")],
                case .open(let over) = conditions.breakers[.init(provider: Self.first, country: "")],
                case .ramping(let since) = conditions.breakers[.init(provider: Self.second, country: "+41")]
            else {
                Issue.record("\(conditions.breakers)")
                return
            }
            // They began a while before they were read.
            #expect(until <= after + .seconds(40) && until > before + .seconds(20))
            #expect(over <= after - .seconds(2 * 86400))
            #expect(since >= before - .seconds(35) && since <= after - .seconds(15))
            #expect(conditions.weights.values.map { $0 } == [[Self.second: 70]])
        }
    }

    /// So that nobody asks for it beside the conditions.
    @Test func aChangeOfTheConfigurationIsHeardWithThem() async throws {
        try await StoreFixture.run { fixture async throws in
            let directory = try await DirectoryWatch(fixture.store) { $0.revision }
            let watch = ConditionsWatch(fixture.store) { directory.hear(of: $0) }
            #expect(!directory.isOutdated)
            try await watch.refresh()
            #expect(!directory.isOutdated)
            try await Self.execute(fixture, "UPDATE configuration SET revision = revision + 1")
            try await watch.refresh()
            #expect(directory.isOutdated)
            #expect(try await directory.refresh())
            #expect(!directory.isOutdated)
            #expect(directory.current == (try await fixture.store.configurationRevision()))
        }
    }

    @Test func theWatchNoticesChangesAndKeepsTheLastWhenAReadingFails() async throws {
        try await StoreFixture.run { fixture async throws in
            let watch = ConditionsWatch(fixture.store, interval: .milliseconds(5))
            #expect(watch.current == Conditions())
            try await withThrowingTaskGroup { group async throws in
                let (failures, failed) = AsyncStream.makeStream(of: Void.self)
                group.addTask { await watch.run { _ in failed.yield() } }
                try await Self.seed(fixture)
                while watch.current.breakers.count < 3 { try await Task.sleep(for: .milliseconds(2)) }
                try await Self.execute(fixture, "ALTER TABLE breakers RENAME TO away")
                for await _ in failures.prefix(2) {}
                #expect(watch.current.breakers.count == 3)
                try await Self.execute(fixture, "DELETE FROM away")
                try await Self.execute(fixture, "ALTER TABLE away RENAME TO breakers")
                while !watch.current.breakers.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
                group.cancelAll()
            }
        }
    }
}
