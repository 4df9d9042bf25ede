import Callbacks
import HTTP
import JSON
import Messaging
import Postgres
import Store
import Telemetry
import TestSystem
import Testing

@testable import Delivery

/// The way of an event through a worker, by what its endpoint answers.
@Suite(.timeLimit(.minutes(3))) struct TellingTests {
    private func run(
        _ body: (DeliveryFixture, ScriptedProvider, ScriptedEndpoint) async throws -> Void
    ) async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            try await withEndpoint { endpoint in try await body(fixture, provider, endpoint) }
        }
    }

    @Test func anEndpointIsToldOfEachChangeInItsOrderAndSigned() async throws {
        try await self.run { fixture, _, endpoint async throws in
            try await fixture.endpoint(at: endpoint.url)
            let id = try await fixture.accept()[0]
            try await fixture.work { _ in
                try await endpoint.waitForRequests(1)
                try await fixture.report(of: [id])
                try await endpoint.waitForRequests(2)
                try await fixture.waitUntilTold()
            }
            #expect(endpoint.types == ["message.accepted", "message.delivered"])
            #expect(endpoint.told.allSatisfy { $0.method == "POST" && $0.target == "/hook" })
            #expect(endpoint.told.allSatisfy { $0.isSigned(by: DeliveryFixture.signingKey) })
            #expect(!endpoint.told[0].isSigned(by: .make()))
            #expect(try endpoint.told.map { try $0.json["data"]?["id"]?.string } == ["\(id)", "\(id)"])
            #expect(try endpoint.told.map { try $0.json["data"]?["sequence"]?.integer } == [1, 2])
            #expect(Set(endpoint.told.map { $0.fields["webhook-id"] }).count == 2)
            #expect(try await fixture.tellings() == ["delivered 204", "delivered 204"])
        }
    }

    @Test func whatIsTriedAgainIsTheSameEventAtAnotherTime() async throws {
        try await self.run { fixture, _, endpoint async throws in
            try await fixture.endpoint(at: endpoint.url)
            // Its time is in whole seconds: so it refuses until it is told another.
            endpoint.answer { [endpoint] request in
                let first = endpoint.told.first?.fields["webhook-timestamp"]
                return HTTPResponse(status: request.fields["webhook-timestamp"] == first ? 500 : 200)
            }
            let id = try await fixture.accept()[0]
            try await fixture.work { _ in
                try await endpoint.waitForRequests(1)
                while try await fixture.system.count("SELECT count(*) FROM event_outbox") > 0 {
                    try await Task.sleep(for: .milliseconds(5))
                    _ = try await fixture.system.pool.execute(
                        "UPDATE event_outbox SET due_at = now() WHERE due_at > now()")
                }
            }
            let told = endpoint.told
            #expect(told.count >= 2)
            #expect(Set(told.map { $0.fields["webhook-id"] }).count == 1 && Set(told.map(\.body)).count == 1)
            #expect(told.first?.fields["webhook-timestamp"] != told.last?.fields["webhook-timestamp"])
            #expect(told.allSatisfy { $0.isSigned(by: DeliveryFixture.signingKey) })
            #expect(try await fixture.tellings().last == "delivered 200")
            #expect(try await fixture.state(of: id) == .accepted)
        }
    }

    @Test func theEndpointsPatienceIsHeard() async throws {
        try await self.run { fixture, _, endpoint async throws in
            try await fixture.endpoint(at: endpoint.url)
            endpoint.answer(HTTPResponse(status: 429, fields: ["Retry-After": "3600"]))
            try await fixture.accept()
            try await fixture.work { _ in
                try await fixture.system.wait(
                    for: """
                        SELECT count(*) FROM event_outbox
                        WHERE due_at BETWEEN now() + interval '50 minutes' AND now() + interval '61 minutes'
                        """, is: 1)
                try await fixture.hasten()
                try await fixture.waitUntilTold()
            }
            #expect(try await fixture.tellings() == ["refused 429", "delivered 204"])
        }
    }

    @Test func anEndpointThatSaysThatItIsGoneIsToldNothingMore() async throws {
        try await self.run { fixture, _, endpoint async throws in
            try await fixture.endpoint(at: endpoint.url)
            endpoint.answer { _ in HTTPResponse(status: 410) }
            try await fixture.accept()
            try await fixture.work { _ in
                try await fixture.system.wait(
                    for: "SELECT count(*) FROM endpoints WHERE disabled = 'gone' AND disabled_at IS NOT NULL", is: 1)
                try await fixture.waitUntilTold()
                try await fixture.accept()
                try await fixture.wait(for: .accepted, count: 2)
            }
            #expect(endpoint.told.count == 1)
            #expect(try await fixture.system.count("SELECT count(*) FROM event_outbox") == 0)
            // They are kept, to be replayed.
            #expect(
                try await fixture.system.count("SELECT count(*) FROM events WHERE type = 'message.accepted'") == 2)
        }
    }

    @Test func aRedirectIsAFailureAndNobodyFollowsIt() async throws {
        let canary = try Canary()
        try await self.run { fixture, _, endpoint async throws in
            try await fixture.endpoint(at: endpoint.url)
            endpoint.answer(HTTPResponse(status: 302, fields: ["Location": "http://127.0.0.1:\(canary.port)/"]))
            try await fixture.accept()
            try await fixture.work { _ in
                try await fixture.hasten()
                try await fixture.waitUntilTold()
            }
            #expect(try await fixture.tellings() == ["refused 302", "delivered 204"])
            #expect(canary.countVisitors() == 0)
        }
    }

    @Test func anEndpointThatClosesTheConnectionIsAskedAgain() async throws {
        try await self.run { fixture, _, endpoint async throws in
            try await fixture.endpoint(at: endpoint.url)
            endpoint.answer(.dropConnection)
            try await fixture.accept()
            try await fixture.work { _ in
                try await fixture.hasten()
                try await fixture.waitUntilTold()
            }
            #expect(try await fixture.tellings() == ["unanswered", "delivered 204"])
        }
    }

    @Test func anEndpointThatHangsHoldsNobodyButItself() async throws {
        let inFlight = 3
        try await self.run { fixture, provider, hanging async throws in
            try await withEndpoint { quick in
                try await fixture.endpoint("hanging", at: hanging.url, inFlight: Int16(inFlight))
                try await fixture.endpoint("quick", at: quick.url)
                hanging.hold()
                try await fixture.work { _ in
                    try await fixture.accept()
                    try await hanging.waitForRequests(1)
                    let ids = try await fixture.accept(50)
                    try await fixture.wait(for: .accepted, count: 51)
                    try await quick.waitForRequests(51)
                    try await fixture.report(of: ids)
                    try await quick.waitForRequests(101)
                    #expect(provider.asked.count == 51)
                    // Never more of it at once than it may have.
                    #expect(hanging.told.count == inFlight)
                    hanging.release()
                    try await fixture.waitUntilTold()
                }
                #expect(hanging.told.count == 101 && quick.told.count == 101)
            }
        }
    }

    // MARK: - Ends

    @Test func aDrainSettlesWhatIsOnItsWay() async throws {
        try await self.run { fixture, _, endpoint async throws in
            try await fixture.endpoint(at: endpoint.url)
            endpoint.hold()
            try await fixture.accept()
            try await fixture.work { worker in
                try await endpoint.waitForRequests(1)
                worker.drain()
                endpoint.release()
            }
            // `work` waits for the end of the worker.
            #expect(try await fixture.tellings() == ["delivered 204"])
            #expect(try await fixture.system.count("SELECT count(*) FROM event_outbox") == 0)
        }
    }

    @Test func whatADeadWorkerHeldIsToldByAnother() async throws {
        try await self.run { fixture, _, endpoint async throws in
            try await fixture.endpoint(at: endpoint.url)
            endpoint.hold()
            try await fixture.accept()
            let first = Task {
                try await fixture.work(lease: .milliseconds(1500)) { _ in try await Task.sleep(for: .seconds(3600)) }
            }
            try await endpoint.waitForRequests(1)
            first.cancel()
            _ = await first.result
            endpoint.release()
            #expect(try await fixture.system.count("SELECT count(*) FROM event_outbox WHERE attempt = 1") == 1)
            try await fixture.work { _ in try await fixture.waitUntilTold() }
            #expect(endpoint.told.count == 2)
            #expect(Set(endpoint.told.map { $0.fields["webhook-id"] }).count == 1)
            #expect(try await fixture.system.count("SELECT count(*) FROM event_attempts WHERE attempt = 2") == 1)
        }
    }

    @Test func aWorkerThatHasLostItsLeaseChangesNothing() async throws {
        try await self.run { fixture, _, endpoint async throws in
            try await fixture.endpoint(at: endpoint.url)
            endpoint.hold()
            try await fixture.accept()
            try await fixture.work(lease: .milliseconds(1500)) { _ in
                try await endpoint.waitForRequests(1)
                let heir = try await fixture.system.store.registerWorker(name: "heir", lease: .seconds(15))
                _ = try await fixture.system.pool.execute(
                    "UPDATE workers SET heartbeat_at = now() + interval '1 hour' WHERE id = \(heir.rawValue)")
                _ = try await fixture.system.pool.execute(
                    "UPDATE workers SET lost_at = now() WHERE id <> \(heir.rawValue)")
                _ = try await fixture.system.pool.execute(
                    "UPDATE event_outbox SET worker_id = \(heir.rawValue), attempt = attempt + 1")
                // The worker has noticed when it has a new lease.
                try await fixture.system.wait(for: "SELECT count(*) FROM workers WHERE lost_at IS NULL", is: 2)
                endpoint.release()
                // It goes on with what is new.
                let next = try await fixture.accept()[0]
                try await endpoint.waitForRequests(2)
                #expect(try endpoint.told.last?.json["data"]?["id"]?.string == "\(next)")
            }
            #expect(
                try await fixture.system.count("SELECT count(*) FROM event_outbox WHERE attempt = 2 AND due_at IS NULL")
                    == 1)
            #expect(try await fixture.tellings() == ["delivered 204"])
        }
    }

    // MARK: - Addresses

    /// The API refuses them too, but what it let in may have moved since, and its rules may have been others.
    @Test(arguments: [
        "http://127.0.0.1:PORT/", "https://127.0.0.1:PORT/", "https://localhost:PORT/", "http://[::1]:PORT/",
    ])
    func anAddressThatIsForbiddenIsNotDialled(url: String) async throws {
        let canary = try Canary()
        try await self.run { fixture, _, _ async throws in
            let url = url.split(separator: "PORT", omittingEmptySubsequences: false).joined(separator: "\(canary.port)")
            try await fixture.endpoint(at: url)
            try await fixture.accept()
            try await fixture.work(callable: "127.0.0.2/32") { _ in
                try await fixture.hasten()
                try await fixture.system.wait(for: "SELECT count(*) FROM event_attempts", is: 2)
            }
            #expect(try await fixture.tellings() == ["forbidden", "forbidden"])
            #expect(canary.countVisitors() == 0)
        }
    }

    /// The other half: were it let through, the canary would tell.
    @Test func theCanaryHearsThoseWhoAreLetThrough() async throws {
        let canary = try Canary()
        try await self.run { fixture, _, _ async throws in
            try await fixture.endpoint(at: "https://127.0.0.1:\(canary.port)/")
            try await fixture.accept()
            var visitors = 0
            try await fixture.work { _ in
                while visitors == 0 {
                    visitors = canary.countVisitors()
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            #expect(visitors > 0)
        }
    }
}
