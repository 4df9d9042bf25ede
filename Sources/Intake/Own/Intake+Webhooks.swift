import Callbacks
import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store
import Telemetry
import Telling
import Timestamps

// Where customers want to be told. Bandwidth's are not among them: its messages name them, each for itself.
extension Intake {
    func answerWebhooks(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch request.method {
        case "POST": try await self.createWebhook(request, for: self.principal(of: request, with: .manage))
        case "GET", "HEAD": try await self.webhooks(of: self.principal(of: request, with: .read, .manage))
        default: throw .methodNotAllowed("GET, POST")
        }
    }

    func answerWebhook(_ id: String?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch request.method {
        case "GET", "HEAD":
            let principal = try self.principal(of: request, with: .read, .manage)
            return Self.ok(.object(try await self.webhook(id, of: principal).members))
        case "PATCH": return try await self.updateWebhook(id, request)
        case "DELETE": return try await self.deleteWebhook(id, for: self.principal(of: request, with: .manage))
        default: throw .methodNotAllowed("GET, PATCH, DELETE")
        }
    }

    /// `POST /v1/webhooks/{id}/rotate`.
    func answerRotation(_ id: String?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .manage)
        let overlap = try WebhookReader.overlap(request.body.isEmpty ? [:] : request.json)
        let old = try await self.webhook(id, of: principal)
        guard old.settings.kind == .standard else { throw .noSigningKeys }
        let key = CallbackSecrets.SigningKey.make()
        switch try await self.rotate(old, to: key, overlap: overlap, of: principal) {
        case .done(let webhook): return Self.ok(webhook.json(showing: key))
        case .gone: throw .notFound
        case .tooManyKeys:
            throw .tooMany("secrets of this webhook that sign", CallbackSecrets.keyLimit)
        }
    }

    /// An account's webhook, as it was a moment ago.
    func webhook(_ id: String?, of principal: Principal) async throws(Problem) -> StoredEndpoint {
        guard let id else { throw .notFound }
        let found = try await self.ask { () async throws(PostgresError) in
            try await self.store.endpoint(id, of: principal.account)
        }
        guard let found, found.settings.kind != .bandwidth else { throw .notFound }
        return found
    }

    // MARK: - Private

    private func webhooks(of principal: Principal) async throws(Problem) -> HTTPResponse {
        let webhooks = try await self.ask { () async throws(PostgresError) in
            try await self.store.endpoints(of: principal.account)
        }
        return Self.ok(["webhooks": .array(webhooks.map { .object($0.members) })])
    }

    private func createWebhook(_ request: HTTPRequest, for principal: Principal) async throws(Problem) -> HTTPResponse {
        let new = try WebhookReader.new(request.json, policy: self.egress)
        let key = new.key ?? .make()
        let id = PublicID.make()
        var settings = EndpointSettings(.standard)
        settings.change(by: new.fields)
        settings.secrets = CallbackSecrets(signingKeys: [key]).sealed(
            with: self.masterKeys, for: EndpointKind.standard.sealingContext(account: principal.account, publicID: id))
        let made = try await self.ask(changes: true) { [settings] () async throws(PostgresError) in
            try await self.store.changingEndpoints { transaction throws(PostgresError) -> StoredEndpoint? in
                let change = try await Store.putEndpoint(id, settings, of: principal.account, in: transaction)
                guard change != .tooMany else { return nil }
                return try await Store.endpoint(id, of: principal.account, in: transaction)
            }
        }
        guard let made else { throw .tooMany("webhooks in this account", Store.endpointLimit) }
        return Self.created(made.json(showing: key), at: "/v1/webhooks/\(id)")
    }

    private func updateWebhook(_ id: String?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        let principal = try self.principal(of: request, with: .manage)
        let json = try request.json
        let old = try await self.webhook(id, of: principal)
        let fields = try WebhookReader.change(json, of: old.settings.kind, policy: self.egress)
        let changed = try await self.ask(changes: true) { () async throws(PostgresError) in
            try await self.change(old, of: principal) { $0.change(by: fields) }
        }
        guard let changed else { throw .notFound }
        return Self.ok(.object(changed.members))
    }

    private func deleteWebhook(_ id: String?, for principal: Principal) async throws(Problem) -> HTTPResponse {
        let old = try await self.webhook(id, of: principal)
        let deleted = try await self.ask(changes: true) { () async throws(PostgresError) in
            try await self.store.changingEndpoints { transaction throws(PostgresError) in
                try await Store.deleteEndpoint(old.publicID, of: principal.account, in: transaction)
            }
        }
        guard deleted else { throw .notFound }
        return HTTPResponse(status: 204, fields: ["Cache-Control": "no-store"], body: [])
    }

    /// Changes a webhook as it is now; nil when it is there no more.
    private func change(
        _ old: StoredEndpoint, of principal: Principal, _ body: (inout EndpointSettings) -> Void
    ) async throws(PostgresError) -> StoredEndpoint? {
        try await self.store.changingEndpoints { transaction throws(PostgresError) -> StoredEndpoint? in
            let stored = try await Store.endpoint(old.publicID, of: principal.account, in: transaction)
            guard var settings = stored?.settings, stored?.id == old.id else { return nil }
            body(&settings)
            _ = try await Store.putEndpoint(old.publicID, settings, of: principal.account, in: transaction)
            return try await Store.endpoint(old.publicID, of: principal.account, in: transaction)
        }
    }

    private enum RotationResult: Sendable {
        case done(StoredEndpoint)
        case gone, tooManyKeys
    }

    private func rotate(
        _ old: StoredEndpoint, to key: CallbackSecrets.SigningKey, overlap: Duration, of principal: Principal
    ) async throws(Problem) -> RotationResult {
        let context = old.settings.kind.sealingContext(account: principal.account, publicID: old.publicID)
        return try await self.ask(changes: true) { () async throws(PostgresError) in
            var tooMany = false
            let changed = try await self.change(old, of: principal) { settings in
                let secrets = self.secrets(settings, for: context, of: old.publicID)
                let rotated = secrets.rotated(to: key, at: .now, overlap: overlap)
                tooMany = rotated == nil
                if let rotated { settings.secrets = rotated.sealed(with: self.masterKeys, for: context) }
            }
            return tooMany ? .tooManyKeys : changed.map { .done($0) } ?? .gone
        }
    }

    /// Those that do not open sign nothing either, so a new one is all the better.
    private func secrets(_ settings: EndpointSettings, for context: String, of id: String) -> CallbackSecrets {
        guard let sealed = settings.secrets else { return CallbackSecrets() }
        if let opened = CallbackSecrets(opening: sealed, with: self.masterKeys, for: context) { return opened }
        self.logger.error("a webhook's secrets do not open with this master key; it gets new ones", ["webhook": id])
        return CallbackSecrets()
    }
}

extension StoredEndpoint {
    fileprivate var members: [JSON.Member] {
        [
            .init("id", .string(self.publicID)), .init("kind", .string(self.settings.kind.rawValue)),
            .init("url", .string(self.settings.url)), .init("description", .string(self.settings.description)),
            .init("types", .array(self.settings.types.map { .string($0) })),
            .init("in_flight", .integer(Int64(self.settings.inFlightLimit))),
            .init("enabled", .bool(self.settings.isEnabled)), .init("disabled_because", .init(self.disabledBy)),
            .init("disabled_at", .init(self.disabledAt.map { "\($0)" })),
            .init("failing_since", .init(self.failingSince.map { "\($0)" })),
            .init("created_at", .string("\(self.createdAt)")),
        ]
    }

    fileprivate func json(showing key: CallbackSecrets.SigningKey) -> JSON {
        .object(self.members + [.init("secret", .string(key.text))])
    }
}
