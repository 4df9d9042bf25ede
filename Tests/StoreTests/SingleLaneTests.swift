import Messaging
import Postgres
import TestDatabase
import TestSystem
import Testing
import Timestamps
import Verification

@testable import Store

/// On a cluster whose tables are distributed by lane, each hot statement is carried out by the one server that has its lane: every
/// table that it reads is held against one lane, and what has no lane is either on every server or fetched before.
///
/// By the plans that PostgreSQL made while the functions of ``Store`` ran, and not by the source: see ``LaneTests`` for that.
@Suite(.bothWays, .serialized) struct SingleLaneTests {
    private static let lane = Lane(rawValue: 7)
    private static let tables = Set([Distribution.leader] + Distribution.followers)

    /// Without a lane: on every server, or small and on the coordinator, from where what is wanted of them is sent along.
    private static let others = Set(Distribution.copied).union([
        "accounts", "applications", "balances", "endpoints", "look_up", "providers", "templates",
    ])

    /// Reads of all lanes, by people and once a minute: of each server a part.
    private static let acrossLanes: Set = [
        "rates", "readingProviderRates", "silenceCounts", "waitingBodiesByKey", "verificationsByKey",
    ]

    /// Only while nothing else runs and before anything is distributed.
    private static let beforeDistribution: Set = ["obstacle"]

    /// What keeps a statement from being one of a single server.
    private static func problems(in statement: PlannedStatement) -> [String] {
        var lanes: Set<String> = []
        var problems: [String] = []
        for node in statement.tables {
            guard Self.tables.contains(node.table) else {
                if !Self.others.contains(node.table) { problems.append("\(node.table) is on no server that it asks") }
                continue
            }
            guard node.isScan else { continue }
            let own = node.lanes.filter { !statement.computed.contains($0) }
            if own.isEmpty { problems.append("\(node.table) is read in all lanes: \(node.conditions)") }
            lanes.formUnion(own.filter { !$0.hasPrefix("$") })
        }
        if lanes.count > 1 { problems.append("it is of several lanes: \(lanes)") }
        return problems
    }

    // MARK: - The test of the test

    @Test(arguments: [
        ("Index Scan using o on public.outbox o  (cost=1)\n Index Cond: ((o.lane = '7'::smallint) AND (o.id = x))", 0),
        ("Seq Scan on public.messages_20261122 m  (cost=1)\n Filter: (m.lane = $3)", 0),
        ("Seq Scan on public.messages_20261122 m  (cost=1)\n Filter: (m.id = $3)", 1),
        ("Seq Scan on public.messages m  (cost=1)\n Filter: (m.lane = $0)\n InitPlan 1 (returns $0)", 1),
        (
            "Seq Scan on public.parts  (cost=1)\n Output: lane\n -> Seq Scan on public.outbox  (cost=1)\n Filter: (lane = $1)",
            1
        ),
        ("Index Scan using a on public.parts p  (cost=1)\n Index Cond: (p.lane = o.lane)", 1),
        (
            "Seq Scan on public.outbox  (cost=1)\n Filter: (lane = '7'::smallint)\n -> Seq Scan on public.parts  (cost=1)\n"
                + " Filter: (lane = '0'::smallint)", 1
        ),
        ("Seq Scan on public.workers  (cost=1)", 0), ("Seq Scan on public.opt_outs  (cost=1)", 1),
        ("Insert on public.outbox  (cost=1)\n -> CTE Scan on mine  (cost=1)", 0),
    ])
    func plansAreJudged(plan: String, problems: Int) {
        #expect(Self.problems(in: PlannedStatement(plan.split(separator: "\n"))).count == problems)
    }

    @Test func theListsNameEveryTableWithALane() async throws {
        try await StoreFixture.run { fixture async throws in
            let found = try await fixture.pool.query(
                """
                SELECT c.relname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                WHERE a.attname = 'lane' AND NOT c.relispartition AND c.relkind IN ('r', 'p')
                  AND c.relnamespace = 'public'::regnamespace
                """
            ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
            #expect(Set(found) == Self.tables)
        }
    }

    // MARK: - Every function

    @Test func everyStatementIsOfOneLane() async throws {
        try await StoreFixture.run { fixture async throws in
            var base = fixture
            base.lane = Self.lane
            var watched = try await Watched(base)
            try await Self.send(&watched)
            try await Self.tell(&watched)
            try await Self.verify(&watched)
            try await Self.verifyScoped(&watched)
            try await Self.keepHouse(&watched)
            try await Self.erase(&watched)
            watched.close()
            #expect(Set(watched.problems) == [])
            let known = watched.seen.union(Self.acrossLanes).union(Self.beforeDistribution)
            let unseen = try Self.functionsWithALane().subtracting(known)
            #expect(unseen == [])
            try await Self.expectOneLane(base)
        }
    }

    /// The functions of ``Store`` with a statement that names a lane.
    private static func functionsWithALane() throws -> Set<String> {
        var names: Set<String> = []
        for (_, text) in try LaneTests.sources() {
            for function in text.split(separator: "func ").dropFirst() {
                guard function.contains(".column)") || function.contains("lane = 0") else { continue }
                names.insert(String(function.prefix { $0.isLetter }))
            }
        }
        #expect(names.count > 50, "the search finds them")
        return names
    }

    /// What was inserted went to the lane too, but for the two tables that have one lane alone.
    private static func expectOneLane(_ fixture: StoreFixture) async throws {
        for table in Self.tables.subtracting(["unmatched_receipts", "look_ups"]) {
            try await fixture.pool.withConnection { connection in
                try await connection.executeScript(
                    """
                    DO $$ BEGIN
                        IF EXISTS (SELECT FROM \(table) WHERE lane NOT IN (7, 8)) THEN RAISE 'rows in other lanes: \(table)'; END IF;
                    END $$
                    """)
            }
        }
    }

    /// Runs functions and judges what PostgreSQL has planned meanwhile.
    private struct Watched {
        let fixture: VerificationFixture
        let worker: WorkerID
        let endpoint: EndpointID
        let log: PlanLog
        var seen: Set<String> = []
        var problems: [String] = []

        var base: StoreFixture { self.fixture.base }
        var store: Store { self.fixture.base.store }
        var lane: Lane { self.fixture.base.lane }
        var account: AccountID { self.fixture.account }

        init(_ base: StoreFixture) async throws {
            self.log = try await PlanLog(ofDatabaseAt: base.url)
            var settings = ApplicationSettings(name: "test")
            settings.checkLimit = try #require(RateLimit("1000/1s"))
            settings.recipientSendLimit = try #require(RateLimit("1000/1d"))
            self.fixture = try await VerificationFixture(base, settings)
            self.worker = try await base.store.registerWorker(name: "test", lease: .seconds(15))
            let events = EventFixture(base: base, account: self.fixture.account, worker: self.worker)
            self.endpoint = try await events.endpoint()
            _ = try self.log.new()
        }

        func close() { self.log.close() }

        /// `names`: the functions that have statements.
        @discardableResult
        mutating func see<Value>(_ names: String..., body: (Watched) async throws -> Value) async throws -> Value {
            let value = try await body(self)
            let statements = try self.log.new().filter { statement in
                statement.tables.contains { SingleLaneTests.tables.contains($0.table) }
            }
            #expect(statements.count >= names.count, "\(names): fewer statements than functions")
            for statement in statements {
                self.problems += SingleLaneTests.problems(in: statement).map { "\(names): \($0)" }
            }
            self.seen.formUnion(names)
            return value
        }

        /// What others have done meanwhile is not looked at.
        mutating func skip() throws { _ = try self.log.new() }

        func claim(start: ClaimStart? = nil) async throws -> [Claim] {
            try await self.store.claim(
                lane: self.lane, worker: self.worker,
                requests: [ClaimRequest(provider: self.base.provider, limit: 100, after: [:])], start: start)
        }

        func accept(_ message: NewMessage? = nil) async throws -> MessageID {
            try await self.base.accept([message ?? self.base.newMessage()], account: self.account)[0]
        }

        func claimEvents() async throws -> [EventClaim] {
            let request = EventClaimRequest(limit: 100, after: EndpointID(rawValue: 0), inFlight: [:])
            return try await self.store.claimEvents(lane: self.lane, worker: self.worker, request: request).claims
        }
    }

    // MARK: - Messages

    private static func send(_ w: inout Watched) async throws {
        let key = IdempotencyKey(lane: w.lane, key: "k", fingerprint: [1])
        try await w.see("accept") { w async throws in
            _ = try await w.store.accept([
                Acceptance(account: w.account, messages: [w.base.newMessage()], idempotency: key),
                Acceptance(
                    account: w.account, messages: [w.base.newMessage(sendAt: .now + .seconds(1))], idempotency: nil),
            ])
        }
        try await w.see("acceptance") {
            _ = try await $0.store.accepted(under: "k", lane: $0.lane, account: $0.account)
        }
        var claims = try await w.see("claim") { try await $0.claim() }
        #expect(claims.count == 1)
        try await w.see("claim") { w async throws in
            let start = ClaimStart(
                from: MessageID(high: 0, low: 0), served: [w.base.provider], known: claims.map(\.flow))
            _ = try await w.claim(start: start)
        }
        try await w.see("readyFlows") {
            _ = try await $0.store.readyFlows(lane: $0.lane, served: [$0.base.provider], limit: 10)
        }
        try await w.see("handBack") { [claims] in _ = try await $0.store.handBack(claims, worker: $0.worker) }
        try await w.see("disown") {
            _ = try await $0.claim()
            _ = try await $0.store.disown(lane: $0.lane, worker: $0.worker, holding: [])
        }
        _ = try await w.base.pool.execute("UPDATE scheduled SET due_at = now()")
        try w.skip()
        try await w.see("promote") { w async throws in
            #expect(try await w.store.promote(lane: w.lane, limit: 10).moved == 1)
        }
        claims = try await w.claim()
        try await w.see("settle") { [claims] w async throws in
            let settled = claims.map { w.base.settled($0, parts: ["part \($0.id)"]) }
            #expect(try await w.store.settle(settled, lane: w.lane, worker: w.worker).mine.count == 2)
        }
        let id = claims[0].id
        try await w.see("application") { _ = try await $0.store.apply([$0.base.receipt(id)], lanes: [$0.lane]) }
        try await w.see("locate") { w async throws in
            _ = try await w.store.apply(
                [w.base.receipt(nil, part: "part \(claims[1].id)"), w.base.receipt(nil, part: "early")], lanes: [w.lane]
            )
        }
        let late = try await w.accept()
        let mine = try await w.claim()
        _ = try await w.store.settle(
            mine.map { w.base.settled($0, parts: ["early"]) }, lane: w.lane, worker: w.worker)
        try w.skip()
        try await w.see("hasUnmatched") { w async throws in #expect(try await w.store.hasUnmatched(age: .seconds(300)))
        }
        try await w.see("takeUnmatched") { w async throws in
            #expect(try await w.store.joinUnmatched(lane: w.lane, age: .seconds(300), limit: 10).stored == 1)
        }
        #expect(try await w.base.store.timeline(of: late, account: w.account)?.message.state == .delivered)
        try w.skip()
        try await w.see("dropUnmatched") { _ = try await $0.store.dropUnmatched(olderThan: .zero, limit: 10) }
        try await w.see("timeline", "attempts", "receipts") {
            _ = try await $0.store.timeline(of: id, account: $0.account)
        }
        try await w.see("messages", "end") { w async throws in
            var filter = MessageFilter()
            filter.state = .failed
            _ = try await w.store.messages(lane: w.lane, account: w.account, filter: filter, limit: 10)
        }
        try await w.see("cancel") { _ = try await $0.store.cancel(id, account: $0.account) }
        try await w.see("content") { _ = try await $0.store.content(of: id, through: $0.base.provider) }
        try await w.see("statement") {
            _ = try await $0.store.report([ConversionReport(message: id, account: $0.account, converted: true)])
        }
        try await w.see("silentMessages") { w async throws in
            let filter = SilenceFilter(account: w.account, from: .now - .seconds(3600), until: .now)
            _ = try await w.store.silentMessages(lane: w.lane, filter: filter, limit: 10)
        }
    }

    // MARK: - Events

    private static func tell(_ w: inout Watched) async throws {
        try w.skip()
        let claims = try await w.see("claimEvents", "facts") { try await $0.claimEvents() }
        let claim = try #require(claims.first)
        try await w.see("handBackEvents") { _ = try await $0.store.handBackEvents(claims, worker: $0.worker) }
        try await w.see("disownEvents") {
            _ = try await $0.claimEvents()
            _ = try await $0.store.disownEvents(lane: $0.lane, worker: $0.worker, holding: [])
        }
        let again = try await w.claimEvents()
        try await w.see("settleEvents") { w async throws in
            let settled = again.map {
                SettledEvent(
                    key: $0.key, event: $0.event, attempt: $0.attempt, outcome: .unanswered, status: nil,
                    duration: .milliseconds(1), retryAfter: .seconds(1))
            }
            _ = try await w.store.settleEvents(settled, lane: w.lane, worker: w.worker)
        }
        try await w.see("promoteEvents") { _ = try await $0.store.promoteEvents(lane: $0.lane, limit: 10) }
        try await w.see("reapEvents") { _ = try await $0.store.reapEvents(lane: $0.lane) }
        try await w.see("eventDepth") { _ = try await $0.store.eventDepth(lane: $0.lane, limit: 10) }
        try await w.see("events") {
            _ = try await $0.store.events(lane: $0.lane, account: $0.account, filter: EventFilter(), limit: 10)
        }
        try await w.see("event") { _ = try await $0.store.event(claim.event, of: $0.account) }
        try await w.see("tellings") { _ = try await $0.store.tellings(of: claim.event, subject: claim.key.subject) }
        try await w.see("replay") { w async throws in
            _ = try await w.store.replay(claim.event, to: w.endpoint, of: w.account)
            _ = try await w.store.replay(
                since: .now - .seconds(3600), after: nil, to: w.endpoint, of: w.account, lane: w.lane, limit: 10)
        }
        try await w.see("noteFailure") {
            _ = try await $0.store.noteFailure(of: $0.endpoint, isGone: true, lane: $0.lane)
        }
    }

    // MARK: - Codes

    private static func verify(_ w: inout Watched) async throws {
        let fixture = w.fixture
        let id = try await w.see("statement") { _ async throws in try await fixture.start() }
        try await w.see("check") { _ async throws in
            _ = try await fixture.check(id, "0000")
            _ = try await fixture.check(id, "1234")
        }
        try await w.see("keepKeys") { w async throws in
            let key = IdempotencyKey(lane: Lane(rawValue: 8), key: "other", fingerprint: [1])
            let sending = try fixture.sending(key: key)
            #expect(try await w.store.send([sending]) == [.sent])
            let repeated = try await w.store.send([try fixture.sending(key: key)])
            let earlier = EarlierAcceptance(ids: [sending.verification.rawValue], fingerprint: [1])
            #expect(repeated == [.repeated(earlier)])
            #expect(try await w.store.send([fixture.resending(sending.verification)]) == [.sent])
        }
        try await w.see("verification") { _ = try await $0.store.verification(id, of: $0.account) }
        try await w.see("verifications") { w async throws in
            let filter = VerificationFilter(recipient: VerificationFixture.number)
            _ = try await w.store.verifications(lane: w.lane, account: w.account, filter: filter, limit: 10)
        }
        try await w.see("unlock") {
            _ = try await $0.store.unlock(recipient: VerificationFixture.number, lane: $0.lane, account: $0.account)
        }
        try await w.see("wipeExpiredCodes") { _ = try await $0.store.wipeExpiredCodes(lane: $0.lane, limit: 10) }
        try await w.see("forgetFailures") { _ = try await $0.store.forgetFailures(lane: $0.lane, olderThan: .zero) }
        try await w.see("forgetLimits") { _ = try await $0.store.forgetLimits(lane: $0.lane, limit: 10) }
    }

    private static func verifyScoped(_ w: inout Watched) async throws {
        let fixture = w.fixture
        let scope = fixture.scope()
        try await w.see("send") { _ async throws in try await fixture.sendScoped(scope) }
        try await w.see("check") { _ async throws in
            #expect(try await fixture.checkScoped(scope, "0000") == .wrong)
            #expect(try await fixture.checkScoped(scope) == .right)
        }
        try await w.see("dropScopedCodes") { _ = try await $0.store.dropScopedCodes(lane: $0.lane, limit: 10) }
    }

    // MARK: - Upkeep

    private static func keepHouse(_ w: inout Watched) async throws {
        let number = try #require(PhoneNumber(VerificationFixture.number))
        try await w.store.keepLookUp(of: number, facts: "{}")
        try w.skip()
        try await w.see("lookedUp") { _ = try await $0.store.lookedUp(number, maxAge: .seconds(60)) }
        try await w.see("forgetLookUps") { w async throws in
            try await w.store.transaction { transaction throws(PostgresError) in
                try await Store.forgetLookUps(in: transaction)
            }
        }
        try await w.see("dropLookUps") { _ = try await $0.store.dropLookUps(limit: 10) }
        try await w.see("foldTallies") { w async throws in
            #expect(try await w.store.foldTallies(lane: w.lane, limit: 100) > 0)
        }
        try await w.see("dropRates") { _ = try await $0.store.dropRates(lane: $0.lane, olderThan: .zero, limit: 10) }
        try await w.see("dropIdempotencyKeys") {
            _ = try await $0.store.dropIdempotencyKeys(lane: $0.lane, olderThan: .seconds(60), limit: 10)
        }
        try await w.see("queueDepths", "depths") {
            for from in [nil, MessageID(high: 0, low: 0)] {
                _ = try await $0.store.queueDepths(lane: $0.lane, served: [$0.base.provider], limit: 10, from: from)
            }
        }
        try await w.see("resumeSilent") { _ = try await $0.store.resumeSilent(lane: $0.lane, limit: 10) }
        try await w.see("dropStandby") { _ = try await $0.store.dropStandby(lane: $0.lane, limit: 10) }
        try await w.see("sweepSilent", "beginReconciliation") {
            _ = try await $0.store.sweepSilent(lane: $0.lane, age: .seconds(900), windows: [:], limit: 10)
        }
        let silent = try await w.accept()
        try await w.see("endSilent") { _ = try await $0.store.endSilent([silent], lane: $0.lane) }
        let late = try await w.accept()
        _ = try await w.base.pool.execute(
            "UPDATE messages SET expires_at = now() WHERE lane = \(Int16(w.lane.rawValue)) AND id = \(late)")
        try await w.see("expireStranded", "expire") {
            let count = try await $0.store.expireStranded(
                lane: $0.lane, served: [ProviderID(rawValue: 99)], limit: 10)
            #expect(count > 0)
        }
        try await w.see("expireOld") { _ = try await $0.store.expireOld(lane: $0.lane, limit: 10) }
        try await w.see("reap") { _ = try await $0.store.reap(lane: $0.lane) }
        _ = try await w.base.pool.execute(
            "INSERT INTO workers (name, lease, lost_at) VALUES ('lost', '1 s', now() - interval '1 hour')")
        try w.skip()
        try await w.see("holders") { try await $0.store.forgetLostWorkers(lanes: [$0.lane]) }
    }

    private static func erase(_ w: inout Watched) async throws {
        let recipients = [VerificationFixture.number]
        let erasure = try await w.store.beginErasure(
            NewErasure(account: w.account, apiKey: nil, keyID: 1, mac: [UInt8](repeating: 7, count: 32)))
        try w.skip()
        try await w.see("outlook") {
            _ = try await $0.store.outlook(lane: $0.lane, served: [$0.base.provider])
        }
        let today = try await w.store.today()
        try w.skip()
        try await w.see("waitingDays") { _ = try await $0.store.waitingDays(before: today, lane: $0.lane) }
        try await w.see("hasLiveCodes") { _ = try await $0.store.hasLiveCodes(lane: $0.lane, on: today) }
        try await w.see("messagesUnderWay") { w async throws in
            _ = try await w.store.messagesUnderWay(
                lane: w.lane, account: w.account, recipients: recipients, after: MessageID(high: 0, low: 0), limit: 10)
        }
        try await w.see("accounts") { w async throws in
            _ = try await w.store.accounts(among: [w.account], knowing: recipients, lane: w.lane)
        }
        try await w.see("countMessages") { w async throws in
            _ = try await w.store.countMessages(lane: w.lane, account: w.account, recipients: recipients, limit: 10)
        }
        try await w.see("eraseMessages") { w async throws in
            _ = try await w.store.eraseMessages(
                erasure, lane: w.lane, account: w.account, recipients: recipients, limit: 10)
        }
        try await w.see("leaveStandby") { w async throws in
            _ = try await w.store.leaveStandby(lane: w.lane, account: w.account, recipients: recipients)
        }
        try await w.see("eraseVerifications") { w async throws in
            _ = try await w.store.eraseVerifications(
                erasure, lane: w.lane, account: w.account, recipients: recipients, limit: 10)
        }
        try await w.see("eraseCounts") { w async throws in
            try await w.store.eraseCounts(erasure, lane: w.lane, account: w.account, recipients: recipients)
        }
        try await w.see("eraseLookUps") { try await $0.store.eraseLookUps(erasure, recipients: recipients) }
    }
}
