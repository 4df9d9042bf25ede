import Callbacks
import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

// What tests of events need besides messages.
extension DeliveryFixture {
    /// Signs what endpoints of our own kind are told.
    static let signingKey = CallbackSecrets.SigningKey.make()

    /// Makes an endpoint of the account.
    @discardableResult
    func endpoint(
        _ name: String = "main", kind: EndpointKind = .standard, at url: String,
        secrets: CallbackSecrets = CallbackSecrets(signingKeys: [Self.signingKey]), settings: JSON = [:],
        inFlight: Int16 = 8
    ) async throws -> EndpointID {
        var endpoint = EndpointSettings(kind: kind, url: url)
        endpoint.secrets = TestSystem.masterKeys.seal(
            secrets.json.serialized(), for: kind.sealingContext(account: self.account, publicID: name))
        endpoint.settings = String(decoding: settings.serialized(), as: UTF8.self)
        endpoint.inFlightLimit = inFlight
        let account = self.account
        let change = try await self.system.store.changingEndpoints { [endpoint] transaction throws(PostgresError) in
            try await Store.putEndpoint(name, endpoint, of: account, in: transaction)
        }
        #expect(change == .made)
        return try #require(try await self.system.store.endpoint(name, of: account)).id
    }

    /// Has a provider report of messages.
    func report(_ state: Verdict.ProviderState = .delivered, of ids: [MessageID]) async throws {
        let provider = try #require(self.providers.values.first)
        _ = try await self.system.store.apply(
            ids.map { id in
                IncomingReceipt(
                    provider: provider,
                    receipt: Receipt(
                        message: MessageReference(id: id, series: 1), part: "p-\(id)", coversMessage: true,
                        verdict: Verdict(state, .none, .none, state == .delivered ? .ok : .carrierError),
                        status: state.rawValue, code: "0", occurredAt: nil))
            })
    }

    /// Waits until so many events wait for another try, and makes them due.
    func hasten(_ count: Int = 1) async throws {
        try await self.system.wait(for: "SELECT count(*) FROM event_outbox WHERE due_at > now()", is: count)
        _ = try await self.system.pool.execute("UPDATE event_outbox SET due_at = now() WHERE due_at > now()")
    }

    func waitUntilTold() async throws { try await self.system.wait(for: "SELECT count(*) FROM event_outbox", is: 0) }

    /// What came of each try to tell an event, the oldest first.
    func tellings() async throws -> [String] {
        try await self.system.pool.query(
            "SELECT outcome || coalesce(' ' || status, '') FROM event_attempts ORDER BY settled_at, event_id"
        ) { row throws(PostgresError) in try row.decode(0) }
    }
}

extension HTTPRequest {
    /// Whether it is signed as Standard Webhooks has it, by this key.
    func isSigned(by key: CallbackSecrets.SigningKey) -> Bool {
        let content = "\(self.fields["webhook-id"] ?? "").\(self.fields["webhook-timestamp"] ?? "")."
        let code = Digest.sha256.authenticate(Array(content.utf8) + self.body, key: Secret(key.key))
        let signatures = (self.fields["webhook-signature"] ?? "").split(separator: " ")
        return signatures.contains { $0 == "v1,\(Base64.encode(code))" }
    }

    var json: JSON { get throws { try JSON(parsing: self.body) } }
}
