import Messaging
import Postgres
import Store
import Telemetry
import TestSystem
import Testing

@testable import Delivery

/// The way of a message through a worker, by what its provider answers.
@Suite(.timeLimit(.minutes(3))) struct WorkerTests {
    @Test func whatIsTakenIsAccepted() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let ids = try await fixture.accept(20)
            try await fixture.work { _ in try await fixture.wait(for: .accepted, count: 20) }
            #expect(provider.references.sorted() == ids.map(\.description).sorted())
            #expect(try await fixture.system.count("SELECT count(*) FROM outbox") == 0)
            #expect(try await fixture.system.count("SELECT count(*) FROM parts") == 20)
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE body IS NOT NULL") == 0)
            #expect(try await fixture.attempts(of: ids[0]).map(\.outcome) == ["accepted"])
        }
    }

    @Test func aBatchingProviderGetsBatches() async throws {
        try await DeliveryFixture.run(.init(name: "infobip", port: 0, inFlight: 2)) { fixture, provider async throws in
            let ids = try await fixture.accept(1000, priority: .bulk)
            try await fixture.work { _ in try await fixture.wait(for: .accepted, count: 1000) }
            #expect(provider.references.sorted() == ids.map(\.description).sorted())
            #expect(provider.asked.count <= 30)
            #expect(provider.asked.allSatisfy { $0.references.count <= 100 })
        }
    }

    @Test func oneRefusedOfABatchIsTriedAgainByItself() async throws {
        try await DeliveryFixture.run(.init(name: "infobip", port: 0)) { fixture, provider async throws in
            let ids = try await fixture.accept(3)
            provider.answer(.refusing([ids[1].description], status: 21))
            try await fixture.work { _ in try await fixture.wait(for: .accepted, count: 3) }
            #expect(provider.asked.count == 2)
            #expect(provider.asked.last?.references == ["\(ids[1]).2"])
        }
    }

    @Test func aThrottleInsideASuccessPausesAndCostsNoAttempt() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 1)) { fixture, provider async throws in
            let ids = try await fixture.accept(2)
            provider.answer(.throttled(600))
            var policy = DeliveryFixture.hasty
            policy.attemptLimit = 1
            try await fixture.work(policy: policy) { _ in try await fixture.wait(for: .accepted, count: 2) }
            #expect(provider.asked.count == 3)
            // The message that was not refused had to wait as well.
            #expect(provider.asked[1].at - provider.asked[0].at >= .milliseconds(590))
            let refused = try #require(ids.first { $0.description == provider.asked[0].references[0] })
            let attempts = try await fixture.attempts(of: refused)
            #expect(attempts.map(\.outcome) == ["refused", "accepted"])
            #expect(attempts.map(\.attempt) == [1, 1])
            // The same reference: the provider looked at nothing.
            #expect(provider.references.count { $0 == refused.description } == 2)
        }
    }

    /// Nothing is claimed before the first look at what there is to do, which must not keep all back when it cannot be made.
    @Test func whatIsReadyIsSentThoughTheFirstLookFails() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            try await fixture.accept()
            _ = try await fixture.system.pool.execute("ALTER TABLE tallies RENAME TO away")
            try await fixture.work { _ in
                try await provider.waitForRequests(1)
                _ = try await fixture.system.pool.execute("ALTER TABLE away RENAME TO tallies")
                try await fixture.wait(for: .accepted)
            }
            #expect(provider.asked.count == 1)
        }
    }

    @Test func afterAServersErrorANewSeriesBegins() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.answer(.status(500), .status(502))
            try await fixture.work { _ in try await fixture.wait(for: .accepted) }
            #expect(provider.references == ["\(id)", "\(id).2", "\(id).3"])
            #expect(try await fixture.attempts(of: id).map(\.attempt) == [1, 2, 3])
        }
    }

    @Test func whatNeverLeftUsIsTriedAgainUnderTheSameReference() async throws {
        // A port on which nobody listens any more.
        var port: UInt16 = 0
        try await withProvider { port = $1 }
        try await DeliveryFixture.run([.init(port: port)]) { fixture async throws in
            let id = try await fixture.accept()[0]
            var policy = DeliveryFixture.hasty
            policy.attemptLimit = 1000
            try await fixture.work(policy: policy) { _ in
                try await fixture.system.wait(
                    for: "SELECT least(count(*), 2) FROM attempts WHERE outcome = 'not_sent'", is: 2)
                #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE state <> 'queued'") == 0)
                try await withProvider(port: port) { provider, _ in
                    try await fixture.wait(for: .accepted)
                    #expect(provider.references == ["\(id)"])
                }
            }
        }
    }

    @Test func aCodeWhoseAnswerIsLostIsUnknownAndSentAgainUnderTheSameReference() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.answer(.dropped)
            try await fixture.work { _ in
                try await fixture.wait(for: .unknown)
                #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE body IS NOT NULL") == 1)
                try await fixture.wait(for: .accepted)
            }
            #expect(provider.references == ["\(id)", "\(id)"])
            #expect(try await fixture.attempts(of: id).map(\.outcome) == ["unanswered", "accepted"])
        }
    }

    @Test func aGatewayThatGaveUpWaitingIsNoRefusal() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.answer(.status(504))
            try await fixture.work { _ in try await fixture.wait(for: .accepted) }
            #expect(provider.references == ["\(id)", "\(id)"])
        }
    }

    @Test func bulkWhoseAnswerIsLostIsNotSentAgain() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let id = try await fixture.accept(priority: .bulk)[0]
            provider.answer(.dropped)
            try await fixture.work { _ in
                try await fixture.wait(for: .unknown)
                try await fixture.waitUntilIdle()
            }
            #expect(provider.references == ["\(id)"])
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE body IS NOT NULL") == 0)
        }
    }

    @Test func whatIsPastItsTimeIsNeverSent() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            try await fixture.accept(5)
            _ = try await fixture.system.pool.execute("UPDATE messages SET expires_at = now()")
            try await fixture.work { _ in try await fixture.wait(for: .expired, count: 5) }
            #expect(provider.asked.isEmpty)
        }
    }

    /// The claim said that it had a second left; its turn came later.
    @Test func whatExpiresWhileItWaitsForASlotIsNeverSent() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 1)) { fixture, provider async throws in
            provider.hold()
            let first = try await fixture.accept()
            try await fixture.work { _ in
                try await provider.waitForRequests(1)
                try await fixture.accept(timeToLive: .seconds(1))
                try await fixture.system.wait(
                    for: "SELECT count(*) FROM outbox WHERE worker_id IS NOT NULL", is: 2)
                try await fixture.system.wait(for: "SELECT count(*) FROM messages WHERE expires_at <= now()", is: 1)
                provider.release()
                try await fixture.waitUntilIdle()
            }
            #expect(provider.references == first.map(\.description))
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE state = 'expired'") == 1)
        }
    }

    @Test func attemptsEnd() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.answerAlways(.status(500))
            var policy = DeliveryFixture.hasty
            policy.attemptLimit = 3
            try await fixture.work(policy: policy) { _ in try await fixture.wait(for: .failed) }
            #expect(provider.references == ["\(id)", "\(id).2", "\(id).3"])
        }
    }

    @Test func attemptsThatKilledTheirWorkersCount() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            _ = try await fixture.system.pool.execute("UPDATE outbox SET attempt = 6")
            try await fixture.work { _ in try await fixture.wait(for: .failed) }
            #expect(provider.asked.isEmpty)
            #expect(try await fixture.attempts(of: id).map(\.outcome) == ["spent"])
        }
    }

    @Test func aBodyThatDoesNotOpenFailsAndStopsNobody() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let ids = try await fixture.accept(2)
            _ = try await fixture.system.pool.execute("UPDATE messages SET body = '\\x01' WHERE id = \(ids[0])")
            try await fixture.work { _ in
                try await fixture.wait(for: .failed)
                try await fixture.wait(for: .accepted)
            }
            #expect(provider.references == [ids[1].description])
        }
    }

    /// A provider's kind may change under a route.
    @Test func aChannelThatTheProviderDoesNotCarryFailsAndStopsNobody() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let mail = try await fixture.accept(
                recipient: "anna@example.com", content: .mail(Mail(subject: "s", text: "t")))
            let call = try await fixture.accept(content: .speech(Speech("4, 9")))
            let text = try await fixture.accept()
            try await fixture.work { _ in
                try await fixture.wait(for: .failed, count: 2)
                try await fixture.wait(for: .accepted)
            }
            #expect(provider.references == text.map(\.description))
            for id in mail + call {
                let attempts = try await fixture.attempts(of: id)
                #expect(attempts.map(\.outcome) == ["refused"])
                #expect(attempts.map(\.reason) == ["config_error"])
                #expect(attempts.map(\.code) == ["unsupported_channel"])
            }
        }
    }

    @Test func contentOfAnotherChannelDoesNotOpen() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            _ = try await fixture.accept()
            _ = try await fixture.system.pool.execute("UPDATE messages SET channel = 'voice'")
            try await fixture.work { _ in try await fixture.wait(for: .failed) }
            #expect(provider.asked.isEmpty)
        }
    }

    @Test func aReceiptThatCameFirstStopsTheRetry() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.answer(.dropped)
            try await fixture.work { _ in
                try await fixture.wait(for: .unknown)
                _ = try await fixture.system.pool.execute("UPDATE messages SET state = 'delivered', body = NULL")
                try await fixture.waitUntilIdle()
            }
            #expect(provider.asked.count == 1)
            #expect(try await fixture.state(of: id) == .delivered)
        }
    }
}
