import Callbacks
import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@testable import Intake

/// Webhooks made through the API, and events that they are told of.
struct Webhooks: Sendable {
    let fixture: IntakeFixture
    var key = IntakeFixture.key

    static let new: JSON = ["url": "https://Example.com/hook?token=t0ken"]

    init(_ fixture: IntakeFixture, key: String = IntakeFixture.key) {
        self.fixture = fixture
        self.key = key
    }

    func make(_ change: [String: JSON?] = [:]) async throws -> (id: String, secret: String) {
        let made = await self.fixture.post("/v1/webhooks", Self.new.with(change), key: self.key)
        #expect(made.status == 201, "\(made.text)")
        return (try #require(made.json["id"]?.string), try #require(made.json["secret"]?.string))
    }

    func show(_ id: String) async -> JSON { await self.fixture.get("/v1/webhooks/\(id)", key: self.key).json }

    /// An event of a message that was cancelled.
    @discardableResult func event() async throws -> String {
        let message = try await self.fixture.accept(key: self.key)
        _ = await self.fixture.ask("POST", "/v1/messages/\(message)/cancel", key: self.key)
        let list = await self.fixture.get("/v1/events?subject=\(message)", key: self.key)
        return try #require(list.json["events"]?.array?.first?["id"]?.string, "\(list.text)")
    }

    /// Settles everything that is ready as a worker does.
    @discardableResult func tell(
        _ outcome: SettledEvent.Outcome = .delivered, retryAfter: Duration? = nil
    ) async throws -> [EventClaim] {
        let store = self.fixture.system.store
        let worker = try await store.registerWorker(name: "test", lease: .seconds(15))
        var told: [EventClaim] = []
        for lane in self.fixture.intake.lanes {
            let request = EventClaimRequest(limit: 100, after: EndpointID(rawValue: 0), inFlight: [:])
            let claims = try await store.claimEvents(lane: lane, worker: worker, request: request).claims
            let settled = claims.map { claim in
                SettledEvent(
                    key: claim.key, event: claim.event, attempt: claim.attempt, outcome: outcome,
                    status: outcome == .delivered ? 200 : 500, duration: .milliseconds(3), retryAfter: retryAfter)
            }
            _ = try await store.settleEvents(settled, lane: lane, worker: worker)
            told += claims
        }
        return told
    }

    /// The request that a worker would send of an event.
    func request(of event: String, to id: String) async throws -> CallbackRequest? {
        let store = self.fixture.system.store
        let account = try await self.account()
        let webhook = try #require(try await store.endpoint(id, of: account))
        let context = EndpointKind.standard.sealingContext(account: account, publicID: id)
        let sealed = try #require(webhook.settings.secrets)
        let plain = try TestSystem.masterKeys.open(sealed, for: context)
        let json = try JSON(parsing: plain)
        let secrets = try #require(CallbackSecrets(json))
        let name = try #require(EventID(event))
        let found = try #require(try await store.event(name, of: account))
        let subject = CallbackEvent(
            id: found.event.id, type: found.facts.type, sequence: Int(found.event.sequence),
            occurredAt: found.event.occurredAt,
            subject: .webhook(.init(id: id, url: "https://example.com", disabledBecause: "gone")))
        return Callbacks.request(
            for: subject, to: CallbackEndpoint(kind: .standard, url: webhook.settings.url, secrets: secrets), now: .now)
    }

    func account() async throws -> AccountID {
        let name = self.key == IntakeFixture.strangersKey ? "other" : "acme"
        return try await self.fixture.system.pool.query("SELECT id FROM accounts WHERE name = \(name)") {
            row throws(PostgresError) in AccountID(rawValue: try row.decode(0))
        }[0]
    }
}

extension CallbackRequest {
    /// Whether a library of Standard Webhooks would take it with this secret.
    func isSigned(with secret: String) throws -> Bool {
        let key = try #require(Base64.decode(String(secret.dropFirst(6))))
        let signed = "\(self.fields["webhook-id"] ?? "").\(self.fields["webhook-timestamp"] ?? "")."
        let hash = Digest.sha256.authenticate(Array(signed.utf8) + self.body, key: Secret(key))
        return self.fields["webhook-signature"]?.split(separator: " ").contains("v1,\(Base64.encode(hash))") == true
    }
}
