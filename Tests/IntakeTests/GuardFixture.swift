import Guard
import HTTP
import JSON
import Messaging
import TestSystem
import Testing
import Timestamps

@testable import Intake

/// An account that the guard is there for, with the keys of every API.
struct GuardFixture: Sendable {
    let base: IntakeFixture

    static let key = "guarded-all-0123456789abcdef"
    static let strangersKey = "stranger-all-0123456789abcdef"
    static let secret = "guarded-secret-0123456789"
    static let application = "login"
    static let template = "code"

    static func configuration(
        _ countries: JSON = ["CH": "on", "GB": "on", "US": "on", "DE": "on", "TJ": "on", "FR": "guarded"],
        guard policy: JSON = [:]
    ) -> JSON {
        [
            "accounts": [
                [
                    "name": "guarded", "countries": countries, "guard": policy,
                    "keys": [
                        [
                            "name": "all", "key": .string(key),
                            "scopes": ["send", "read", "verify", "manage", "guard"],
                        ]
                    ],
                    "credentials": [
                        ["vendor": "nexmo", "api_key": "guarded", "api_secret": .string(secret)],
                        [
                            "vendor": "bandwidth", "account": "1234567", "username": "guarded",
                            "password": .string(secret),
                        ],
                    ],
                    "applications": [
                        [
                            "id": .string(application), "name": "Login", "check_limit": "1000/1s",
                            "recipient_send_limit": "1000/1d",
                            "templates": [["id": .string(template), "text": "Your code is {{pin}}"]],
                        ]
                    ],
                ],
                ["name": "stranger", "keys": [["name": "all", "key": .string(strangersKey)]]],
            ],
            "providers": [
                ["name": "nowhere", "kind": "discard"],
                [
                    "name": "calls", "kind": "carrier", "url": "http://127.0.0.1",
                    "credentials": ["api_key": "k", "receipt_token": "receipts-0123456789"],
                ],
            ],
            "routes": [["channel": "sms", "provider": "nowhere"], ["channel": "voice", "provider": "calls"]],
            "prices": [["channel": "sms", "price": "0.05"]],
        ]
    }

    static func run(
        _ configuration: JSON = Self.configuration(), clock: (@Sendable () -> Timestamp)? = nil,
        _ body: (GuardFixture) async throws -> Void
    ) async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(configuration)
            try await IntakeFixture.run(on: system, guardClock: clock) { base async throws in
                try await body(GuardFixture(base: base))
            }
        }
    }

    /// A second process on the same database.
    func beside(_ body: (GuardFixture) async throws -> Void) async throws {
        try await IntakeFixture.run(on: self.base.system) { base async throws in
            try await body(GuardFixture(base: base))
        }
    }

    var gate: Gate { self.base.intake.gate }

    /// What waits for the next exchange, now.
    func exchange() async throws { try await self.gate.exchange() }

    // MARK: - Requests

    /// A code in each API.
    enum API: String, CaseIterable {
        case own, verifications, infobip, bind, bandwidth, nexmo
    }

    func send(_ api: API, to number: String, channel: Channel = .sms) async -> HTTPResponse {
        let digits = number.drop { $0 == "+" }
        switch api {
        case .own:
            return await self.post(
                "/v1/messages",
                ["to": .string(number), "body": "482193", "priority": "otp", "channel": .string(channel.rawValue)])
        case .verifications: return await self.start(number)
        case .infobip:
            let body: JSON = [
                "applicationId": .string(Self.application), "messageId": .string(Self.template),
                "to": .string(String(digits)),
            ]
            return await self.vendor("POST", "/2fa/2/pin", body, authorization: "App \(Self.key)")
        case .bind:
            let body: JSON = ["to": .string(String(digits)), "template_id": .string(Self.template)]
            return await self.vendor("POST", "/v1.0/2fa/request", body, authorization: Self.key, header: "X-API-KEY")
        case .bandwidth:
            let body: JSON = [
                "to": .string(number), "from": "+12015550123", "applicationId": .string(Self.application),
                "message": "{CODE}", "digits": 6,
            ]
            return await self.vendor(
                "POST", "/api/v1/accounts/1234567/code/messaging", body,
                authorization: BandwidthFixture.basic("guarded:\(Self.secret)"))
        case .nexmo:
            let body: JSON = [
                "to": .string(String(digits)), "pin": "482193", "api_key": "guarded",
                "api_secret": .string(Self.secret),
            ]
            return await self.vendor("POST", "/sc/us/2fa/json", body, authorization: nil)
        }
    }

    /// Begins a verification in our own API.
    func start(_ number: String, caller: JSON = .null) async -> HTTPResponse {
        await self.post(
            "/v1/verifications",
            [
                "application": .string(Self.application), "template": .string(Self.template), "to": .string(number),
                "caller": caller,
            ])
    }

    func post(_ path: String, _ body: JSON, key: String = Self.key, idempotencyKey: String? = nil) async -> HTTPResponse
    {
        await self.base.post(path, body, key: key, idempotencyKey: idempotencyKey)
    }

    func get(_ path: String) async -> HTTPResponse { await self.base.get(path, key: Self.key) }

    private func vendor(
        _ method: String, _ path: String, _ body: JSON, authorization: String?, header: String = "Authorization"
    ) async -> HTTPResponse {
        var fields: HTTPFields = ["Content-Type": "application/json"]
        fields[header] = authorization
        return await self.base.intake.respond(
            to: HTTPRequest(method: method, path: path, fields: fields, body: body.serialized()))
    }
}
