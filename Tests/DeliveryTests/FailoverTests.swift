import Messaging
import Postgres
import Routing
import Store
import TestSystem
import Testing
import Timestamps

@testable import Delivery

/// Where a message goes when its provider does not do its part.
@Suite(.serialized) struct FailoverTests {
    private struct Step: Equatable {
        var provider: String
        var outcome: String
        init(_ provider: String, _ outcome: String) {
            self.provider = provider
            self.outcome = outcome
        }
    }

    private func steps(of id: MessageID, _ fixture: DeliveryFixture) async throws -> [Step] {
        try await fixture.attempts(of: id).map { Step($0.provider, $0.outcome) }
    }

    @Test func aRefusalThatOthersNeedNotShareGoesOnAtOnce() async throws {
        try await DeliveryFixture.runWithTwo { fixture, first, second async throws in
            // Barred from sending; by its table another provider may.
            first.answerAlways(.refused("15"))
            try await fixture.work { _ in
                let id = try await fixture.accept(provider: "vonage")[0]
                try await fixture.wait(for: .accepted)
                #expect(
                    try await self.steps(of: id, fixture) == [Step("vonage", "refused"), Step("infobip", "accepted")])
                // Surely not sent by the first, so the second knows it under another name.
                #expect(second.references == ["\(MessageReference(id: id, series: 2))"])
            }
        }
    }

    @Test func whatIsPermanentAnywhereGoesNowhere() async throws {
        try await DeliveryFixture.runWithTwo { fixture, first, second async throws in
            first.answerAlways(.refused("6"))
            try await fixture.work { _ in
                let id = try await fixture.accept(provider: "vonage")[0]
                try await fixture.wait(for: .failed)
                #expect(try await self.steps(of: id, fixture) == [Step("vonage", "refused")])
                #expect(second.asked.isEmpty)
            }
        }
    }

    @Test func aCodeDoesNotWaitForAProviderThatHangs() async throws {
        try await DeliveryFixture.runWithTwo(slowAfter: 200) { fixture, first, second async throws in
            first.hold()
            try await fixture.work { _ in
                let ids = try await fixture.accept(8, provider: "vonage")
                try await fixture.wait(for: .accepted, count: 8)
                for id in ids {
                    #expect(
                        try await self.steps(of: id, fixture)
                            == [Step("vonage", "unanswered"), Step("infobip", "accepted")])
                }
                // Five in a row open the breaker, so the next are not even tried there.
                try await fixture.system.wait(for: "SELECT count(*) FROM breakers WHERE open_until > now()", is: 1)
                let asked = first.asked.count
                let later = try await fixture.accept(20, provider: "vonage")
                try await fixture.wait(for: .accepted, count: 28)
                #expect(first.asked.count == asked)
                #expect(try await self.steps(of: later[0], fixture).map(\.outcome) == ["skipped", "accepted"])
            }
        }
    }

    @Test func bulkThatMayHaveBeenSentIsNeverSentAgain() async throws {
        try await DeliveryFixture.runWithTwo(slowAfter: 100, timeout: 1) { fixture, first, second async throws in
            first.hold()
            try await fixture.work { _ in
                try await fixture.accept(priority: .bulk, provider: "vonage")
                try await fixture.wait(for: .unknown)
                try await fixture.waitUntilIdle()
                #expect(second.asked.isEmpty)
                #expect(first.asked.count == 1)
            }
        }
    }

    @Test func aThrottledCodeGoesElsewhereAndBulkWaits() async throws {
        try await DeliveryFixture.runWithTwo { fixture, first, second async throws in
            first.answer(.throttled(400), .throttled(400))
            try await fixture.work { _ in
                let code = try await fixture.accept(provider: "vonage")[0]
                try await fixture.wait(for: .accepted)
                #expect(try await self.steps(of: code, fixture).last == Step("infobip", "accepted"))
                let bulk = try await fixture.accept(priority: .bulk, provider: "vonage")[0]
                try await fixture.wait(for: .accepted, count: 2)
                #expect(Set(try await self.steps(of: bulk, fixture).map(\.provider)) == ["vonage"])
            }
        }
    }

    @Test func whatItsProviderReportsAsLostGoesOn() async throws {
        try await DeliveryFixture.runWithTwo { fixture, first, second async throws in
            try await fixture.work { _ in
                let id = try await fixture.accept(provider: "vonage")[0]
                try await fixture.wait(for: .accepted)
                let counts = try await fixture.report(id, series: 1, by: "vonage", .undelivered, .failover)
                #expect(counts.ready[.messages] == [id.lane])
                try await fixture.system.wait(for: "SELECT count(*) FROM attempts", is: 2)
                #expect(
                    try await self.steps(of: id, fixture) == [Step("vonage", "accepted"), Step("infobip", "accepted")])
                #expect(try await fixture.state(of: id) == .accepted)
                // The route has nobody left.
                let last = try await fixture.report(id, series: 2, by: "infobip", .undelivered, .failover)
                #expect(last.ready[.messages].isEmpty)
                #expect(try await fixture.state(of: id) == .undelivered)
                #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE body IS NOT NULL") == 0)
                #expect(try await fixture.system.count("SELECT count(*) FROM standby") == 0)
                // It arrived after all, and had been told as lost.
                try await fixture.report(id, series: 1, by: "vonage", .delivered, .none)
                #expect(try await fixture.state(of: id) == .delivered)
            }
        }
    }

    @Test func whatArrivesTwiceIsKnownToHave() async throws {
        try await DeliveryFixture.runWithTwo(slowAfter: 100) { fixture, first, second async throws in
            first.hold()
            try await fixture.work { _ in
                let id = try await fixture.accept(provider: "vonage")[0]
                try await fixture.wait(for: .accepted)
                try await fixture.report(id, series: 2, by: "infobip", .delivered, .none)
                #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE duplicated") == 0)
                try await fixture.report(id, series: 1, by: "vonage", .delivered, .none)
                #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE duplicated") == 1)
            }
        }
    }

    @Test func whoWasNeverAskedCannotReport() async throws {
        try await DeliveryFixture.runWithTwo { fixture, first, second async throws in
            try await fixture.work { _ in
                let id = try await fixture.accept(provider: "vonage")[0]
                try await fixture.wait(for: .accepted)
                try await fixture.report(id, series: 1, by: "infobip", .delivered, .none)
                #expect(try await fixture.state(of: id) == .accepted)
            }
        }
    }

    @Test func silenceSendsACodeOn() async throws {
        try await DeliveryFixture.runWithTwo(silenceLimit: .seconds(5)) { fixture, first, second async throws in
            try await fixture.work { _ in
                let id = try await fixture.accept(provider: "vonage")[0]
                try await fixture.system.wait(for: "SELECT count(*) FROM standby WHERE due_at > now()", is: 1)
                // As if the five seconds were over.
                _ = try await fixture.system.pool.execute("UPDATE standby SET due_at = now()")
                try await fixture.system.wait(for: "SELECT count(*) FROM attempts", is: 2)
                #expect(try await self.steps(of: id, fixture).last == Step("infobip", "accepted"))
                #expect(try await fixture.state(of: id) == .accepted)
            }
        }
    }

    @Test func aProviderThatIsWellAgainGetsItsTrafficBack() async throws {
        try await DeliveryFixture.runWithTwo(slowAfter: 100) { fixture, first, second async throws in
            first.hold()
            try await fixture.work { _ in
                try await fixture.accept(6, provider: "vonage")
                try await fixture.wait(for: .accepted, count: 6)
                try await fixture.system.wait(for: "SELECT count(*) FROM breakers WHERE open_until > now()", is: 1)
                first.release()
                let asked = first.asked.count
                // One goes as a probe once the time is over, and others only when it has come back well.
                while first.asked.count == asked {
                    try await fixture.accept(provider: "vonage")
                    try await Task.sleep(for: .milliseconds(50))
                }
                try await fixture.system.wait(for: "SELECT count(*) FROM breakers WHERE open_until IS NULL", is: 1)
                let probed = first.asked.count
                try await fixture.accept(5, provider: "vonage")
                try await first.waitForRequests(probed + 5)
            }
        }
    }
}
