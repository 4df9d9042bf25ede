import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

/// An application and its templates, made through the API, and what sends and checks codes with them.
struct Codes: Sendable {
    let fixture: IntakeFixture
    let application: String
    let text: String
    let email: String
    let key: String

    /// `settings` go before what is out of the way of tests that are about something else.
    init(_ fixture: IntakeFixture, _ settings: [String: JSON?] = [:], key: String = IntakeFixture.key) async throws {
        let application: JSON = [
            "name": "shop", "check_limit": "1000/1s", "recipient_send_limit": "1000/1d", "resend_cooldown": nil,
        ]
        self.fixture = fixture
        self.key = key
        self.application = try await fixture.make("/v1/applications", application.with(settings), key: key)
        let text: JSON = ["application": .string(self.application), "text": "Code {{pin}}"]
        self.text = try await fixture.make("/v1/templates", text, key: key)
        let email = text.with(["kind": "email", "subject": "For {{name}}"])
        self.email = try await fixture.make("/v1/templates", email, key: key)
    }

    /// What a code is asked for with.
    func request(_ change: [String: JSON?] = [:]) -> JSON {
        let request: JSON = [
            "application": .string(self.application), "template": .string(self.text),
            "to": .string(IntakeFixture.number),
        ]
        return request.with(change)
    }

    func send(_ change: [String: JSON?] = [:], idempotencyKey: String? = nil) async -> HTTPResponse {
        await self.fixture.post(
            "/v1/verifications", self.request(change), key: self.key, idempotencyKey: idempotencyKey)
    }

    /// The id of a verification that was begun.
    func start(_ change: [String: JSON?] = [:]) async throws -> String {
        let response = await self.send(change)
        return try #require(response.json["id"]?.string, "\(response.text)")
    }

    func check(_ id: String, _ code: String, key: String? = nil) async -> HTTPResponse {
        await self.fixture.post("/v1/verifications/\(id)/check", ["code": .string(code)], key: key ?? self.key)
    }

    func resend(_ id: String, _ body: JSON? = nil, key: String? = nil) async -> HTTPResponse {
        await self.fixture.post("/v1/verifications/\(id)/resend", body, key: key ?? self.key)
    }

    func show(_ id: String) async -> JSON {
        await self.fixture.get("/v1/verifications/\(id)", key: self.key).json
    }

    /// What was last sent with the code, as a driver finds it.
    func content(of id: String) async throws -> Content {
        let message = try #require(await self.show(id)["message"]?.string.flatMap { MessageID($0) })
        let stored = try await self.fixture.system.pool.query(
            "SELECT account_id, channel, body FROM messages WHERE id = \(message)"
        ) { row throws(PostgresError) in
            (
                AccountID(rawValue: try row.decode(0)), try row.decode(1, as: String.self),
                try row.decode(2, as: Bytes.self).bytes
            )
        }
        let (account, channel, sealed) = try #require(stored.first)
        let opened = try TestSystem.masterKeys.open(sealed, for: message.sealingContext(account: account))
        return try #require(Channel(rawValue: channel).flatMap { Content(decoding: opened, channel: $0) })
    }

    /// The code, as its recipient reads it.
    func code(of id: String) async throws -> String {
        String(try await self.content(of: id).body.filter { $0.isASCII && $0.isNumber })
    }

    /// A code that is wrong.
    func wrong(_ id: String) async throws -> String {
        let code = try await self.code(of: id)
        return (code.first == "9" ? "8" : "9") + code.dropFirst()
    }
}

extension IntakeFixture {
    func post(
        _ path: String, _ body: JSON?, key: String = Self.key, idempotencyKey: String? = nil
    ) async -> HTTPResponse {
        var fields: HTTPFields = ["Content-Type": "application/json"]
        if let idempotencyKey { fields["Idempotency-Key"] = idempotencyKey }
        return await self.ask("POST", path, key: key, fields: fields, body: body?.serialized() ?? [])
    }

    func patch(_ path: String, _ body: JSON, key: String = Self.key) async -> HTTPResponse {
        await self.ask("PATCH", path, key: key, body: body.serialized())
    }

    /// The id of what was made.
    func make(_ path: String, _ body: JSON, key: String = Self.key) async throws -> String {
        let response = await self.post(path, body, key: key)
        let id = try #require(response.json["id"]?.string, "\(response.text)")
        #expect(response.status == 201)
        #expect(response.fields["Location"] == "\(path)/\(id)")
        return id
    }
}
