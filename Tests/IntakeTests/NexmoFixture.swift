import Channels
import Crypto
import HTTP
import Intake
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

/// The API as a customer of Nexmo's uses it.
struct NexmoFixture: Sendable {
    let base: IntakeFixture

    static let key = "nxkey000"
    static let secret = "nxsecret-0123456789"
    /// Without a signature, and with words of its own.
    static let wordyKey = "nxwords0"
    static let readingKey = "nxread00"
    static let verifyingKey = "nxverify"
    /// Of another account.
    static let strangersKey = "nxother0"
    static let signatureSecret = "sigsecret-0123456789"

    /// Of the vendor's examples: American, and possible.
    static let number = "16365553226"
    static let pin = "482193"

    private static func credential(_ key: String, _ more: [String: JSON?] = [:]) -> JSON {
        (["vendor": "nexmo", "api_key": .string(key), "api_secret": .string(secret)] as JSON).with(more)
    }

    static let configuration: JSON = [
        "accounts": [
            [
                "name": "acme", "keys": [["name": "all", "key": .string(IntakeFixture.key)]],
                "credentials": [
                    credential(
                        key, ["signature_secret": .string(signatureSecret), "signature_method": "sha256"]),
                    credential(wordyKey, ["template": "{{shop}}: {{pin}} is for {{user.name}}, {{shop}}"]),
                    credential(readingKey, ["scopes": ["read", "manage"]]),
                    credential(verifyingKey, ["scopes": ["verify"]]),
                ],
            ],
            [
                "name": "other", "keys": [["name": "all", "key": .string(IntakeFixture.strangersKey)]],
                "credentials": [credential(strangersKey)],
            ],
        ],
        "providers": [["name": "nowhere", "kind": "discard"]],
        "routes": [
            ["channel": "sms", "prefix": "+41", "provider": "nowhere"],
            ["channel": "sms", "prefix": "+1", "provider": "nowhere"],
        ],
    ]

    static func run(limit: Int = 4, _ body: (NexmoFixture) async throws -> Void) async throws {
        try await TestSystem.run(limit: limit) { system async throws in
            try await system.apply(Self.configuration)
            try await IntakeFixture.run(on: system) { base async throws in try await body(NexmoFixture(base: base)) }
        }
    }

    // MARK: - Requests

    static let path = "/sc/us/2fa/json"

    /// What a message needs, with the key and its secret.
    static func parameters(_ changes: [String: String?] = [:]) -> [String: String] {
        var parameters = ["to": number, "pin": pin, "api_key": key, "api_secret": secret]
        for (name, value) in changes { parameters[name] = value }
        return parameters
    }

    static func form(_ parameters: [String: String]) -> [UInt8] {
        Form(parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }).serialized()
    }

    /// Signs as the vendor's SDKs do.
    static func signed(
        _ parameters: [String: String], _ method: VonageSignature.Method = .sha256, secret: String = signatureSecret,
        at moment: Timestamp? = .now
    ) -> [String: String] {
        var parameters = parameters
        if let moment { parameters["timestamp"] = "\(moment.seconds)" }
        let form = Form(parameters.map { ($0.key, $0.value) })
        parameters["sig"] = VonageSignature(secret: Secret(secret), method: method).sign(form)
        return parameters
    }

    static func basic(_ name: String = key, _ password: String = secret) -> String {
        "Basic " + Base64.encode(Array("\(name):\(password)".utf8))
    }

    /// Asks, and looks over every answer for what all of them must be.
    func ask(
        _ method: String, _ target: String, body: [UInt8] = [], authorization: String? = nil,
        type: String = "application/x-www-form-urlencoded"
    ) async -> HTTPResponse {
        var fields: HTTPFields = ["Content-Type": type]
        fields["Authorization"] = authorization
        let pieces = target.split(separator: "?", maxSplits: 1).map(String.init)
        let response = await self.base.intake.respond(
            to: HTTPRequest(
                method: method, path: pieces[0], query: pieces.count > 1 ? pieces[1] : nil, fields: fields,
                body: body))
        #expect(response.fields["Cache-Control"] == "no-store")
        if pieces[0].hasPrefix("/sc") { self.checkEnvelope(response, isXML: pieces[0].hasSuffix("/xml")) }
        return response
    }

    func send(_ changes: [String: String?] = [:], path: String = Self.path) async -> HTTPResponse {
        await self.ask("POST", path, body: Self.form(Self.parameters(changes)))
    }

    private func checkEnvelope(_ response: HTTPResponse, isXML: Bool) {
        #expect(response.status == 200)
        #expect(response.fields["Content-Type"] == (isXML ? "application/xml" : "application/json"))
        if !isXML {
            #expect(response.json["message-count"] == "1", "\(response.text)")
            #expect(response.json["messages"]?.array?.count == 1)
            #expect(response.part?.members?.allSatisfy { $0.value.string != nil } == true, "\(response.text)")
        }
        let isAccepted = isXML ? response.text.contains("<status>0</status>") : response.nexmo == 0
        let secrets = [Self.secret, Self.pin, Self.signatureSecret] + (isAccepted ? [] : [Self.number])
        for secret in secrets { #expect(!response.text.contains(secret), "an answer repeats \(secret)") }
        if !isAccepted, !isXML { #expect(response.part?["error-text"]?.string?.isEmpty == false) }
    }

    // MARK: - What came of it

    struct Message: Hashable {
        var id: MessageID
        var recipient: String
        var priority: Int16
        var reference: String?
        var endpoint: Int32?
        var text: String
    }

    /// The latest message.
    func latest() async throws -> Message {
        let found = try await self.base.system.pool.query(
            """
            SELECT id, account_id, recipient, priority, reference, endpoint_id, body FROM messages
            ORDER BY accepted_at DESC LIMIT 1
            """
        ) { row throws(PostgresError) in
            let id = try row.decode(0, as: MessageID.self)
            let context = id.sealingContext(account: AccountID(rawValue: try row.decode(1)))
            let plain = try? TestSystem.masterKeys.open(try row.decode(6, as: Bytes.self).bytes, for: context)
            return Message(
                id: id, recipient: try row.decode(2), priority: try row.decode(3),
                reference: try row.decodeIfPresent(4),
                endpoint: try row.decodeIfPresent(5),
                text: plain.flatMap { Content(decoding: $0, channel: .sms)?.body } ?? "")
        }
        return try #require(found.first)
    }

    /// The id of a message that was sent.
    func sent() async throws -> String {
        let response = await self.send()
        return try #require(response.part?["message-id"]?.string, "\(response.text)")
    }

    /// What is stored of conversions, by message: `sms +1 true`.
    func conversions() async throws -> [String] {
        try await self.base.system.pool.query(
            "SELECT channel || ' ' || country || ' ' || converted FROM conversions ORDER BY message_id"
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
    }
}

extension HTTPResponse {
    /// The one message in Nexmo's envelope.
    var part: JSON? { self.json["messages"]?[0] }
    var nexmo: Int? { self.part?["status"]?.string.flatMap { Int($0) } }
}
