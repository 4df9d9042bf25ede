import Crypto
import HTTP
import Intake
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

/// The API as a customer of Bandwidth's uses it.
struct BandwidthFixture: Sendable {
    let base: IntakeFixture

    /// User names and passwords, and the vendor's accounts that they are for.
    static let user = "acme:acme-password-0123"
    static let account = "9900000"
    static let secondUser = "acme-2:second-password-0123"
    static let secondAccount = "9900002"
    static let readingUser = "acme-read:reading-password-0123"
    static let strangersUser = "other:others-password-0123"
    static let strangersAccount = "7700000"
    static let key = "acme-all-0123456789abcdef"
    /// Of an account without credentials.
    static let plainKey = "plain-all-0123456789abcdef"

    static let number = "+19195552500"
    static let sender = "+19195554321"
    static let application = "66fd98ae-ac8d-a00f-7fcd-ba3280aeb9b1"

    static let configuration: JSON = [
        "accounts": [
            [
                "name": "acme", "keys": [["name": "all", "key": .string(key)]],
                "credentials": [
                    credential(user, account), credential(secondUser, secondAccount),
                    credential(readingUser, account).with(["scopes": ["read", "send", "manage"]]),
                ],
                "applications": [
                    ["id": .string(application), "name": "Shop"],
                    ["id": "closed", "name": "Closed", "enabled": false],
                ],
            ],
            [
                "name": "other", "keys": [["name": "all", "key": "other-all-0123456789abcdef"]],
                "credentials": [credential(strangersUser, strangersAccount)],
            ],
            ["name": "plain", "keys": [["name": "all", "key": .string(plainKey)]]],
        ],
        "providers": [
            ["name": "nowhere", "kind": "discard"],
            [
                "name": "calls", "kind": "carrier", "url": "http://127.0.0.1",
                "credentials": ["api_key": "k", "receipt_token": "receipts-0123456789"],
            ],
        ],
        "routes": [
            ["channel": "sms", "prefix": "+1", "provider": "nowhere"],
            ["channel": "voice", "prefix": "+1", "provider": "calls"],
        ],
    ]

    private static func credential(_ user: String, _ account: String) -> JSON {
        let pieces = user.split(separator: ":").map { JSON.string(String($0)) }
        return ["vendor": "bandwidth", "account": .string(account), "username": pieces[0], "password": pieces[1]]
    }

    static func run(limit: Int = 4, _ body: (BandwidthFixture) async throws -> Void) async throws {
        try await TestSystem.run(limit: limit) { system async throws in try await Self.run(on: system, body) }
    }

    /// On a database that was migrated just now.
    static func run(on system: TestSystem, _ body: (BandwidthFixture) async throws -> Void) async throws {
        try await system.apply(Self.configuration)
        try await IntakeFixture.run(on: system) { base async throws in try await body(BandwidthFixture(base: base)) }
    }

    // MARK: - Requests

    static func basic(_ user: String) -> String { "Basic \(Base64.encode(Array(user.utf8)))" }

    /// Asks as the vendor's SDK does, and looks over every answer for what all of them must be.
    func ask(
        _ operation: String, _ body: JSON, user: String = Self.user, account: String = Self.account
    ) async -> HTTPResponse {
        await self.ask(
            "POST", "/api/v1/accounts/\(account)/code/\(operation)", bytes: body.serialized(),
            authorization: Self.basic(user))
    }

    func ask(
        _ method: String, _ path: String, bytes: [UInt8], authorization: String?, type: String = "application/json"
    ) async -> HTTPResponse {
        var fields: HTTPFields = ["Content-Type": type]
        fields["Authorization"] = authorization
        let response = await self.base.intake.respond(
            to: HTTPRequest(method: method, path: path, query: nil, fields: fields, body: bytes))
        #expect(response.fields["Content-Type"] == "application/json")
        #expect(response.fields["Cache-Control"] == "no-store")
        #expect(!response.text.contains(":null"))
        if response.status != 200 { self.checkRefusal(response, authorization: authorization) }
        return response
    }

    private func checkRefusal(_ response: HTTPResponse, authorization: String?) {
        switch response.status {
        case 401: #expect(response.text == #"{"message":"Unauthorized"}"#)
        case 403:
            let text = "User is not authorized to access this resource with an explicit deny"
            #expect(response.text == #"{"Message":"\#(text)","message":"\#(text)"}"#)
        default:
            #expect(response.json["error"]?.string?.isEmpty == false, "\(response.text)")
            #expect(response.json["requestId"]?.string.flatMap { MessageID($0) } != nil, "\(response.text)")
            #expect(response.json.members?.count == 2)
        }
        let whole = response.fields.all.map { "\($0.name): \($0.value)" }.joined(separator: "\n") + response.text
        for secret in [authorization ?? "", Self.number, Self.sender] where secret.count > 5 {
            #expect(!whole.contains(secret), "a refusal repeats \(secret)")
        }
    }

    /// What a code is asked for with.
    static func request(_ change: [String: JSON?] = [:]) -> JSON {
        let request: JSON = [
            "to": .string(number), "from": .string(sender), "applicationId": .string(application), "scope": "2FA",
            "message": "Your temporary {NAME} {SCOPE} code is {CODE}", "digits": 6,
        ]
        return request.with(change)
    }

    func send(
        _ change: [String: JSON?] = [:], by operation: String = "messaging", user: String = Self.user,
        account: String = Self.account
    ) async -> HTTPResponse {
        await self.ask(operation, Self.request(change), user: user, account: account)
    }

    /// Sends a code and reads it.
    func code(
        _ change: [String: JSON?] = [:], user: String = Self.user, account: String = Self.account
    ) async throws -> String {
        let response = await self.send(change, user: user, account: account)
        return try await self.content(of: response).body.filter { $0.isASCII && $0.isNumber }.suffixed(6)
    }

    /// What a code is looked at with.
    static func guess(_ code: String, _ change: [String: JSON?] = [:]) -> JSON {
        let guess: JSON = [
            "to": .string(number), "scope": "2FA", "expirationTimeInMinutes": 3, "code": .string(code),
        ]
        return guess.with(change)
    }

    func verify(
        _ code: String, _ change: [String: JSON?] = [:], user: String = Self.user, account: String = Self.account
    ) async -> HTTPResponse {
        await self.ask("verify", Self.guess(code, change), user: user, account: account)
    }

    /// The message that a reply names.
    func message(_ response: HTTPResponse) throws -> MessageID {
        let id =
            response.json["messageId"]?.string.flatMap { MessageID(bandwidthText: $0) }
            ?? response.json["callId"]?.string.flatMap { MessageID(bandwidthCallText: $0) }
        return try #require(id, "\(response.text)")
    }

    /// What is sent, as a driver finds it.
    func content(of response: HTTPResponse) async throws -> Content {
        let message = try self.message(response)
        let found = try await self.base.system.pool.query(
            "SELECT account_id, channel, body FROM messages WHERE id = \(message)"
        ) { row throws(PostgresError) in
            (
                account: AccountID(rawValue: try row.decode(0)), channel: Channel(rawValue: try row.decode(1)),
                body: try row.decode(2, as: Bytes.self).bytes
            )
        }
        let row = try #require(found.first)
        let plain = try TestSystem.masterKeys.open(row.body, for: message.sealingContext(account: row.account))
        return try #require(row.channel.flatMap { Content(decoding: plain, channel: $0) })
    }

    /// Ends what locks there are.
    func outliveLocks() async throws {
        _ = try await self.base.system.pool.execute(
            "UPDATE recipient_failures SET locked_until = now() WHERE locked_until > now()")
    }

    /// A code of as many digits that is not this one.
    static func wrong(_ code: String) -> String { String(code.map { $0 == "9" ? "0" : "9" }) }
}

extension String {
    /// The last characters: a text may have digits before its code.
    fileprivate func suffixed(_ count: Int) -> String { String(self.suffix(count)) }
}

extension HTTPResponse {
    /// The vendor's sentence.
    var error: String? { self.json["error"]?.string }
}
