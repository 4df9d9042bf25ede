import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps
import Verification

@Suite(.bothWays) struct EventTests {
    @Test func aChangeOfStateIsTheAccountsEventAndItsEndpointIsToldIt() async throws {
        try await EventFixture.run { fixture async throws in
            let endpoint = try await fixture.endpoint()
            let message = try await fixture.accepted()
            let claims = try await fixture.claim()
            #expect(claims.map(\.key) == [EventKey(subject: message, endpoint: endpoint)])
            let facts = try #require(claims.first?.facts)
            #expect(facts.type == .messageAccepted && facts.sequence == 1 && facts.reason == "accepted")
            guard case .message(let told) = facts.subject else { throw Unexpected() }
            #expect(told.recipient == "+41790000001" && told.sender == "Pinpost" && !told.isCorrected)
            try await fixture.settle(claims)
            #expect(try await fixture.claim().isEmpty)
            #expect(try await fixture.base.count("SELECT count(*) FROM event_outbox") == 0)
        }
    }

    @Test func whatNobodyWantsToBeToldOfLeavesNoRow() async throws {
        try await EventFixture.run { fixture async throws in
            let other = try await EventFixture.makeAccount("other", fixture.base)
            try await fixture.endpoint("other", account: other)
            try await fixture.endpoint("narrow", types: [.messageDelivered])
            let message = try await fixture.accepted()
            #expect(try await fixture.types().isEmpty)
            let sent = try await fixture.store.apply([fixture.base.receipt(message, .sent)])
            #expect(sent.stored == 1)
            #expect(sent.ready.isEmpty)
            let delivered = try await fixture.store.apply([fixture.base.receipt(message)])
            #expect(delivered.ready[.events] == [fixture.lane])
            #expect(delivered.ready[.messages].isEmpty)
            #expect(try await fixture.types() == ["message.delivered"])
            #expect(try await fixture.claim().map(\.facts?.sequence) == [2])
        }
    }

    @Test func everyWayToAnEndIsTold() async throws {
        try await EventFixture.run { fixture async throws in
            try await fixture.endpoint()
            let base = fixture.base
            let delivered = try await fixture.accepted()
            _ = try await fixture.store.apply([base.receipt(delivered), base.receipt(delivered)])
            let cancelled = base.newMessage()
            try await base.accept([cancelled], account: fixture.account)
            _ = try await fixture.store.cancel(cancelled.id, account: fixture.account)
            let failed = base.newMessage()
            try await base.accept([failed], account: fixture.account)
            _ = try await fixture.store.settle(
                try await base.claim(fixture.worker).map { base.settled($0, state: .failed) }, lane: fixture.lane,
                worker: fixture.worker)
            try await base.accept(
                [base.newMessage(provider: ProviderID(rawValue: 9), timeToLive: .zero)], account: fixture.account)
            #expect(try await fixture.store.expireStranded(lane: fixture.lane, served: [], limit: 10) == 1)
            #expect(
                try await fixture.types().sorted() == [
                    "message.accepted", "message.cancelled", "message.delivered", "message.expired", "message.failed",
                ])
        }
    }

    @Test func whatChangesNothingIsNotTold() async throws {
        try await EventFixture.run { fixture async throws in
            try await fixture.endpoint()
            let message = try await fixture.accepted()
            _ = try await fixture.store.apply([fixture.base.receipt(message, .sent)])
            _ = try await fixture.store.apply([fixture.base.receipt(message)])
            _ = try await fixture.store.apply([fixture.base.receipt(message, .undelivered)])
            _ = try await fixture.store.apply([fixture.base.receipt(message, status: "again")])
            #expect(try await fixture.types() == ["message.accepted", "message.delivered"])
        }
    }

    @Test func aCorrectionIsTold() async throws {
        try await EventFixture.run { fixture async throws in
            try await fixture.endpoint()
            let message = try await fixture.accepted()
            _ = try await fixture.store.apply([fixture.base.receipt(message, .undelivered)])
            _ = try await fixture.store.apply([fixture.base.receipt(message)])
            #expect(
                try await fixture.types() == ["message.accepted", "message.undelivered", "message.delivered"])
        }
    }

    @Test func oneEventOfAMessageIsOnItsWayAtMostAndTheyGoInTheirOrder() async throws {
        try await EventFixture.run { fixture async throws in
            try await fixture.endpoint()
            let message = try await fixture.accepted()
            let first = try await fixture.claim()
            _ = try await fixture.store.apply([fixture.base.receipt(message)])
            #expect(try await fixture.claim().isEmpty)
            try await fixture.settle(first, .refused, retryAfter: .seconds(60))
            #expect(try await fixture.claim().isEmpty, "the second waits for the first's next try")
            try await fixture.pool.execute("UPDATE event_outbox SET due_at = now() - interval '1 second'")
            #expect(try await fixture.store.promoteEvents(lane: fixture.lane, limit: 10).moved == 1)
            let again = try await fixture.claim()
            #expect(again.map(\.event) == first.map(\.event) && again.first?.attempt == 2)
            try await fixture.settle(again)
            let second = try await fixture.claim()
            #expect(second.map(\.type) == [.messageDelivered] && second.first?.attempt == 1)
        }
    }

    /// The event comes while the one before is being settled: whoever is first, it is told.
    @Test func anEventThatComesWhileAnotherIsSettledIsNotLost() async throws {
        try await EventFixture.run(limit: 8) { fixture async throws in
            try await fixture.endpoint()
            for _ in 0..<30 {
                let message = try await fixture.accepted()
                let first = try await fixture.claim()
                #expect(first.count == 1)
                async let settled = fixture.settle(first)
                async let applied = fixture.store.apply([fixture.base.receipt(message)])
                _ = try await (settled, applied)
                let second = try await fixture.claim()
                #expect(second.map(\.type) == [.messageDelivered])
                try await fixture.settle(second)
            }
            #expect(try await fixture.base.count("SELECT count(*) FROM event_outbox") == 0)
        }
    }

    /// What was there when the statement began would leave nothing; what is there when it has the lock leaves one.
    @Test func aSettlementThatWaitsForAnEventLeavesThatEvent() async throws {
        try await EventFixture.run { fixture async throws in
            try await fixture.endpoint()
            let message = try await fixture.accepted()
            let first = try await fixture.claim()
            let mine = try await fixture.pool.transaction { transaction in
                _ = try await transaction.execute(
                    "UPDATE event_outbox SET events = events || gen_random_uuid() WHERE subject_id = \(message)")
                let settling = Task { try await fixture.settle(first) }
                try await fixture.base.waitForALock()
                return settling
            }
            #expect(try await mine.value.count == 1)
            #expect(try await fixture.base.count("SELECT sum(cardinality(events)) FROM event_outbox") == 1)
        }
    }

    @Test func aSettlementOfALostLeaseChangesNothing() async throws {
        try await EventFixture.run { fixture async throws in
            try await fixture.endpoint()
            _ = try await fixture.accepted()
            let old = try await fixture.claim()
            try await fixture.pool.execute("UPDATE workers SET lost_at = now() WHERE id = \(fixture.worker.rawValue)")
            let heir = try await fixture.store.registerWorker(name: "heir", lease: .seconds(15))
            #expect(try await fixture.claim().isEmpty, "a worker without a lease claims nothing")
            #expect(try await fixture.store.reapEvents(lane: fixture.lane) == 1)
            let new = try await fixture.claim(worker: heir)
            #expect(new.map(\.event) == old.map(\.event) && new.first?.attempt == 2)
            #expect(try await fixture.settle(old).isEmpty)
            #expect(try await fixture.settle(new, worker: heir).count == 1)
            #expect(try await fixture.base.count("SELECT count(*) FROM event_attempts") == 1)
        }
    }

    @Test func whatIsHandedBackOrDisownedIsClaimedAgain() async throws {
        try await EventFixture.run { fixture async throws in
            try await fixture.endpoint()
            _ = try await fixture.accepted()
            let claims = try await fixture.claim()
            #expect(try await fixture.store.handBackEvents(claims, worker: fixture.worker) == 1)
            let again = try await fixture.claim()
            #expect(again.map(\.attempt) == [1])
            let keys = again.map(\.key)
            #expect(
                try await fixture.store.disownEvents(lane: fixture.lane, worker: fixture.worker, holding: keys) == 0)
            #expect(try await fixture.store.disownEvents(lane: fixture.lane, worker: fixture.worker, holding: []) == 1)
            #expect(try await fixture.claim().map(\.attempt) == [2])
        }
    }

    @Test func anEndpointGetsNoMoreThanItMayHaveAndOneThatFailsGetsOne() async throws {
        try await EventFixture.run { fixture async throws in
            let slow = try await fixture.endpoint("slow", inFlight: 3)
            let quick = try await fixture.endpoint("quick", inFlight: 5)
            for _ in 0..<6 { _ = try await fixture.accepted() }
            let first = try await fixture.claim(inFlight: [quick: 4])
            #expect(first.count { $0.key.endpoint == slow } == 3 && first.count { $0.key.endpoint == quick } == 1)
            _ = try await fixture.store.noteFailure(of: slow, isGone: false, lane: fixture.lane)
            #expect(try await fixture.claim(inFlight: [quick: 5, slow: 1]).isEmpty)
            #expect(try await fixture.claim(inFlight: [quick: 5]).map(\.key.endpoint) == [slow])
            try await fixture.store.noteAnswer(of: slow)
            #expect(try await fixture.claim(inFlight: [quick: 5]).count == 2)
        }
    }

    @Test func aVendorsEndpointIsToldOfItsMessagesOnly() async throws {
        try await EventFixture.run { fixture async throws in
            let endpoint = try await fixture.endpoint("nexmo", kind: .nexmo)
            _ = try await fixture.accepted()
            #expect(try await fixture.types().isEmpty)
            let callback = Callback(endpoint: endpoint, url: "https://example.com/own?id=1")
            _ = try await fixture.accepted(callback: callback)
            let claims = try await fixture.claim()
            #expect(claims.map(\.endpoint.kind) == [.nexmo])
            guard case .message(let told) = claims.first?.facts?.subject else { throw Unexpected() }
            #expect(told.callbackURL == "https://example.com/own?id=1")
        }
    }

    @Test func anEndpointThatSaysThatItIsGoneIsSwitchedOffAndTheOthersAreTold() async throws {
        try await EventFixture.run { fixture async throws in
            let gone = try await fixture.endpoint("gone")
            try await fixture.endpoint("other")
            #expect(try await fixture.store.noteFailure(of: gone, isGone: true, lane: fixture.lane) == "gone")
            #expect(try await fixture.store.noteFailure(of: gone, isGone: true, lane: fixture.lane) == nil)
            let claims = try await fixture.claim().filter { !$0.endpoint.isDisabled }
            #expect(claims.map(\.type) == [.webhookDisabled] && claims.map(\.endpoint.publicID) == ["other"])
            guard case .endpoint(let told) = claims.first?.facts?.subject else { throw Unexpected() }
            #expect(told.publicID == "gone")
        }
    }

    @Test func fiveDaysOfNothingButFailuresSwitchOffAndAnAnswerBeginsThemAnew() async throws {
        try await EventFixture.run { fixture async throws in
            let endpoint = try await fixture.endpoint()
            let vendor = try await fixture.endpoint("vendor", kind: .infobip)
            for id in [endpoint, vendor] {
                #expect(try await fixture.store.noteFailure(of: id, isGone: false, lane: fixture.lane) == nil)
            }
            try await fixture.pool.execute("UPDATE endpoints SET failing_since = now() - interval '119 hours'")
            #expect(try await fixture.store.noteFailure(of: endpoint, isGone: false, lane: fixture.lane) == nil)
            try await fixture.pool.execute("UPDATE endpoints SET failing_since = now() - interval '121 hours'")
            #expect(try await fixture.store.noteFailure(of: vendor, isGone: false, lane: fixture.lane) == nil)
            try await fixture.store.noteAnswer(of: endpoint)
            #expect(try await fixture.store.noteFailure(of: endpoint, isGone: false, lane: fixture.lane) == nil)
            try await fixture.pool.execute("UPDATE endpoints SET failing_since = now() - interval '121 hours'")
            #expect(try await fixture.store.noteFailure(of: endpoint, isGone: false, lane: fixture.lane) == "failing")
            #expect(try await fixture.store.endpoint("main", of: fixture.account)?.disabledBy == "failing")
        }
    }

    @Test func eventsOfAnEndpointThatIsOffAreKeptAndCanBeReplayed() async throws {
        try await EventFixture.run { fixture async throws in
            let on = try await fixture.endpoint("on")
            let off = try await fixture.endpoint("off", isEnabled: false)
            let message = try await fixture.accepted()
            _ = try await fixture.store.apply([fixture.base.receipt(message)])
            for _ in 0..<2 { try await fixture.settle(try await fixture.claim()) }
            #expect(try await fixture.base.count("SELECT count(*) FROM event_outbox") == 0)
            try await fixture.pool.execute("UPDATE endpoints SET disabled = NULL")
            let replayed = try await fixture.replay(to: off)
            #expect(replayed.seen == 2 && replayed.told == 2)
            #expect(try await fixture.replay(to: on).told == 0, "it has taken them all")
            _ = try await fixture.replay(to: off)
            var types: [EventType?] = []
            for _ in 0..<3 {
                let claims = try await fixture.claim()
                types += claims.map(\.type)
                try await fixture.settle(claims)
            }
            #expect(types == [.messageAccepted, .messageDelivered], "each once, in their order")
        }
    }

    @Test func oneEventIsReplayedWhetherItWasTakenOrNot() async throws {
        try await EventFixture.run { fixture async throws in
            let endpoint = try await fixture.endpoint()
            _ = try await fixture.accepted()
            let claims = try await fixture.claim()
            let event = try #require(claims.first?.event)
            #expect(try await !fixture.store.replay(event, to: endpoint, of: fixture.account), "it is on its way")
            try await fixture.settle(claims)
            #expect(try await !fixture.store.replay(event, to: endpoint, of: AccountID(rawValue: 99)))
            #expect(try await fixture.store.replay(event, to: endpoint, of: fixture.account))
            #expect(try await fixture.claim().map(\.event) == [event])
        }
    }

    @Test func whatBecameOfAVerificationIsTold() async throws {
        try await VerificationFixture.run(limit: 4, { $0.attemptLimit = 2 }) { codes async throws in
            let worker = try await codes.store.registerWorker(name: "test", lease: .seconds(15))
            let fixture = EventFixture(base: codes.base, account: codes.account, worker: worker)
            try await fixture.endpoint()
            let right = try await codes.start()
            let wrong = try await codes.start(to: "+41790000002")
            _ = try await codes.start(to: "+41790000003")
            for _ in 0..<2 { _ = try await codes.check(right, "1234") }
            for _ in 0..<3 { _ = try await codes.check(wrong, "9999") }
            try await fixture.pool.execute("UPDATE verifications SET expires_at = now() - interval '1 second'")
            #expect(try await codes.store.wipeExpiredCodes(lane: fixture.lane, limit: 10) >= 1)
            let types = try await fixture.types()
            #expect(types.sorted() == ["verification.exhausted", "verification.expired", "verification.verified"])
            let claims = try await fixture.claim()
            guard case .verification(let told) = claims.first?.facts?.subject else { throw Unexpected() }
            #expect(told.application == "app" && told.template == "template")
            #expect(
                try await fixture.base.count("SELECT count(*) FROM conversions WHERE converted AND source = 'verified'")
                    == 1)
            #expect(try await fixture.base.count("SELECT sum(converted) FROM tallies") == 1)
        }
    }

    /// One from before there were conversions, say.
    @Test func aCodeIsRightThoughThereIsNoPlaceForItsConversion() async throws {
        try await VerificationFixture.run { codes async throws in
            let verification = try await codes.start()
            try await codes.base.pool.execute(
                "DO $$ BEGIN EXECUTE 'DROP TABLE conversions_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'); END $$"
            )
            _ = try await codes.check(verification, "1234")
            #expect(try await codes.base.count("SELECT count(*) FROM verifications WHERE state = 'verified'") == 1)
        }
    }

    @Test func whatBecameOfMessagesIsCounted() async throws {
        try await EventFixture.run { fixture async throws in
            let first = try await fixture.accepted()
            _ = try await fixture.accepted()
            _ = try await fixture.store.apply([fixture.base.receipt(first)])
            let counts = try await fixture.pool.query(
                """
                SELECT concat_ws(' ', sum(sent), sum(delivered), sum(undelivered), min(country)) FROM tallies WHERE lane = 0
                """
            ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
            #expect(counts == ["2 1 0 +41"])
        }
    }

    private struct Unexpected: Error {}
}

extension EventFixture {
    fileprivate func replay(to endpoint: EndpointID) async throws -> (seen: Int, told: Int, last: EventID?) {
        try await self.store.replay(
            since: .now - .seconds(3600), after: nil, to: endpoint, of: self.account, lane: self.lane, limit: 100)
    }
}
