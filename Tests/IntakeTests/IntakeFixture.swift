import Crypto
import HTTP
import Intake
import JSON
import Messaging
import Postgres
import Store
import Synchronization
import Telemetry
import TestDatabase
import TestSystem
import Testing
import Timestamps

/// The API over a database of its own, with keys of every kind.
struct IntakeFixture: Sendable {
    let system: TestSystem
    let intake: Intake
    let access: DirectoryWatch<Access>
    /// Read only when a test says so.
    let conditions: ConditionsWatch
    let metrics: Metrics
    /// Commits that were told to whoever wakes the workers.
    let accepted: Hints
    /// What was told to whoever knows whether the process is ready.
    let health: Reports
    /// What was logged, a line an element.
    let log: Log

    /// Operations that did what they were asked.
    let exercised = Exercised()

    /// May do everything that a customer may.
    static let key = "acme-all-0123456789abcdef"
    static let readingKey = "acme-read-0123456789abcdef"
    static let sendingKey = "acme-send-0123456789abcdef"
    static let verifyingKey = "acme-verify-0123456789abcdef"
    static let managingKey = "acme-manage-0123456789abcdef"
    /// The operator's.
    static let billingKey = "acme-bill-0123456789abcdef"
    static let guardKey = "acme-guard-0123456789abcdef"
    static let expiredKey = "acme-expired-0123456789abcdef"
    static let revokedKey = "acme-revoked-0123456789abcdef"
    /// Of another account.
    static let strangersKey = "other-all-0123456789abcdef"

    /// What no answer may repeat.
    static let number = "+41790000077"
    static let text = "Your code is 918273"

    static let message: JSON = ["to": .string(number), "body": .string(text)]
    static let call = message.with(["channel": "voice"])
    static let address = "anna.berg@example.com"
    static let mail = message.with(["channel": "email", "to": .string(address), "subject": "Your code 918273"])

    static let configuration: JSON = [
        "accounts": [
            [
                "name": "acme",
                "keys": [
                    ["name": "all", "key": .string(key)],
                    ["name": "read", "key": .string(readingKey), "scopes": ["read"]],
                    ["name": "send", "key": .string(sendingKey), "scopes": ["send"]],
                    ["name": "verify", "key": .string(verifyingKey), "scopes": ["verify"]],
                    ["name": "manage", "key": .string(managingKey), "scopes": ["manage"]],
                    ["name": "bill", "key": .string(billingKey), "scopes": ["bill"]],
                    ["name": "guard", "key": .string(guardKey), "scopes": ["guard"]],
                    ["name": "expired", "key": .string(expiredKey), "expires_at": "2020-01-01T00:00:00Z"],
                    ["name": "revoked", "key": .string(revokedKey), "revoked": true],
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
            ["channel": "sms", "prefix": "+1", "provider": "nowhere"],
            ["channel": "voice", "prefix": "+41", "provider": "calls"], ["channel": "email", "provider": "calls"],
        ],
    ]

    static func run(
        lanes: [Lane] = [Lane(rawValue: 0)], limit: Int = 4, _ body: (IntakeFixture) async throws -> Void
    ) async throws {
        try await TestSystem.run(limit: limit) { system async throws in
            try await system.apply(Self.configuration)
            try await Self.run(on: system, lanes: lanes, body)
        }
    }

    /// On a database that is configured already.
    static func run(
        on system: TestSystem, lanes: [Lane] = [Lane(rawValue: 0)], lookUp: any NumberLookUp = OfflineLookUp(),
        guardClock: (@Sendable () -> Timestamp)? = nil,
        _ body: (IntakeFixture) async throws -> Void
    ) async throws {
        let fixture = try await IntakeFixture(system, lanes: lanes, lookUp: lookUp, guardClock: guardClock)
        try await withThrowingTaskGroup { group in
            group.addTask { await fixture.intake.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body(fixture)) } catch { result = .failure(error) }
            fixture.intake.drain()
            try await group.waitForAll()
            try result.get()
        }
    }

    private init(
        _ system: TestSystem, lanes: [Lane], lookUp: any NumberLookUp, guardClock: (@Sendable () -> Timestamp)?
    ) async throws {
        let metrics = Metrics()
        let hints = Hints()
        let health = Reports()
        let log = Log()
        let logger = Logger(label: "api", write: { log.append($0) })
        let conditions = ConditionsWatch(system.store)
        let access = try await DirectoryWatch(system.store) {
            Access($0, masterKeys: TestSystem.masterKeys, logger: logger, conditions: { conditions.current })
        }
        self.system = system
        self.metrics = metrics
        self.accepted = hints
        self.log = log
        self.health = health
        self.access = access
        self.conditions = conditions
        self.intake = Intake(
            store: system.store, lanes: lanes, access: access, masterKeys: TestSystem.masterKeys, lookUp: lookUp,
            metrics: metrics, logger: logger, guardClock: guardClock,
            onAccepted: { _ in hints.count.add(1, ordering: .relaxed) }, onProgress: { health.append("succeeded") },
            onLook: { health.append("looked") }, onFailure: { health.append("failed") })
    }

    final class Hints: Sendable {
        let count = Atomic(0)
        var now: Int { self.count.load(ordering: .relaxed) }
    }

    final class Exercised: Sendable {
        private let stored = Mutex<Set<OpenAPIValidator.Operation>>([])
        var all: Set<OpenAPIValidator.Operation> { self.stored.withLock { $0 } }
        func insert(_ operation: OpenAPIValidator.Operation) { _ = self.stored.withLock { $0.insert(operation) } }
    }

    final class Reports: Sendable {
        private let stored = Mutex<[String]>([])
        var all: [String] { self.stored.withLock { $0 } }
        func append(_ report: String) { self.stored.withLock { $0.append(report) } }
    }

    final class Log: Sendable {
        private let stored = Mutex<[String]>([])
        var lines: [String] { self.stored.withLock { $0 } }
        func append(_ line: [UInt8]) { self.stored.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    }

    // MARK: - Requests

    /// Asks, and looks over every answer for what it must not hold.
    func ask(
        _ method: String, _ target: String, key: String? = Self.key, fields: HTTPFields = [:], body: [UInt8] = []
    ) async -> HTTPResponse {
        var fields = fields
        if let key { fields["Authorization"] = "Bearer \(key)" }
        let pieces = target.split(separator: "?", maxSplits: 1).map(String.init)
        let response = await self.respond(
            to: HTTPRequest(
                method: method, path: pieces[0], query: pieces.count > 1 ? pieces[1] : nil, fields: fields, body: body))
        self.checkDiscretion(of: response, key: key)
        return response
    }

    /// Asks, and holds the answer against the description of the API.
    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let response = await self.intake.respond(to: request)
        for problem in OpenAPIValidator.shared.problems(request, response) { Issue.record("\(problem)") }
        if response.status < 300, let operation = OpenAPIValidator.shared.operation(of: request) {
            self.exercised.insert(operation)
        }
        return response
    }

    func post(_ body: JSON, key: String = Self.key, idempotencyKey: String? = nil) async -> HTTPResponse {
        var fields: HTTPFields = ["Content-Type": "application/json"]
        if let idempotencyKey { fields["Idempotency-Key"] = idempotencyKey }
        return await self.ask("POST", "/v1/messages", key: key, fields: fields, body: body.serialized())
    }

    func get(_ target: String, key: String = Self.key) async -> HTTPResponse {
        await self.ask("GET", target, key: key)
    }

    /// The id of one message that was accepted.
    func accept(_ change: [String: JSON?] = [:], key: String = Self.key) async throws -> String {
        let response = await self.post(Self.message.with(change), key: key)
        return try #require(response.json["id"]?.string, "\(response.text)")
    }

    var stored: Int { get async throws { try await self.system.count("SELECT count(*) FROM messages") } }

    /// Waits until the pool's statement number so many waits for a lock.
    func waitForLockWaits(_ count: Int) async throws {
        try await self.system.wait(for: TestSystem.lockWaits, is: count)
    }

    private func checkDiscretion(of response: HTTPResponse, key: String?) {
        guard response.status >= 400 else { return }
        let whole = response.fields.all.map { "\($0.name): \($0.value)" }.joined(separator: "\n") + response.text
        let secrets = [key ?? "", Self.number, String(Self.number.dropFirst()), Self.text, "918273", Self.address]
        for secret in secrets where secret.count > 5 {
            #expect(!whole.contains(secret), "a refusal repeats \(secret)")
        }
        #expect(response.fields["Content-Type"] == "application/problem+json")
        #expect(response.json["status"]?.integer == Int64(response.status))
        #expect(response.json["title"]?.string?.isEmpty == false)
        #expect(response.json["detail"]?.string?.isEmpty == false)
    }
}

extension HTTPResponse {
    var text: String { String(decoding: self.body, as: UTF8.self) }
    var json: JSON { (try? JSON(parsing: self.body)) ?? .null }
    var code: String? { self.json["code"]?.string }
    /// The places that a refusal names.
    var paths: [String] { self.json["errors"]?.array?.compactMap { $0["path"]?.string } ?? [] }
    var ids: [String] { self.json["messages"]?.array?.compactMap { $0["id"]?.string } ?? [] }

    /// All of it, to be compared byte for byte.
    var whole: String {
        "\(self.status)\n" + self.fields.all.map { "\($0.name): \($0.value)\n" }.joined() + self.text
    }
}

extension JSON {
    /// The object with members set; those set to nil are taken away.
    func with(_ changes: [String: JSON?]) -> JSON {
        var members = (self.members ?? []).filter { changes[$0.name] == nil }
        for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
            if let value { members.append(.init(name, value)) }
        }
        return .object(members)
    }
}
