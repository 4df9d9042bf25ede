import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@Suite(.bothWays) struct ClaimTests {
    @Test func claimsNeverShareAMessage() async throws {
        try await StoreFixture.run(limit: 8) { fixture async throws in
            let ids = try await fixture.accept((0..<1000).map { _ in fixture.newMessage() })
            let claimed = try await withThrowingTaskGroup(of: [MessageID].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
                        var mine: [MessageID] = []
                        // Another claim may hold what this one would get, so an empty one ends nothing by itself.
                        while case let claims = try await fixture.claim(worker, limit: 20), !claims.isEmpty {
                            mine += claims.map(\.id)
                        }
                        return mine
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let left = try await fixture.count("SELECT count(*) FROM outbox WHERE worker_id IS NULL")
            #expect(claimed.count + left == 1000)
            #expect(Set(claimed).count == claimed.count)
            #expect(Set(claimed).isSubset(of: ids))
        }
    }

    @Test func aClaimCountsTheAttemptAndBringsWhatTheSendNeeds() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let ids = try await fixture.accept([fixture.newMessage(priority: .transactional)])
            let claim = try #require(try await fixture.claim(worker).first)
            #expect(claim.id == ids[0])
            #expect(claim.attempt == 1)
            #expect(claim.series == 1)
            #expect(claim.priority == .transactional)
            #expect(claim.channel == .sms)
            #expect(claim.recipient == "+41790000001")
            #expect(claim.sender == "Pinpost")
            #expect(claim.body == [1, 2, 3])
            #expect(claim.remaining > .seconds(590) && claim.remaining <= .seconds(600))
            #expect(try await fixture.state(of: ids[0]) == .sending)
        }
    }

    /// While dead rows cannot be cleared up, what has passed is not read again and again.
    @Test func aClaimThatBeginsLaterLeavesWhatIsBefore() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let old = Self.message(fixture, secondsAgo: 60)
            let (first, second) = (Self.message(fixture, secondsAgo: 20), Self.message(fixture, secondsAgo: 10))
            try await fixture.accept([old, first, second])
            let moment = MessageID(high: UInt64(Timestamp.now.milliseconds - 30_000) << 16, low: 0)
            #expect(try await Self.oldestReady(fixture) == old.id)
            let outlook = try await fixture.store.outlook(lane: fixture.lane, served: [fixture.provider])
            #expect(outlook.oldestReadyTook > .zero && outlook.oldestReadyTook < .seconds(30))
            #expect(try await Self.oldestReady(fixture, from: moment) == first.id)
            #expect(try await Self.oldestReady(fixture, provider: ProviderID(rawValue: 2)) == nil)
            let claims = try await Self.claim(fixture, worker, limit: 100, from: moment)
            #expect(claims.map(\.id) == [first.id, second.id])
            #expect(claims.first?.oldestLeft == second.id)
            #expect(try await Self.claim(fixture, worker, limit: 100, from: moment).isEmpty)
            let rest = try await fixture.claim(worker)
            #expect(rest.map(\.id) == [old.id])
            #expect(rest.first?.oldestLeft == nil)
            #expect(try await Self.oldestReady(fixture) == nil)
        }
    }

    /// As in the walk over all of the queue: codes before the rest, and each account has its turn.
    @Test func aClaimThatBeginsLaterSharesItsRoomToo() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            for account in 1...3 as ClosedRange<Int32> {
                let messages = (0..<40).map { _ in fixture.newMessage(priority: account == 3 ? .bulk : .otp) }
                try await fixture.accept(messages, account: AccountID(rawValue: account))
            }
            try await fixture.accept([fixture.newMessage(provider: ProviderID(rawValue: 2))])
            let claims = try await Self.claim(fixture, worker, limit: 34, from: MessageID(high: 0, low: 0))
            let counts = Dictionary(grouping: claims, by: \.account.rawValue).mapValues(\.count)
            #expect(counts == [1: 16, 2: 16, 3: 2])
            #expect(claims.allSatisfy { $0.provider == fixture.provider })
        }
    }

    /// Its codes stand behind thousands of another's messages that are older, and before as many that are younger.
    @Test func aClaimThatBeginsLaterFindsTheAccountsThatItKnows() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let (loud, quiet) = (AccountID(rawValue: 1), AccountID(rawValue: 2))
            var ids: [MessageID] = []
            for secondsAgo in [60, 15] as [Int64] {
                let messages = (0..<2100).map { _ in Self.message(fixture, secondsAgo: secondsAgo, .bulk) }
                ids += try await fixture.accept(messages, account: loud)
            }
            let code = Self.message(fixture, secondsAgo: 30)
            try await fixture.accept([code], account: quiet)
            let start = MessageID(high: 0, low: 0)
            let unknown = try await Self.claim(fixture, worker, limit: 10, from: start)
            #expect(Set(unknown.map(\.account)) == [loud])
            let flow = ClaimFlow(provider: fixture.provider, priority: .otp, account: quiet)
            let idle = ClaimFlow(provider: fixture.provider, priority: .otp, account: AccountID(rawValue: 3))
            let known = try await Self.claim(fixture, worker, limit: 10, from: start, known: [flow, idle])
            #expect(known.first?.id == code.id)
            #expect(known.first?.quota == 10, "one that has nothing takes nobody's share")
            // The first that none of the claims took.
            #expect(known.first?.oldestLeft == ids.sorted()[unknown.count + known.count - 1])
            let bulk = ClaimFlow(provider: fixture.provider, priority: .bulk, account: loud)
            let flows = try await fixture.store.readyFlows(lane: fixture.lane, served: [fixture.provider], limit: 10)
            #expect(flows == [bulk], "the code is claimed")
        }
    }

    /// A provider that is no longer configured may have left some that stay until their time is over.
    @Test func aClaimThatBeginsLaterPassesOverWhatNobodyServes() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            var stranded = Self.message(fixture, secondsAgo: 60)
            stranded.provider = ProviderID(rawValue: 2)
            let message = Self.message(fixture, secondsAgo: 20)
            try await fixture.accept([stranded, message])
            let claims = try await Self.claim(fixture, worker, limit: 10, from: MessageID(high: 0, low: 0))
            #expect(claims.map(\.id) == [message.id])
            #expect(claims.first?.oldestLeft == message.id)
        }
    }

    private static func oldestReady(
        _ fixture: StoreFixture, provider: ProviderID? = nil, from: MessageID? = nil
    ) async throws -> MessageID? {
        let served = [provider ?? fixture.provider]
        return try await fixture.store.outlook(lane: fixture.lane, served: served, from: from).oldestReady
    }

    private static func message(
        _ fixture: StoreFixture, secondsAgo: Int64, _ priority: Priority = .otp
    ) -> NewMessage {
        var message = fixture.newMessage(priority: priority)
        var generator = SystemRandomNumberGenerator()
        message.id = MessageID(
            lane: fixture.lane, milliseconds: Timestamp.now.milliseconds - secondsAgo * 1000, using: &generator)
        return message
    }

    private static func claim(
        _ fixture: StoreFixture, _ worker: WorkerID, limit: Int32, from: MessageID, known: [ClaimFlow] = []
    ) async throws -> [Claim] {
        let request = ClaimRequest(provider: fixture.provider, limit: limit, after: [:])
        let start = ClaimStart(from: from, served: [fixture.provider], known: known)
        return try await fixture.store.claim(lane: fixture.lane, worker: worker, requests: [request], start: start)
    }

    @Test func onlyProvidersWithRoomAreServed() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let other = ProviderID(rawValue: 2)
            try await fixture.accept((0..<5).map { _ in fixture.newMessage() })
            try await fixture.accept((0..<5).map { _ in fixture.newMessage(provider: other) })
            let claims = try await fixture.claim(worker, provider: other)
            #expect(claims.count == 5)
            #expect(claims.allSatisfy { $0.provider == other })
        }
    }

    @Test func codesGoAheadAndBulkDoesNotStarve() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            for priority in [Priority.bulk, .transactional, .otp] {
                try await fixture.accept((0..<300).map { _ in fixture.newMessage(priority: priority) })
            }
            let claims = try await fixture.claim(worker, limit: 100)
            let counts = Dictionary(grouping: claims, by: \.priority).mapValues(\.count)
            #expect(counts == [.otp: 80, .transactional: 15, .bulk: 5])
            #expect(claims.map(\.priority) == claims.map(\.priority).sorted())
        }
    }

    @Test func aPriorityThatIsAloneGetsEverything() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            try await fixture.accept((0..<300).map { _ in fixture.newMessage(priority: .bulk) })
            #expect(try await fixture.claim(worker, limit: 100).count == 100)
        }
    }

    @Test func oneMessageOfASmallAccountDoesNotWaitForALargeOne() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            try await fixture.accept((0..<1000).map { _ in fixture.newMessage() })
            let late = try await fixture.accept([fixture.newMessage()], account: AccountID(rawValue: 2))
            let claims = try await fixture.claim(worker, limit: 100)
            #expect(claims.contains { $0.id == late[0] })
            #expect(claims.count == 51)
        }
    }

    @Test func theWalkGoesOnBehindTheAccountsServed() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            for account in 1...40 as ClosedRange<Int32> {
                try await fixture.accept(
                    [fixture.newMessage(), fixture.newMessage()], account: AccountID(rawValue: account))
            }
            var request = ClaimRequest(provider: fixture.provider, limit: 48, after: [:])
            let first = try await fixture.store.claim(lane: fixture.lane, worker: worker, requests: [request])
            #expect(Set(first.map(\.account.rawValue)) == Set(1...16))
            request.after = [.otp: AccountID(rawValue: 16)]
            let second = try await fixture.store.claim(lane: fixture.lane, worker: worker, requests: [request])
            #expect(Set(second.map(\.account.rawValue)) == Set(17...32))
        }
    }

    @Test func aWorkerThatLostItsLeaseClaimsNothing() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            try await fixture.accept([fixture.newMessage()])
            _ = try await fixture.pool.execute("UPDATE workers SET heartbeat_at = now() - interval '1 minute'")
            #expect(try await fixture.store.loseSilentWorkers().now == 1)
            #expect(try await fixture.claim(worker).isEmpty)
            #expect(try await fixture.store.heartbeat(worker) == nil)
        }
    }

    @Test func handedBackClaimsAreAsIfNeverClaimed() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            try await fixture.accept((0..<3).map { _ in fixture.newMessage() })
            let claims = try await fixture.claim(worker)
            #expect(try await fixture.store.handBack(claims, worker: worker) == 3)
            #expect(try await fixture.store.handBack(claims, worker: worker) == 0)
            let again = try await fixture.claim(worker)
            #expect(again.count == 3)
            #expect(again.allSatisfy { $0.attempt == 1 })
        }
    }

    @Test func whatADeadWorkerHoldsIsTakenOverHoweverLongItHasBeenDead() async throws {
        try await StoreFixture.run { fixture async throws in
            let dead = try await fixture.store.registerWorker(name: "dead", lease: .seconds(15))
            let heir = try await fixture.store.registerWorker(name: "heir", lease: .seconds(15))
            try await fixture.accept([fixture.newMessage()])
            _ = try await fixture.claim(dead)
            _ = try await fixture.pool.execute(
                "UPDATE workers SET lost_at = now() - interval '1 day' WHERE id = \(dead.rawValue)")
            try await fixture.store.forgetLostWorkers(lanes: [fixture.lane])
            #expect(try await fixture.count("SELECT count(*) FROM workers") == 2)
            #expect(try await fixture.store.reap(lane: fixture.lane) == 1)
            try await fixture.store.forgetLostWorkers(lanes: [fixture.lane])
            #expect(try await fixture.count("SELECT count(*) FROM workers") == 1)
            #expect(try await fixture.claim(heir).count == 1)
            #expect(try await fixture.store.reap(lane: fixture.lane) == 0)
        }
    }

    @Test func aWorkerIsLostByItsOwnLeaseAndNotByAnothers() async throws {
        try await StoreFixture.run { fixture async throws in
            _ = try await fixture.store.registerWorker(name: "patient", lease: .seconds(120))
            _ = try await fixture.store.registerWorker(name: "quick", lease: .seconds(15))
            _ = try await fixture.pool.execute("UPDATE workers SET heartbeat_at = now() - interval '1 minute'")
            let lost = try await fixture.store.loseSilentWorkers()
            #expect(lost.now == 1)
            #expect(lost.all == 1)
            #expect(
                try await fixture.count("SELECT count(*) FROM workers WHERE name = 'patient' AND lost_at IS NULL") == 1)
        }
    }

    @Test func aQueueWithLittleRoomIsNotFilledBeyondIt() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            for account in 1...40 as ClosedRange<Int32> {
                for priority in Priority.allCases {
                    try await fixture.accept(
                        [fixture.newMessage(priority: priority)], account: AccountID(rawValue: account))
                }
            }
            #expect(try await fixture.claim(worker, limit: 1).count <= 3)
            #expect(try await fixture.claim(worker, limit: 9).count <= 9)
        }
    }

    @Test func aWorkerGivesUpOnlyWhatItDoesNotKnowToHold() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let other = try await fixture.store.registerWorker(name: "other", lease: .seconds(15))
            try await fixture.accept((0..<3).map { _ in fixture.newMessage() })
            let claims = try await fixture.claim(worker)
            try await fixture.accept([fixture.newMessage()])
            _ = try await fixture.claim(other)
            let known = claims.prefix(1).map(\.id)
            #expect(try await fixture.store.disown(lane: fixture.lane, worker: worker, holding: known) == 2)
            let again = try await fixture.claim(other)
            #expect(Set(again.map(\.id)) == Set(claims.dropFirst().map(\.id)))
            #expect(again.allSatisfy { $0.attempt == 2 })
        }
    }

    @Test func aDeadWorkersMessagesAreTakenOverWithTheirAttemptCounted() async throws {
        try await StoreFixture.run { fixture async throws in
            let dead = try await fixture.store.registerWorker(name: "dead", lease: .seconds(15))
            let heir = try await fixture.store.registerWorker(name: "heir", lease: .seconds(15))
            let ids = try await fixture.accept([fixture.newMessage()])
            _ = try await fixture.claim(dead)
            #expect(try await fixture.claim(heir).isEmpty)
            _ = try await fixture.pool.execute(
                "UPDATE workers SET heartbeat_at = now() - interval '1 minute' WHERE id = \(dead.rawValue)")
            #expect(try await fixture.store.loseSilentWorkers().now == 1)
            #expect(try await fixture.store.reap(lane: fixture.lane) == 1)
            let claim = try #require(try await fixture.claim(heir).first)
            #expect(claim.id == ids[0])
            #expect(claim.attempt == 2)
            #expect(claim.series == 1)
        }
    }
}
