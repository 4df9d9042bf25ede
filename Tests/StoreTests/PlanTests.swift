import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

/// What the hot statements read of tables that are filled, by PostgreSQL's own count of its scans.
///
/// That is the plan that really ran, with its real parameters: each statement is planned anew with its values, so an
/// EXPLAIN of it by hand would tell of another one.
@Suite struct PlanTests {
    private static let rows = 20_000

    /// Messages of two days, all sent, with their attempts, parts and receipts; and a backlog in the outbox.
    static func fill(_ fixture: StoreFixture) async throws {
        _ = try await fixture.pool.execute(
            """
            WITH ids AS (
                SELECT n, left(first_id_of(
                    date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                        - interval '20 hours' * (n % 2) + interval '1 millisecond' * n
                )::text, 13) || right(gen_random_uuid()::text, 23) AS text
                FROM generate_series(1, \(Self.rows)) n
            ), named AS (
                SELECT n, overlay(overlay(text PLACING '7' FROM 15 FOR 1) PLACING '00' FROM 35 FOR 2)::uuid AS id FROM ids
            ), stored AS (
                INSERT INTO messages (lane, id, account_id, provider_id, priority, channel, state, recipient, reference,
                                      expires_at, body)
                SELECT 0, id, n % 50, 1, 1, 'sms', 'accepted', '+4179' || n % 500, 'r' || n,
                       now() + interval '1 hour', '\\x01'
                FROM named
            ), tried AS (
                INSERT INTO attempts (lane, message_id, attempt, series, provider_id, worker_id, outcome, reason, duration)
                SELECT 0, id, 1, 1, 1, 1, 'accepted', 'accepted', '5 ms' FROM named
            ), named_parts AS (
                INSERT INTO parts (lane, part, message_id, provider_id, number) SELECT 0, 'p' || n, id, 1, 1 FROM named
            ), told AS (
                INSERT INTO receipts (lane, message_id, part, status, code, provider_id, state, reason)
                SELECT 0, id, 'p' || n, 'sent', '', 1, 'sent', 'accepted' FROM named
            )
            INSERT INTO outbox (lane, id, account_id, provider_id, priority)
            SELECT 0, id, n % 50, 1, 1 FROM named WHERE n % 4 = 0
            """)
        // A backlog of a provider that nobody serves. Below some thirty thousand rows PostgreSQL would rather read the
        // whole outbox than look for a hundred rows in it, and be right.
        _ = try await fixture.pool.execute(
            """
            INSERT INTO outbox (lane, id, account_id, provider_id, priority)
            SELECT 0, gen_random_uuid(), n % 50, 2, 1 FROM generate_series(1, 80000) n
            """)
    }

    /// Runs `body` and returns what it scanned.
    private static func scans(
        _ fixture: StoreFixture, analyzed: Bool, of body: () async throws -> Void
    ) async throws -> Scans {
        if analyzed { _ = try await fixture.pool.execute("ANALYZE") }
        let before = try await Scans(fixture)
        try await body()
        return try await Scans(fixture).since(before)
    }

    /// What is counted has a limit, and what waits for providers in service is none of the others' business.
    @Test(arguments: [true, false]) func looksAtTheQueueReadNothingBesideWhatTheyAreAbout(analyzed: Bool) async throws {
        try await StoreFixture.run(limit: 1) { fixture async throws in
            try await Self.fill(fixture)
            let served = [fixture.provider, ProviderID(rawValue: 2), ProviderID(rawValue: 3)]
            let counting = try await Self.scans(fixture, analyzed: analyzed) { () async throws in
                let depths = try await fixture.store.queueDepths(lane: fixture.lane, served: served, limit: 10)
                #expect(depths.map(\.ready) == [10, 10])
            }
            #expect(counting.sequential.isDisjoint(with: ["outbox"]) && counting.rows < 1000, "depths: \(counting)")
            let expiring = try await Self.scans(fixture, analyzed: analyzed) { () async throws in
                let count = try await fixture.store.expireStranded(lane: fixture.lane, served: served, limit: 10)
                #expect(count == 0)
            }
            #expect(expiring.sequential.isDisjoint(with: ["outbox"]) && expiring.rows < 1000, "expiring: \(expiring)")
        }
    }

    /// The statistics may be there or not: after a restore, or before the first autovacuum, they are not.
    @Test(arguments: [true, false])
    func hotStatementsGoByTheirIndexesInTheBatchsPartition(analyzed: Bool) async throws {
        // One connection: its statistics are all there are.
        try await StoreFixture.run(limit: 1) { fixture async throws in
            try await Self.fill(fixture)
            let today = try await fixture.today
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let fresh = try await fixture.accept(
                (0..<100).map { _ in fixture.newMessage(priority: .otp) }, account: AccountID(rawValue: 7))

            var claims: [Claim] = []
            let claiming = try await Self.scans(fixture, analyzed: analyzed) { () async throws in
                claims = try await fixture.claim(worker, limit: 100)
            }
            #expect(claims.count >= 80)
            #expect(claiming.sequential.isDisjoint(with: ["outbox", "messages_\(today)"]), "claim: \(claiming)")
            #expect(claiming.indexes.contains("outbox_ready"), "claim: \(claiming)")

            let later = try await fixture.accept([fixture.newMessage()], account: AccountID(rawValue: 7))
            let startingLater = try await Self.scans(fixture, analyzed: analyzed) { () async throws in
                // The others' backlog is behind it: of a provider that nobody serves, all of that would be passed over.
                let served = [fixture.provider, ProviderID(rawValue: 2)]
                let start = ClaimStart(from: later[0], served: served, known: claims.map(\.flow))
                let request = ClaimRequest(provider: fixture.provider, limit: 100, after: [:])
                _ = try await fixture.store.claim(lane: fixture.lane, worker: worker, requests: [request], start: start)
            }
            #expect(startingLater.sequential.isDisjoint(with: ["outbox", "messages_\(today)"]), "\(startingLater)")
            #expect(startingLater.rows < 5000, "\(startingLater)")

            let outlook = try await Self.scans(fixture, analyzed: analyzed) { () async throws in
                let outlook = try await fixture.store.outlook(lane: fixture.lane, served: [fixture.provider])
                #expect(outlook.oldestReady != nil)
            }
            #expect(outlook.sequential.isDisjoint(with: ["outbox"]), "outlook: \(outlook)")
            #expect(outlook.rows < 1000, "outlook: \(outlook)")

            let mine = claims.filter { fresh.contains($0.id) }
            let settling = try await Self.scans(fixture, analyzed: analyzed) { () async throws in
                let settled = mine.map { fixture.settled($0, parts: ["part \($0.id)"]) }
                #expect(
                    try await fixture.store.settle(settled, lane: fixture.lane, worker: worker).mine.count == mine.count
                )
            }
            #expect(settling.sequential.isDisjoint(with: ["outbox", "messages_\(today)"]), "settle: \(settling)")
            #expect(settling.partitions(of: "messages") == ["messages_\(today)"], "settle: \(settling)")
            #expect(settling.indexes.contains("outbox_pkey"), "settle: \(settling)")

            let applying = try await Self.scans(fixture, analyzed: analyzed) { () async throws in
                let receipts = mine.map { fixture.receipt($0.id, part: "part \($0.id)", covers: false) }
                #expect(try await fixture.store.apply(receipts).stored == mine.count)
            }
            #expect(applying.partitions(of: "messages") == ["messages_\(today)"], "receipts: \(applying)")
            #expect(applying.sequential.isDisjoint(with: ["messages_\(today)"]), "receipts: \(applying)")
            #expect(applying.partitions(of: "receipts").count <= 1, "receipts: \(applying)")

            let looking = try await Self.scans(fixture, analyzed: analyzed) { () async throws in
                #expect(try await fixture.store.timeline(of: mine[0].id, account: AccountID(rawValue: 7)) != nil)
            }
            for table in ["messages", "attempts", "receipts"] {
                #expect(looking.partitions(of: table) == ["\(table)_\(today)"], "look-up: \(looking)")
            }
            #expect(
                looking.sequential.isDisjoint(
                    with: ["messages", "attempts", "receipts"].map { "\($0)_\(today)" } + ["outbox"]),
                "look-up: \(looking)")

            let cancelling = try await Self.scans(fixture, analyzed: analyzed) { () async throws in
                #expect(
                    try await fixture.store.cancel(mine[0].id, account: AccountID(rawValue: 7)) == .refused(.delivered))
            }
            #expect(cancelling.partitions(of: "messages") == ["messages_\(today)"], "cancel: \(cancelling)")
            #expect(
                cancelling.sequential.isDisjoint(with: ["outbox", "messages_\(today)"]), "cancel: \(cancelling)")
        }
    }

    @Test func aListReadsAPageAndNotTheHistory() async throws {
        try await StoreFixture.run(limit: 1) { fixture async throws in
            try await Self.fill(fixture)
            for change in [
                { _ in }, { $0.recipient = "+41797" }, { $0.reference = "r1007" },
                { $0.from = .now - .seconds(3600) },
            ] as [(inout MessageFilter) -> Void] {
                var filter = MessageFilter()
                change(&filter)
                let listing = try await Self.scans(fixture, analyzed: true) { () async throws in
                    _ = try await fixture.store.messages(
                        lane: fixture.lane, account: AccountID(rawValue: 7), filter: filter, limit: 50)
                }
                #expect(listing.rows < 2000, "\(listing)")
            }
        }
    }

    @Test func aJoinOfKeptReceiptsGoesByTheirParts() async throws {
        try await StoreFixture.run(limit: 1) { fixture async throws in
            // Before their parts are known, or they would not be kept.
            for part in 0..<50 {
                _ = try await fixture.store.apply([fixture.receipt(nil, part: "p\(part + 100)", covers: false)])
            }
            try await Self.fill(fixture)
            let joining = try await Self.scans(fixture, analyzed: true) { () async throws in
                #expect(
                    try await fixture.store.joinUnmatched(lane: fixture.lane, age: .seconds(300), limit: 500).stored
                        == 50)
            }
            #expect(joining.rows(of: "parts") <= 100, "\(joining)")
        }
    }
}
