import Channels
import Configuration
import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Receipts
import Store
import Telemetry
import TestSystem
import Testing
import Timestamps

/// The receiver over a database of its own, with a provider of each kind of proof.
struct ReceiptsFixture: Sendable {
    let system: TestSystem
    let intake: ReceiptIntake
    let metrics: Metrics
    private let providers: [String: ProviderID]

    static let token = "receipts-0123456789"
    static let signatureSecret = "signature-0123456789"
    static let basic = "Basic \(Base64.encode(Array("user:pass-0123456789".utf8)))"

    static let configuration: JSON = [
        "providers": [
            ["name": "vonage", "kind": "vonage-sms", "credentials": vonage(["receipt_token": .string(token)])],
            ["name": "other", "kind": "vonage-sms", "credentials": vonage(["receipt_token": .string(token)])],
            [
                "name": "signed", "kind": "vonage-sms",
                "credentials": vonage(["signature_secret": .string(signatureSecret), "signature_method": "sha256"]),
            ],
            [
                "name": "infobip", "kind": "infobip-sms", "url": "https://x.api.infobip.com",
                "credentials": [
                    "api_key": "key-1", "receipt_username": "user", "receipt_password": "pass-0123456789",
                ],
            ],
            ["name": "nobody", "kind": "discard"],
            [
                "name": "calls", "kind": "bandwidth-voice",
                "credentials": [
                    "username": "api", "password": "s3cret", "receipt_username": "user",
                    "receipt_password": "pass-0123456789",
                ], "settings": ["account_id": "500", "application_id": "app-1", "repetitions": "1"],
            ],
            [
                "name": "retired", "kind": "vonage-sms", "enabled": false,
                "credentials": vonage(["receipt_token": .string(token)]),
            ],
        ]
    ]

    private static func vonage(_ more: JSON) -> JSON {
        .object([.init("api_key", "abcd1234"), .init("api_secret", "s3cret")] + (more.members ?? []))
    }

    static func run(_ body: (ReceiptsFixture) async throws -> Void) async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.configuration)
            try await Self.run(on: system, body)
        }
    }

    static func run(on system: TestSystem, _ body: (ReceiptsFixture) async throws -> Void) async throws {
        let fixture = try await ReceiptsFixture(system)
        try await withThrowingTaskGroup { group in
            group.addTask { await fixture.intake.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body(fixture)) } catch { result = .failure(error) }
            fixture.intake.drain()
            try await group.waitForAll()
            try result.get()
        }
    }

    private init(_ system: TestSystem) async throws {
        let metrics = Metrics()
        let sources = try await DirectoryWatch(system.store) { directory in
            var sources: [String: ReceiptSource] = [:]
            for provider in directory.providers {
                let driver = try? ProviderSecrets.driver(
                    for: provider, masterKeys: TestSystem.masterKeys, receiptBaseURL: nil)
                if let driver { sources[provider.name] = ReceiptSource(provider: provider.id, driver: driver) }
            }
            return sources
        }
        self.system = system
        self.metrics = metrics
        self.providers = Dictionary(
            uniqueKeysWithValues: try await system.store.directory().providers.map { ($0.name, $0.id) })
        self.intake = ReceiptIntake(
            store: system.store, masterKeys: TestSystem.masterKeys, lanes: [Lane(rawValue: 0)], sources: sources,
            metrics: metrics, logger: .silent,
            onProgress: {})
    }

    // MARK: - Messages

    /// Messages that a provider has taken, each under the part ids given.
    func handedOver(
        _ parts: [[String]], to provider: String, _ content: Content? = nil, keepsBody: Bool = false
    ) async throws -> [MessageID] {
        let provider = try #require(self.providers[provider])
        let lane = Lane(rawValue: 0)
        var generator = SystemRandomNumberGenerator()
        let messages = parts.map { _ in
            let id = MessageID(lane: lane, milliseconds: Timestamp.now.milliseconds, using: &generator)
            let context = id.sealingContext(account: AccountID(rawValue: 1))
            return NewMessage(
                id: id,
                provider: provider, channel: content?.channel ?? .sms, priority: .otp, recipient: "+41790000077",
                sender: nil, body: content.map { TestSystem.masterKeys.seal($0.encoded, for: context) } ?? [1],
                parts: 1, reference: nil, metadata: nil, sendAt: nil, timeToLive: .seconds(600))
        }
        let store = self.system.store
        _ = try await store.accept([
            Acceptance(account: AccountID(rawValue: 1), messages: messages, idempotency: nil)
        ])
        let worker = try await store.registerWorker(name: "test", lease: .seconds(15))
        let request = ClaimRequest(provider: provider, limit: 1000, after: [:])
        let claims = try await store.claim(lane: lane, worker: worker, requests: [request])
        let names = Dictionary(uniqueKeysWithValues: zip(messages.map(\.id), parts))
        let settled = claims.map { claim in
            var settled = Settled(
                id: claim.id, provider: provider, attempt: claim.attempt, series: claim.series, outcome: "accepted",
                reason: .accepted, code: "", duration: .zero, state: .accepted, retry: nil, parts: names[claim.id] ?? []
            )
            settled.keepsBody = keepsBody
            return settled
        }
        #expect(try await store.settle(settled, lane: lane, worker: worker).mine.count == parts.count)
        return messages.map(\.id)
    }

    var receipts: Int { get async throws { try await self.system.count("SELECT count(*) FROM receipts") } }
    var unmatched: Int { get async throws { try await self.system.count("SELECT count(*) FROM unmatched_receipts") } }

    // MARK: - Callbacks

    /// A callback of Vonage's for one part.
    static func vonage(
        _ part: String, of id: MessageID? = nil, status: String = "delivered", code: String = "0",
        provider: String = "vonage", token: String = token
    ) -> HTTPRequest {
        var pairs = [("messageId", part), ("status", status), ("err-code", code), ("msisdn", "41790000077")]
        if let id { pairs.append(("client-ref", "\(id)")) }
        return HTTPRequest(
            method: "GET", path: "/receipts/\(provider)/\(token)",
            query: String(decoding: Form(pairs).serialized(), as: UTF8.self))
    }

    /// A callback of Vonage's that is signed. `age` is how old it says that it is.
    static func signed(
        _ part: String, of id: MessageID, secret: String = signatureSecret, age: Duration = .zero
    ) -> HTTPRequest {
        let pairs = [
            ("client-ref", "\(id)"), ("err-code", "0"), ("messageId", part), ("status", "delivered"),
            ("timestamp", "\((Timestamp.now - age).seconds)"),
        ]
        let text = pairs.map { "&\($0.0)=\($0.1)" }.joined()
        let signature = Hex.encode(Digest.sha256.authenticate(Array(text.utf8), key: Secret(secret)))
        return HTTPRequest(
            method: "POST", path: "/receipts/signed",
            fields: ["Content-Type": "application/x-www-form-urlencoded"],
            body: Form(pairs + [("sig", signature)]).serialized())
    }

    /// A callback of Infobip's for many messages.
    static func infobip(_ ids: [String], authorization: String? = basic) -> HTTPRequest {
        let results = ids.map { id -> JSON in
            [
                "messageId": .string(id), "status": ["groupId": 3, "id": 5, "name": "DELIVERED_TO_HANDSET"],
                "error": ["id": 0], "doneAt": "2026-11-21T09:15:00.000+0000",
            ]
        }
        return Self.infobip(body: (["results": .array(results)] as JSON).serialized(), authorization: authorization)
    }

    static func infobip(body: [UInt8], authorization: String? = basic) -> HTTPRequest {
        var request = HTTPRequest(method: "POST", path: "/receipts/infobip", body: body)
        request.fields["Content-Type"] = "application/json"
        request.fields["Authorization"] = authorization
        return request
    }

    /// What Bandwidth asks and tells of a call.
    static func call(_ type: String, of id: MessageID, _ more: [JSON.Member] = [], from: String = "calls")
        -> HTTPRequest
    {
        let event: [JSON.Member] = [
            .init("eventType", .string(type)), .init("callId", "c-1"), .init("tag", .string("\(id)")),
        ]
        return HTTPRequest(
            method: "POST", path: "/receipts/\(from)",
            fields: ["Content-Type": "application/json", "Authorization": Self.basic],
            body: JSON.object(event + more).serialized())
    }

    /// Asks, and looks over every refusal for what it must not hold.
    func post(_ request: HTTPRequest) async -> HTTPResponse {
        let response = await self.intake.respond(to: request)
        let text = String(decoding: response.body, as: UTF8.self)
        for secret in [Self.token, Self.signatureSecret, "pass-0123456789", "41790000077"] {
            #expect(!text.contains(secret))
        }
        return response
    }
}
