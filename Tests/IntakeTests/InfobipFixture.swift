import Crypto
import HTTP
import Intake
import JSON
import Messaging
import Postgres
import Store
import TestDatabase
import TestSystem
import Testing

/// The API as a customer of Infobip's uses it.
struct InfobipFixture: Sendable {
    let base: IntakeFixture

    /// May do everything.
    static let key = "acme-all-0123456789abcdef"
    static let readingKey = "acme-read-0123456789abcdef"
    static let verifyingKey = "acme-verify-0123456789abcdef"
    static let managingKey = "acme-manage-0123456789abcdef"
    static let sendingKey = "acme-send-0123456789abcdef"
    /// Of another account.
    static let strangersKey = "other-all-0123456789abcdef"

    static let number = "41793026727"
    static let address = "john.smith@example.com"
    /// Well formed, and nobody's.
    static let nobody = "0933F3BC087D2A617AC6DCB2EF5B8A61"

    static let configuration: JSON = [
        "accounts": [
            [
                "name": "acme",
                "keys": [
                    ["name": "all", "key": .string(key)],
                    ["name": "read", "key": .string(readingKey)],
                    ["name": "verify", "key": .string(verifyingKey)],
                    ["name": "manage", "key": .string(managingKey)],
                    ["name": "send", "key": .string(sendingKey)],
                ],
            ],
            ["name": "other", "keys": [["name": "all", "key": .string(strangersKey)]]],
        ],
        "providers": [
            ["name": "nowhere", "kind": "discard"],
            [
                "name": "calls", "kind": "carrier", "url": "http://127.0.0.1",
                "credentials": ["api_key": "k", "receipt_token": "receipts-0123456789"],
            ],
        ],
        "routes": [
            ["channel": "sms", "prefix": "+41", "provider": "nowhere"],
            ["channel": "sms", "prefix": "+999", "provider": "nowhere"],
            ["channel": "voice", "prefix": "+41", "provider": "calls"], ["channel": "email", "provider": "calls"],
        ],
    ]

    static func run(
        lookUp: any NumberLookUp = NoLookUp(), limit: Int = 4, _ body: (InfobipFixture) async throws -> Void
    ) async throws {
        try await TestSystem.run(limit: limit) { system async throws in
            try await Self.run(on: system, lookUp: lookUp, body)
        }
    }

    /// On a database that was migrated just now.
    static func run(
        on system: TestSystem, lookUp: any NumberLookUp = NoLookUp(),
        _ body: (InfobipFixture) async throws -> Void
    ) async throws {
        try await system.apply(Self.configuration)
        _ = try await system.pool.execute(
            """
            UPDATE api_keys SET scopes = CASE name
                WHEN 'all' THEN ARRAY['send', 'read', 'verify', 'manage'] ELSE ARRAY[name] END
            """)
        try await IntakeFixture.run(on: system, lookUp: lookUp) { base async throws in
            try await body(InfobipFixture(base: base))
        }
    }

    // MARK: - Requests

    /// Asks as the vendor's SDK does, and looks over every answer for what all of them must be.
    func ask(
        _ method: String, _ target: String, _ body: JSON? = nil, key: String? = Self.key, scheme: String = "App"
    ) async -> HTTPResponse {
        await self.ask(
            method, target, bytes: body?.serialized() ?? [], authorization: key.map { "\(scheme) \($0)" })
    }

    func ask(_ method: String, _ target: String, bytes: [UInt8], authorization: String?) async -> HTTPResponse {
        var fields: HTTPFields = ["Content-Type": "application/json"]
        fields["Authorization"] = authorization
        let pieces = target.split(separator: "?", maxSplits: 1).map(String.init)
        let response = await self.base.intake.respond(
            to: HTTPRequest(
                method: method, path: pieces[0], query: pieces.count > 1 ? pieces[1] : nil, fields: fields,
                body: bytes))
        #expect(response.fields["Content-Type"] == "application/json")
        #expect(response.fields["Cache-Control"] == "no-store")
        #expect(!response.text.contains(":null"))
        if response.status != 200 { self.checkRefusal(response, authorization: authorization) }
        return response
    }

    private func checkRefusal(_ response: HTTPResponse, authorization: String?) {
        #expect(response.exception?["messageId"]?.string?.isEmpty == false, "\(response.text)")
        #expect(response.exception?["text"]?.string?.isEmpty == false)
        let whole = response.fields.all.map { "\($0.name): \($0.value)" }.joined(separator: "\n") + response.text
        for secret in [authorization ?? "", Self.number, Self.address] where secret.count > 5 {
            #expect(!whole.contains(secret), "a refusal repeats \(secret)")
        }
    }

    // MARK: - What most tests begin with

    /// Limits that are out of the way of tests that are about something else.
    static let roomy: JSON = ["sendPinPerPhoneNumberLimit": "1000/1d", "verifyPinLimit": "1000/1s"]

    func makeApplication(_ configuration: [String: JSON?] = [:], key: String = Self.key) async throws -> String {
        let response = await self.ask(
            "POST", "/2fa/2/applications", ["name": "test", "configuration": Self.roomy.with(configuration)], key: key)
        return try #require(response.json["applicationId"]?.string, "\(response.text)")
    }

    func makeMessage(_ application: String, _ change: [String: JSON?] = [:], key: String = Self.key) async throws
        -> String
    {
        let template: JSON = ["pinType": "NUMERIC", "messageText": "Your code is {{pin}}"]
        let response = await self.ask(
            "POST", "/2fa/2/applications/\(application)/messages", template.with(change), key: key)
        return try #require(response.json["messageId"]?.string, "\(response.text)")
    }

    func makeEmailMessage(_ application: String) async throws -> String {
        let response = await self.ask(
            "POST", "/2fa/2/applications/\(application)/email/messages", ["emailTemplateId": 1234])
        return try #require(response.json["messageId"]?.string, "\(response.text)")
    }

    func send(
        _ application: String, _ message: String, to: String = Self.number, by path: String = "pin?ncNeeded=false",
        _ change: [String: JSON?] = [:]
    ) async -> HTTPResponse {
        let body: JSON = [
            "applicationId": .string(application), "messageId": .string(message), "to": .string(to),
        ]
        return await self.ask("POST", "/2fa/2/\(path)", body.with(change))
    }

    /// The id of a PIN that was sent.
    func start(_ application: String, _ message: String, to: String = Self.number) async throws -> String {
        let response = await self.send(application, message, to: to)
        return try #require(response.json["pinId"]?.string, "\(response.text)")
    }

    func verify(_ pin: String, _ typed: String) async -> HTTPResponse {
        await self.ask("POST", "/2fa/2/pin/\(pin)/verify", ["pin": .string(typed)])
    }

    /// What the latest message of a PIN says.
    func content(of pin: String) async throws -> Content {
        let id = try #require(VerificationID(hexadecimal: pin)).rawValue
        let found = try await self.base.system.pool.query(
            """
            SELECT m.id, m.account_id, m.channel, m.body FROM verifications v JOIN messages m ON m.id = v.message_id
            WHERE v.id = \(id)
            """
        ) { row throws(PostgresError) in
            (
                id: try row.decode(0, as: MessageID.self), account: AccountID(rawValue: try row.decode(1)),
                channel: Channel(rawValue: try row.decode(2)), body: try row.decode(3, as: Bytes.self).bytes
            )
        }
        let message = try #require(found.first)
        let plain = try TestSystem.masterKeys.open(
            message.body, for: message.id.sealingContext(account: message.account))
        return try #require(message.channel.flatMap { Content(decoding: plain, channel: $0) })
    }

    /// The code itself, of digits, from a text with no others in it.
    func code(of pin: String) async throws -> String {
        try await self.content(of: pin).body.filter { $0.isASCII && $0.isNumber }
    }

    /// A code of as many digits that is not this one.
    static func wrong(_ code: String) -> String { String(code.map { $0 == "9" ? "0" : "9" }) }
}

extension HTTPResponse {
    var exception: JSON? { self.json["requestError"]?["serviceException"] }
    /// The vendor's word for what was wrong.
    var messageID: String? { self.exception?["messageId"]?.string }
    /// The fields that a refusal names.
    var invalid: [String] { self.exception?["validationErrors"]?.members?.map(\.name) ?? [] }
}
