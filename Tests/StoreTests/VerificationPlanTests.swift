import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps
import Verification

/// As ``PlanTests``, of codes and guesses.
@Suite struct VerificationPlanTests {
    private static let rows = 20_000

    /// Verifications of two days, most of them over, with their recipients' limits and failures.
    private static func fill(_ fixture: VerificationFixture) async throws {
        _ = try await fixture.base.pool.execute(
            """
            WITH ids AS (
                SELECT n, left(first_id_of(
                    date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                        - interval '20 hours' * (n % 2) + interval '1 millisecond' * n
                )::text, 13) || right(gen_random_uuid()::text, 23) AS text
                FROM generate_series(1, \(Self.rows)) n
            ), named AS (
                SELECT n, overlay(overlay(text PLACING '7' FROM 15 FOR 1) PLACING '00' FROM 35 FOR 2)::uuid AS id FROM ids
            ), failed AS (
                INSERT INTO recipient_failures (lane, account_id, recipient, failures, failed_at)
                SELECT 0, n % 50, '+4178' || n, 1, now() FROM named
            ), limited AS (
                INSERT INTO recipient_limits (lane, account_id, application_id, recipient, sends, send_limit, send_period,
                                              check_limit, check_period, forget_at)
                SELECT 0, n % 50, 1, '+4178' || n, 1, 3, '1 day', 1, '3 seconds', now() + interval '2 days' FROM named
            ), scoped AS (
                INSERT INTO scoped_codes (lane, id, account_id, recipient, scope, application, key_id, mac, made_at)
                SELECT 0, id, n % 50, '+4178' || n % 5000, '2FA', 'a', 1, sha256(n::text::bytea),
                       now() - interval '1 second' * (n % 1000)
                FROM named
            )
            INSERT INTO verifications (lane, id, account_id, application_id, template_id, key_id, attempt_limit,
                                       allows_reuse, channel, recipient, mac, message_id, expires_at, code)
            SELECT 0, id, n % 50, 1, 1, 1, 10, true, 'sms', '+4178' || n, sha256(n::text::bytea), id,
                   now() + interval '1 hour', '\\x01'
            FROM named
            """)
    }

    private func scans(
        _ fixture: VerificationFixture, analyzed: Bool, of body: () async throws -> Void
    ) async throws -> Scans {
        if analyzed { _ = try await fixture.base.pool.execute("ANALYZE") }
        let before = try await Scans(fixture.base)
        try await body()
        return try await Scans(fixture.base).since(before)
    }

    @Test(arguments: [true, false])
    func codesAndGuessesGoByTheirKeysInTheBatchsPartition(analyzed: Bool) async throws {
        // One connection: its statistics are all there are.
        try await VerificationFixture.run(limit: 1) { fixture async throws in
            try await Self.fill(fixture)
            let today = try await fixture.base.today
            let hot: Set = ["verifications_\(today)", "recipient_limits", "recipient_failures", "messages_\(today)"]

            let sendings = try (0..<100).map { try fixture.sending(to: "+41790000\(100 + $0)") }
            let sending = try await self.scans(fixture, analyzed: analyzed) { () async throws in
                #expect(try await fixture.store.send(sendings).allSatisfy { $0 == .sent })
            }
            #expect(sending.sequential.isDisjoint(with: hot), "send: \(sending)")

            let resendings = sendings.enumerated().map {
                fixture.resending($0.element.verification, number: "+41790000\(100 + $0.offset)")
            }
            let resending = try await self.scans(fixture, analyzed: analyzed) { () async throws in
                #expect(try await fixture.store.send(resendings).allSatisfy { $0 == .sent })
            }
            #expect(resending.sequential.isDisjoint(with: hot), "resend: \(resending)")
            #expect(resending.partitions(of: "verifications") == ["verifications_\(today)"], "resend: \(resending)")

            let guesses = try sendings.map { try fixture.guess($0.verification, "0000") }
            for _ in 0..<2 {
                let checking = try await self.scans(fixture, analyzed: analyzed) { () async throws in
                    let results = try await fixture.store.check(guesses)
                    #expect(results.allSatisfy { if case .wrong = $0 { true } else { false } })
                }
                #expect(checking.sequential.isDisjoint(with: hot), "check: \(checking)")
                #expect(checking.partitions(of: "verifications") == ["verifications_\(today)"], "check: \(checking)")
            }

            let listing = try await self.scans(fixture, analyzed: analyzed) { () async throws in
                let found = try await fixture.store.verifications(
                    lane: fixture.base.lane, account: fixture.account, filter: .init(recipient: "+41790000150"),
                    limit: 10)
                #expect(found.count == 1)
            }
            #expect(listing.rows < 200, "list: \(listing)")
        }
    }

    @Test func wipingReadsWhatIsOverAndNoMore() async throws {
        try await VerificationFixture.run(limit: 1) { fixture async throws in
            try await Self.fill(fixture)
            for second in 0..<10 {
                _ = try await fixture.start(to: "+4179000010\(second)", now: .now + .seconds(-2000))
            }
            let wiping = try await self.scans(fixture, analyzed: true) { () async throws in
                #expect(try await fixture.store.wipeExpiredCodes(lane: fixture.base.lane, limit: 100) == 10)
            }
            #expect(wiping.rows < 200, "\(wiping)")
        }
    }

    @Test(arguments: [true, false])
    func scopedCodesAndGuessesGoByTheirKeys(analyzed: Bool) async throws {
        try await VerificationFixture.run(limit: 1) { fixture async throws in
            try await Self.fill(fixture)
            let hot: Set = ["scoped_codes", "recipient_failures", "messages_\(try await fixture.base.today)"]
            let scopes = (100..<200).map { fixture.scope(to: "+41790000\($0)") }
            let sendings = try scopes.map { try fixture.scopedSending($0) }
            let sending = try await self.scans(fixture, analyzed: analyzed) { () async throws in
                #expect(try await fixture.store.send(sendings).allSatisfy { $0 == .sent })
            }
            #expect(sending.sequential.isDisjoint(with: hot), "send: \(sending)")
            for (typed, result) in [("0000", ScopedCheckResult.wrong), ("0000", .wrong), ("1234", .right)] {
                let guesses = try scopes.map { try fixture.scopedGuess($0, typed) }
                let checking = try await self.scans(fixture, analyzed: analyzed) { () async throws in
                    #expect(try await fixture.store.check(guesses).allSatisfy { $0 == result })
                }
                #expect(checking.sequential.isDisjoint(with: hot), "check: \(checking)")
                #expect(checking.rows < 2000, "check: \(checking)")
            }
        }
    }

    @Test func droppingReadsWhatIsOldAndNoMore() async throws {
        try await VerificationFixture.run(limit: 1) { fixture async throws in
            try await Self.fill(fixture)
            let dropping = try await self.scans(fixture, analyzed: true) { () async throws in
                #expect(try await fixture.store.dropScopedCodes(lane: fixture.base.lane, limit: 10) == 10)
            }
            #expect(dropping.rows < 200, "\(dropping)")
        }
    }
}
