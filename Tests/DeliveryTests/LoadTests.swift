import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Delivery

/// Limits, order, and providers beside one another.
@Suite(.timeLimit(.minutes(3))) struct LoadTests {
    @Test func noMoreRequestsAreUnderWayThanTheProviderTakes() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 4)) { fixture, provider async throws in
            provider.hold()
            try await fixture.accept(60)
            try await fixture.work { _ in
                try await provider.waitForRequests(4)
                provider.release()
                try await fixture.wait(for: .accepted, count: 60)
            }
            #expect(provider.asked.count == 60)
            #expect(provider.mostAtOnce == 4)
        }
    }

    @Test func theProvidersRateIsKept() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 20, perSecond: 40)) { fixture, provider async throws in
            try await fixture.accept(60)
            try await fixture.work { _ in try await fixture.wait(for: .accepted, count: 60) }
            let times = provider.asked.map(\.at)
            // 60 messages are 59 intervals; one stall of ours may bring the first late and the last in time.
            #expect(times[59] - times[0] >= .milliseconds(1400))
        }
    }

    @Test func codesGoBeforeBulk() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 1)) { fixture, provider async throws in
            let bulk = Set(try await fixture.accept(40, priority: .bulk).map(\.description))
            try await fixture.accept(40, priority: .otp)
            try await fixture.work { _ in try await fixture.wait(for: .accepted, count: 80) }
            let order = provider.references.map { bulk.contains($0) }
            let lastCode = try #require(order.lastIndex(of: false))
            #expect(order[...lastCode].count { $0 } < 25, "\(order)")
        }
    }

    @Test func aSlowProviderDelaysNoOther() async throws {
        try await withProvider { slow, slowPort in
            try await withProvider { quick, quickPort in
                let outlets: [DeliveryFixture.Outlet] = [
                    .init(name: "vonage-slow", port: slowPort, inFlight: 2),
                    .init(name: "vonage-quick", port: quickPort, inFlight: 2),
                ]
                try await DeliveryFixture.run(outlets) { fixture async throws in
                    slow.hold()
                    try await fixture.accept(200, provider: "vonage-slow")
                    try await fixture.accept(50, priority: .bulk, provider: "vonage-quick")
                    try await fixture.work { _ in
                        try await slow.waitForRequests(2)
                        try await fixture.wait(for: .accepted, count: 50)
                        #expect(slow.asked.count == 2)
                        slow.release()
                        try await fixture.wait(for: .accepted, count: 250)
                    }
                }
            }
        }
    }

    @Test func aBackloggedAccountDelaysNoOther() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 2)) { fixture, provider async throws in
            provider.hold()
            try await fixture.accept(300)
            try await fixture.work { _ in
                try await provider.waitForRequests(2)
                // Of another account, and last in the queue.
                _ = try await fixture.system.pool.execute(
                    """
                    WITH last AS (SELECT id FROM outbox ORDER BY id DESC LIMIT 1)
                    UPDATE outbox SET account_id = 99 FROM last WHERE outbox.id = last.id AND worker_id IS NULL
                    """)
                provider.release()
                try await fixture.system.wait(for: "SELECT count(*) FROM outbox WHERE account_id = 99", is: 0)
                #expect(try await fixture.system.count("SELECT count(*) FROM outbox") > 100)
            }
        }
    }

    @Test func twoWorkersSendNothingTwice() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 8)) { fixture, provider async throws in
            let ids = try await fixture.accept(400)
            try await fixture.work { _ in
                try await fixture.work { _ in try await fixture.wait(for: .accepted, count: 400) }
            }
            #expect(provider.references.sorted() == ids.map(\.description).sorted())
        }
    }
}
