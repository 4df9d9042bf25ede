import HTTP
import Intake
import JSON
import Messaging
import Postgres
import TestSystem
import Testing

/// The API as a customer of Bind's uses it.
struct BindFixture: Sendable {
    let base: IntakeFixture

    static let key = "acme-all-0123456789abcdef"
    static let number = "447916188568"
    /// With marks, in Bind's syntax.
    static let template = "065efefb-650d-4e38-9927-431db8c6ec30"
    /// Without any, in ours.
    static let plain = "login"
    /// Well formed, and nobody's.
    static let nobody = "a122dc95-ce76-40ab-b596-a4bca4d43936"

    /// Limits that are out of the way of tests that are about something else.
    private static func application(_ id: String, _ change: [String: JSON?], _ templates: JSON) -> JSON {
        let application: JSON = [
            "id": .string(id), "name": .string(id), "time_to_live": "5m", "check_limit": "1000/1s",
            "recipient_send_limit": "1000/1d", "templates": templates,
        ]
        return application.with(change)
    }

    static let configuration: JSON = [
        "accounts": [
            [
                "name": "acme",
                "keys": [
                    ["name": "all", "key": .string(key)],
                    ["name": "read", "key": "acme-read-0123456789abcdef", "scopes": ["read"]],
                    ["name": "verify", "key": "acme-verify-0123456789abcdef", "scopes": ["verify"]],
                    ["name": "send", "key": "acme-send-0123456789abcdef", "scopes": ["send", "manage"]],
                ],
                "applications": [
                    Self.application(
                        "shop", ["attempt_limit": 3],
                        [
                            [
                                "id": .string(Self.template), "syntax": "bind",
                                "text": "Hello ${firstName} ${pin}, your code is ${code}",
                            ],
                            ["id": .string(Self.plain), "text": "Your code is {{pin}}", "sender": "YourCompany"],
                            ["id": "mail", "kind": "email", "subject": "Your code", "text": "It is {{pin}}"],
                        ]),
                    Self.application("closed", ["enabled": false], [["id": "closed", "text": "{{pin}}"]]),
                    Self.application(
                        "rare", ["recipient_send_limit": "1/1d", "time_to_live": "1500ms"],
                        [["id": "rare", "text": "{{pin}}"]]),
                    Self.application("slow", ["check_limit": "1/1h"], [["id": "slow", "text": "{{pin}}"]]),
                ],
            ],
            [
                "name": "other", "keys": [["name": "all", "key": "other-all-0123456789abcdef"]],
                "applications": [Self.application("shop", [:], [["id": "theirs", "text": "{{pin}}"]])],
            ],
        ],
        "providers": [["name": "nowhere", "kind": "discard"]],
        "routes": [
            ["channel": "sms", "prefix": "+44", "provider": "nowhere"],
            ["channel": "sms", "prefix": "+999", "provider": "nowhere"],
        ],
    ]

    static func run(
        lookUp: any NumberLookUp = OfflineLookUp(), _ body: (BindFixture) async throws -> Void
    ) async throws {
        try await TestSystem.run { system async throws in try await Self.run(on: system, lookUp: lookUp, body) }
    }

    /// On a database that was migrated just now.
    static func run(
        on system: TestSystem, lookUp: any NumberLookUp = OfflineLookUp(),
        _ body: (BindFixture) async throws -> Void
    ) async throws {
        try await system.apply(Self.configuration)
        try await IntakeFixture.run(on: system, lookUp: lookUp) { base async throws in
            try await body(BindFixture(base: base))
        }
    }

    // MARK: - Requests

    /// Asks, and looks over every answer for what all of them must be.
    func ask(
        _ method: String, _ path: String, _ body: JSON? = nil, fields: HTTPFields = ["X-API-KEY": Self.key]
    ) async -> HTTPResponse {
        await self.ask(method, path, bytes: body?.serialized() ?? [], fields: fields)
    }

    func ask(_ method: String, _ path: String, bytes: [UInt8], fields: HTTPFields) async -> HTTPResponse {
        let response = await self.base.intake.respond(
            to: HTTPRequest(method: method, path: path, fields: fields, body: bytes))
        #expect(response.fields["Content-Type"] == "application/json")
        #expect(response.fields["Cache-Control"] == "no-store")
        for secret in [Self.number] + fields.all.map(\.value) where secret.count > 8 {
            #expect(!response.text.contains(secret))
        }
        return response
    }

    func request(
        _ template: String = Self.plain, to: String = Self.number, _ parameters: JSON? = nil
    ) async -> HTTPResponse {
        let body: JSON = ["to": .string(to), "template_id": .string(template)]
        return await self.ask("POST", "/v1.0/2fa/request", body.with(["parameters": parameters]))
    }

    /// The id of a request that was accepted.
    func start(_ template: String = Self.plain, _ parameters: JSON? = nil) async throws -> String {
        let response = await self.request(template, parameters)
        return try #require(response.json["request_id"]?.string, "\(response.text)")
    }

    func validate(_ request: String, _ code: String) async -> HTTPResponse {
        await self.ask(
            "POST", "/v1.0/2fa/validate", ["code": .string(code), "request_id": .string(request)])
    }

    /// What the message of a request says.
    func text(of request: String) async throws -> String {
        let id = try #require(VerificationID(request))
        return try await InfobipFixture(base: self.base).content(of: id.hexadecimal).body
    }

    /// The code itself, from a text with no other digits in it.
    func code(of request: String) async throws -> String {
        try await self.text(of: request).filter { $0.isASCII && $0.isNumber }
    }
}

extension HTTPResponse {
    /// Whether it is refused in the vendor's two words, with this one.
    func isRejected(_ word: String, _ status: Int = 200) -> Bool {
        self.status == status && self.json == ["status": "REJECTED", "error_message": .string(word)]
    }
}
