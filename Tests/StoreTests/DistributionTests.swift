import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

/// What `pinpost migrate --citus` asks of Citus. It is not there: functions of the same names write down what they are asked.
@Suite struct DistributionTests {
    /// Like the extension's, as far as they are called: its tables, once each.
    static let fakeCitus = """
        CREATE TABLE citus_calls (n integer GENERATED ALWAYS AS IDENTITY, call text NOT NULL);
        CREATE TABLE citus_tables (table_name regclass PRIMARY KEY);
        CREATE FUNCTION citus_version() RETURNS text LANGUAGE sql AS $$ SELECT 'not Citus' $$;
        CREATE FUNCTION citus_get_active_worker_nodes(OUT node_name text, OUT node_port bigint) RETURNS SETOF record
            LANGUAGE sql AS $$ VALUES ('one', 5432::bigint), ('two', 5432::bigint) $$;
        CREATE FUNCTION create_distributed_table(
            table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
            colocate_with text DEFAULT 'default', shard_count integer DEFAULT NULL
        ) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO citus_tables VALUES (table_name);
            INSERT INTO citus_calls (call)
                VALUES (concat_ws(' ', 'distribute', table_name, distribution_column, colocate_with, shard_count));
        END $$;
        CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO citus_tables VALUES (table_name);
            INSERT INTO citus_calls (call) VALUES ('copy ' || table_name);
        END $$;
        CREATE FUNCTION create_distributed_function(
            function_name regprocedure, distribution_arg_name text DEFAULT NULL, colocate_with text DEFAULT 'default',
            force_delegation boolean DEFAULT NULL
        ) RETURNS void LANGUAGE sql AS $$ INSERT INTO citus_calls (call) VALUES ('share ' || function_name) $$;
        """

    private static func withCitus(_ body: (StoreFixture) async throws -> Void) async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.pool.withConnection { try await $0.executeScript(Self.fakeCitus) }
            try await body(fixture)
        }
    }

    private static func calls(_ fixture: StoreFixture) async throws -> [String] {
        try await fixture.pool.query("SELECT call FROM citus_calls ORDER BY n") { row throws(PostgresError) in
            try row.decode(0, as: String.self)
        }
    }

    @Test func tablesFollowTheFirstAndWorkersAreCopied() async throws {
        try await Self.withCitus { fixture async throws in
            let tables = try await fixture.store.distribute(shards: 32)
            #expect(tables == ["workers", "messages"] + Distribution.followers)
            let calls = try await Self.calls(fixture)
            #expect(calls.prefix(6).allSatisfy { $0.hasPrefix("share ") })
            #expect(calls.contains("share first_id_of(timestamp with time zone)"))
            #expect(calls.contains("copy workers"))
            #expect(calls.contains("distribute messages lane none 32"))
            for table in Distribution.followers { #expect(calls.contains("distribute \(table) lane messages")) }
            // Whatever works, works on: its number comes from a sequence now.
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            #expect(try await fixture.store.heartbeat(worker) == 1)
        }
    }

    /// `pinpost migrate --citus` again, as after an upgrade.
    @Test(arguments: [(1, false, 32), (64, false, 64), (16, true, 16), (64, true, 64)])
    func thereAreTheUsualLanesOrThosePresent(present: Int, isDistributed: Bool, wanted: Int) async throws {
        try await Self.withCitus { fixture async throws in
            _ = try await fixture.pool.execute("UPDATE configuration SET lanes = \(Int16(present))")
            // Another program's.
            _ = try await fixture.pool.execute("INSERT INTO citus_tables VALUES ('pg_class')")
            if isDistributed { _ = try await fixture.store.distribute(shards: present) }
            #expect(try await fixture.store.lanesOnCluster(32) == wanted)
        }
    }

    @Test func whatIsDoneIsNotDoneAgain() async throws {
        try await Self.withCitus { fixture async throws in
            _ = try await fixture.pool.execute(
                "INSERT INTO citus_tables SELECT unnest(ARRAY['workers', 'messages', 'outbox'])::regclass")
            let rest = try await fixture.store.distribute(shards: 32)
            #expect(rest == Distribution.followers.filter { $0 != "outbox" })
            let before = try await Self.calls(fixture)
            #expect(try await fixture.store.distribute(shards: 32) == [])
            #expect(try await Self.calls(fixture) == before)
        }
    }

    @Test func severalAtATimeDoEachTableOnce() async throws {
        try await Self.withCitus { fixture async throws in
            async let first = fixture.store.distribute(shards: 32)
            async let second = fixture.store.distribute(shards: 32)
            let tables = try await first + second
            #expect(tables.sorted() == (["workers", "messages"] + Distribution.followers).sorted())
        }
    }

    @Test func refusesWithoutACluster() async throws {
        try await StoreFixture.run { fixture async throws in
            await #expect(throws: DistributionError.noExtension) { try await fixture.store.distribute(shards: 32) }
        }
        try await Self.withCitus { fixture async throws in
            _ = try await fixture.pool.execute(
                """
                CREATE OR REPLACE FUNCTION citus_get_active_worker_nodes(OUT node_name text, OUT node_port bigint)
                RETURNS SETOF record LANGUAGE sql AS $$ SELECT 'none', 0::bigint WHERE false $$
                """)
            await #expect(throws: DistributionError.noServers) { try await fixture.store.distribute(shards: 32) }
            #expect(try await Self.calls(fixture).isEmpty)
        }
    }

    @Test(
        arguments: [
            ([], 28), (["workers"], 27), (Set(["workers", "messages"] + Distribution.followers), 0),
        ] as [(Set<String>, Int)])
    func stepsLeft(done: Set<String>, count: Int) {
        #expect(Distribution.steps(done: done).count == count)
    }
}
