import Lifecycle
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Delivery

/// Ends of every kind: drained, cancelled, lost, lapsed.
@Suite(.timeLimit(.minutes(3))) struct LeaseTests {
    private static let held: SQL = "SELECT count(*) FROM outbox WHERE worker_id IS NOT NULL"
    /// A slot and a queue of two may hold up to three.
    private static let several: SQL = "SELECT least(count(*), 2) FROM outbox WHERE worker_id IS NOT NULL"

    @Test func aDrainGivesBackWhatHasNotBegunAndSettlesWhatHas() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 1)) { fixture, provider async throws in
            provider.hold()
            try await fixture.accept(6)
            try await fixture.work { worker in
                try await provider.waitForRequests(1)
                try await fixture.system.wait(for: Self.several, is: 2)
                worker.drain()
                try await fixture.system.wait(for: Self.held, is: 1)
                #expect(worker.health.problem == "draining")
                #expect(
                    try await fixture.system.count(
                        "SELECT count(*) FROM outbox WHERE worker_id IS NULL AND attempt = 0") == 5)
                provider.release()
            }
            // `work` waits for the end of the worker.
            #expect(provider.asked.count == 1)
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE state = 'accepted'") == 1)
            #expect(
                try await fixture.system.count("SELECT count(*) FROM workers") == 0,
                "it left nothing, so that nobody has to look for it")
        }
    }

    @Test func aCancelledWorkerStopsAtOnce() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 1)) { fixture, provider async throws in
            provider.hold()
            try await fixture.accept(6)
            let worker = Task { try await fixture.work { _ in try await Task.sleep(for: .seconds(3600)) } }
            try await provider.waitForRequests(1)
            worker.cancel()
            _ = await worker.result
            provider.release()
            #expect(provider.asked.count == 1)
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE state <> 'queued'") == 0)
            #expect(try await fixture.system.count("SELECT count(*) FROM outbox") == 6)
        }
    }

    @Test func aLostLeaseSendsNothingMoreAndChangesNothing() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 1)) { fixture, provider async throws in
            provider.hold()
            let ids = try await fixture.accept(2)
            try await fixture.work(lease: .milliseconds(1500)) { _ in
                try await provider.waitForRequests(1)
                try await fixture.system.wait(for: Self.several, is: 2)
                // Another worker takes over, and holds both.
                let heir = try await fixture.system.store.registerWorker(name: "heir", lease: .seconds(15))
                _ = try await fixture.system.pool.execute(
                    "UPDATE workers SET heartbeat_at = now() + interval '1 hour' WHERE id = \(heir.rawValue)")
                _ = try await fixture.system.pool.execute(
                    "UPDATE workers SET lost_at = now() WHERE id <> \(heir.rawValue)")
                _ = try await fixture.system.pool.execute(
                    "UPDATE outbox SET worker_id = \(heir.rawValue), attempt = attempt + 1")
                // The worker has noticed when it has a new lease.
                try await fixture.system.wait(for: "SELECT count(*) FROM workers WHERE lost_at IS NULL", is: 2)
                provider.release()
                try await fixture.accept()
                try await fixture.wait(for: .accepted)
                #expect(provider.asked.count == 2)
                #expect(
                    !provider.references.dropFirst().contains { reference in ids.contains { "\($0)" == reference } })
                #expect(try await fixture.system.count("SELECT count(*) FROM outbox") == 2)
                #expect(try await fixture.system.count("SELECT count(*) FROM attempts") == 1)
            }
        }
    }

    /// The database was away for nearly the whole of the lease. What was dropped meanwhile must not stay claimed by a
    /// worker that lives on and has forgotten it.
    @Test func whatWasDroppedUnderALapsedLeaseIsSentAfterAll() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 1)) { fixture, provider async throws in
            provider.hold()
            try await fixture.accept(3)
            let lease = Duration.seconds(3)
            try await fixture.work(lease: lease) { _ in
                try await provider.waitForRequests(1)
                try await fixture.system.wait(for: Self.several, is: 2)
                try await fixture.system.locking("workers") {
                    // Nothing happens when a lease lapses; it is the worker's own clock that says so.
                    try await Task.sleep(for: lease * 0.85)
                    provider.release()
                    try await fixture.wait(for: .accepted)
                }
                try await fixture.wait(for: .accepted, count: 3)
            }
        }
    }

    @Test func aDeadWorkersMessagesAreTakenOver() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            try await fixture.accept(3)
            let dead = try await fixture.system.store.registerWorker(name: "dead", lease: .seconds(15))
            _ = try await fixture.system.pool.execute("UPDATE outbox SET worker_id = \(dead.rawValue), attempt = 1")
            _ = try await fixture.system.pool.execute("UPDATE workers SET heartbeat_at = now() - interval '1 hour'")
            try await fixture.work { _ in try await fixture.wait(for: .accepted, count: 3) }
            #expect(try await fixture.system.count("SELECT count(*) FROM attempts WHERE attempt = 2") == 3)
        }
    }

    @Test func aProviderPutOutOfServiceGivesItsClaimsBack() async throws {
        try await DeliveryFixture.run(.init(port: 0, inFlight: 1)) { fixture, provider async throws in
            provider.hold()
            try await fixture.accept(6)
            try await fixture.work { _ in
                try await provider.waitForRequests(1)
                try await fixture.system.wait(for: Self.several, is: 2)
                _ = try await fixture.system.pool.execute("UPDATE providers SET enabled = false")
                try await fixture.system.wait(for: Self.held, is: 1)
                provider.release()
                try await fixture.wait(for: .accepted)
                #expect(provider.asked.count == 1)
            }
        }
    }
}
