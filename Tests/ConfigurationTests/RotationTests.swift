import Crypto
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Configuration

@Suite struct RotationTests {
    private static let old = MasterKeys.generate(id: 1)
    private static let new = MasterKeys.generate(id: 2)

    private static func ring(_ keys: String...) throws -> MasterKeys {
        try MasterKeys(parsing: keys.joined(separator: ","))
    }

    private static let file: JSON = [
        "accounts": [
            [
                "name": "acme",
                "credentials": [
                    ["vendor": "infobip", "username": "one", "password": "p"],
                    ["vendor": "infobip", "username": "two", "password": "p", "revoked": true],
                ],
            ]
        ],
        "providers": [
            [
                "name": "v", "kind": "vonage-sms",
                "credentials": ["api_key": "abcd1234", "api_secret": "s3cret", "receipt_token": "receipts-0123456789"],
            ]
        ],
    ]

    private func apply(_ json: JSON, with keys: MasterKeys, to system: TestSystem) async throws -> [String] {
        let file = try Configurator.read(json.serialized(), environment: [:])
        return try await Configurator(store: system.store, masterKeys: keys).apply(file).changes
    }

    private func rotate(_ keys: MasterKeys, _ system: TestSystem) async throws -> Rotation.Report {
        try await Rotation(store: system.store, masterKeys: keys).run()
    }

    /// The keys that seal what stays.
    private func sealers(_ system: TestSystem) async throws -> [Int16: KeyUse] {
        try await system.store.secretsByKey()
    }

    private func use(providers: Int = 0, credentials: Int = 0, verifications: Int = 0, messages: Int = 0) -> KeyUse {
        var use = KeyUse()
        use.providers = providers
        use.credentials = credentials
        use.verifications = verifications
        use.messages = messages
        return use
    }

    @Test func aFileAppliedUnderANewKeySealsAnewOnce() async throws {
        try await TestSystem.run { system async throws in
            _ = try await self.apply(Self.file, with: try Self.ring(Self.old), to: system)
            let both = try Self.ring(Self.new, Self.old)
            #expect(
                try await self.apply(Self.file, with: both, to: system) == [
                    "account acme, infobip credential one: sealed anew",
                    "account acme, infobip credential two: sealed anew", "provider v: sealed anew",
                ])
            #expect(try await self.sealers(system) == [2: self.use(providers: 1, credentials: 2)])
            let revision = try await system.store.configurationRevision()
            #expect(try await self.apply(Self.file, with: both, to: system) == [])
            // What says the same says it under the new key alone.
            #expect(try await self.apply(Self.file, with: try Self.ring(Self.new), to: system) == [])
            #expect(try await system.store.configurationRevision() == revision)
        }
    }

    @Test func aRotationSealsAllAnewAndSaysThatTheOldKeyMayGo() async throws {
        try await TestSystem.run { system async throws in
            _ = try await self.apply(Self.file, with: try Self.ring(Self.old), to: system)
            let report = try await self.rotate(try Self.ring(Self.new, Self.old), system)
            #expect(
                report.lines == [
                    "provider v: sealed anew", "infobip credential one: sealed anew",
                    "infobip credential two: sealed anew",
                    "key 2 (seals): 1 providers, 2 credentials, 0 webhooks, 0 verifications, 0 waiting messages",
                    "key 1: 0 providers, 0 credentials, 0 webhooks, 0 verifications, 0 waiting messages",
                    "Key 1 may be taken away now, if every process was restarted with key 2 in front.",
                ])
            let again = try await self.rotate(try Self.ring(Self.new), system)
            #expect(again.sealedAnew.isEmpty && again.unopened.isEmpty)
            #expect(again.lines.last == "No key may be taken away now.")
            #expect(try await self.apply(Self.file, with: try Self.ring(Self.new), to: system) == [])
        }
    }

    @Test func whatDoesNotOpenIsLeftAndTold() async throws {
        try await TestSystem.run { system async throws in
            _ = try await self.apply(Self.file, with: try Self.ring(Self.old), to: system)
            let report = try await self.rotate(try Self.ring(Self.new, MasterKeys.generate(id: 1)), system)
            #expect(report.unopened.count == 3 && report.sealedAnew.isEmpty && report.needless.isEmpty)
            let without = try await self.rotate(try Self.ring(Self.new), system)
            #expect(
                without.lines.contains(
                    "key 1 (not in the ring): 1 providers, 2 credentials, 0 webhooks, 0 verifications, 0 waiting messages"
                ))
            #expect(try await self.sealers(system) == [1: self.use(providers: 1, credentials: 2)])
        }
    }

    @Test func whatWaitsKeepsItsKey() async throws {
        try await TestSystem.run { system async throws in
            let keys = try Self.ring(Self.new, Self.old)
            for (lane, key, table) in [(0, 1, "outbox"), (7, 1, "scheduled"), (0, 2, "outbox"), (0, 1, "none")] {
                try await self.addMessage(lane: Int16(lane), key: UInt8(key), table: table, to: system)
            }
            // The hash under one key and the seal under another, after a resend; one that is used up; one whose time is over.
            try await self.addVerification(hash: 1, seal: 1, to: system)
            try await self.addVerification(hash: 1, seal: 2, to: system)
            try await self.addVerification(hash: 2, seal: nil, to: system)
            try await self.addVerification(hash: 1, seal: 1, isOver: true, to: system)
            let report = try await self.rotate(keys, system)
            #expect(
                report.uses == [
                    1: self.use(verifications: 2, messages: 2), 2: self.use(verifications: 1, messages: 1),
                ])
            #expect(report.needless.isEmpty)
            _ = try await system.pool.execute("UPDATE verifications SET expires_at = now()")
            _ = try await system.pool.execute("DELETE FROM scheduled")
            #expect(try await self.rotate(keys, system).needless == [])
            _ = try await system.pool.execute("DELETE FROM outbox")
            #expect(try await self.rotate(keys, system).needless == [1])
        }
    }

    @Test func whatCannotBeCountedKeepsEveryKey() throws {
        for (verifications, messages) in [(nil, [:]), ([:], nil)] as [([Int16: Int]?, [Int16: Int]?)] {
            var report = Rotation.Report(ring: [2, 1])
            report.uses = Rotation.merge([:], verifications: verifications, messages: messages)
            #expect(report.needless.isEmpty)
            #expect(
                report.lines == [
                    "What needs the keys could not be counted in 300.0 seconds.", "No key may be taken away now.",
                ])
        }
        var report = Rotation.Report(ring: [3, 2, 1])
        report.uses = Rotation.merge([:], verifications: [3: 1], messages: [:])
        #expect(
            report.lines.last
                == "Keys 2, 1 may be taken away now, if every process was restarted with key 3 in front.")
    }

    // MARK: - Rows

    private func addMessage(lane: Int16, key: UInt8, table: String, to system: TestSystem) async throws {
        let body = Bytes([1, key, 0])
        let id = try await system.pool.query(
            """
            INSERT INTO messages (lane, id, account_id, provider_id, priority, channel, recipient, expires_at, body)
            SELECT \(lane), (left(first_id_of(now())::text, 24) || right(gen_random_uuid()::text, 12))::uuid, 1, 1, 0,
                   'sms', '+1', now(), \(body) RETURNING id
            """
        ) { row throws(PostgresError) in try row.decode(0, as: MessageID.self) }[0]
        if table == "outbox" {
            _ = try await system.pool.execute(
                "INSERT INTO outbox (lane, id, account_id, provider_id, priority) VALUES (\(lane), \(id), 1, 1, 0)")
        } else if table == "scheduled" {
            _ = try await system.pool.execute(
                """
                INSERT INTO scheduled (lane, id, account_id, provider_id, priority, due_at)
                VALUES (\(lane), \(id), 1, 1, 0, now())
                """)
        }
    }

    private func addVerification(
        hash: Int16, seal: UInt8?, isOver: Bool = false, to system: TestSystem
    ) async throws {
        _ = try await system.pool.execute(
            """
            INSERT INTO verifications (lane, id, account_id, application_id, template_id, key_id, attempt_limit,
                                       allows_reuse, channel, recipient, mac, message_id, expires_at, code)
            SELECT 3, (left(first_id_of(now())::text, 24) || right(gen_random_uuid()::text, 12))::uuid, 1, 1, 1, \(hash),
                   1, true, 'sms', '+1', sha256('x'), gen_random_uuid(),
                   now() + CASE WHEN \(isOver) THEN interval '-1 s' ELSE '1 h' END,
                   \(seal.map { Bytes([1, $0, 0]) })
            """)
    }
}
