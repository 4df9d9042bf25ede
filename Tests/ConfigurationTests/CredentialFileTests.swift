import Crypto
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Configuration

/// What customers show in vendors' APIs.
@Suite struct CredentialFileTests {
    private static func file(_ credentials: JSON, account: String = "acme") -> JSON {
        ["accounts": [["name": .string(account), "credentials": credentials]]]
    }

    private static let whole = Self.file([
        ["vendor": "infobip", "username": "acme", "password": "infobip s3cret"],
        [
            "vendor": "bandwidth", "account": "9900000", "username": "acme", "password": ["env": "PASSWORD"],
            "scopes": ["verify"],
        ],
        [
            "vendor": "nexmo", "api_key": "abcd1234", "api_secret": "nexmo s3cret", "signature_secret": "sign s3cret",
            "signature_method": "sha256",
        ],
        ["vendor": "nexmo", "api_key": "efgh5678", "api_secret": "nexmo s3cret", "signature_secret": "sign s3cret"],
    ])
    private static let environment = ["PASSWORD": "bandwidth s3cret"]

    private func stored(_ system: TestSystem) async throws -> [String] {
        try await system.pool.query("SELECT c::text FROM credentials c ORDER BY id") { row throws(PostgresError) in
            try row.decode(0, as: String.self)
        }
    }

    @Test func credentialsAreStoredSealed() async throws {
        try await TestSystem.run { system async throws in
            let report = try await system.apply(Self.whole, environment: Self.environment)
            #expect(report.changes.count == 5)
            #expect(report.changes.contains("account acme, nexmo credential abcd1234: set"))
            let credentials = try await system.store.directory().credentials
            #expect(credentials.map(\.vendor) == [.infobip, .bandwidth, .nexmo, .nexmo])
            #expect(credentials.map(\.name) == ["acme", "acme", "abcd1234", "efgh5678"])
            #expect(credentials.map(\.accountName) == ["acme", "acme", "acme", "acme"])
            #expect(
                credentials.map(\.settings) == [
                    "{}", #"{"account":"9900000"}"#, #"{"signature_method":"sha256"}"#,
                    #"{"signature_method":"md5hash"}"#,
                ])
            #expect(credentials.map(\.scopes.count) == [4, 1, 4, 4])
            let opened = try credentials.map { credential in
                let context = credential.vendor.sealingContext(of: credential.name)
                return String(
                    decoding: try TestSystem.masterKeys.open(credential.secrets, for: context), as: UTF8.self)
            }
            #expect(
                opened == [
                    #"{"password":"infobip s3cret"}"#, #"{"password":"bandwidth s3cret"}"#,
                    #"{"api_secret":"nexmo s3cret","signature_secret":"sign s3cret"}"#,
                    #"{"api_secret":"nexmo s3cret","signature_secret":"sign s3cret"}"#,
                ])
            #expect(try await !self.stored(system).joined().contains("s3cret"))
            // Sealed for one, they open for no other.
            #expect(throws: SealError.self) {
                try TestSystem.masterKeys.open(
                    credentials[0].secrets, for: Vendor.bandwidth.sealingContext(of: "acme"))
            }
        }
    }

    @Test func aNexmoCredentialMayHaveWordsOfItsOwn() async throws {
        try await TestSystem.run { system async throws in
            func apply(_ template: JSON) async throws {
                let credential: JSON = ["vendor": "nexmo", "api_key": "k", "api_secret": "s", "template": template]
                try await system.apply(Self.file([credential]))
            }
            try await apply("Your {{brand}} code is {{pin}}")
            let settings = try await system.store.directory().credentials.map(\.settings)
            #expect(settings == [#"{"template":"Your {{brand}} code is {{pin}}"}"#])
            for template in ["Your code", "", 5, .string(String(repeating: "x", count: 4000) + "{{pin}}")] as [JSON] {
                let problems = await #expect(throws: ConfigurationProblems.self) { try await apply(template) }
                #expect(problems?.problems.map(\.path) == ["/accounts/0/credentials/0/template"])
            }
        }
    }

    @Test func applyingAFileAgainChangesNothing() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.whole, environment: Self.environment)
            let before = try await self.stored(system)
            let revision = try await system.store.configurationRevision()
            #expect(try await system.apply(Self.whole, environment: Self.environment).changes == [])
            #expect(try await self.stored(system) == before)
            #expect(try await system.store.configurationRevision() == revision)
            let other: JSON = [["vendor": "infobip", "username": "acme", "password": "another"]]
            #expect(
                try await system.apply(Self.file(other)).changes == ["account acme, infobip credential acme: set"])
            #expect(try await system.store.configurationRevision() > revision)
        }
    }

    @Test(
        arguments: [
            (nil, nil, true), (nil, true, false), (true, nil, false), (true, false, true), (false, true, false),
        ] as [(Bool?, Bool?, Bool)]
    )
    func onlyAnExplicitFalseBringsOneBack(first: Bool?, second: Bool?, isAlive: Bool) async throws {
        try await TestSystem.run { system async throws in
            for isRevoked in [first, second, second] {
                let revoked: JSON = isRevoked.map { .bool($0) } ?? .null
                let credential: JSON = [
                    "vendor": "infobip", "username": "acme", "password": "p", "revoked": revoked,
                ]
                try await system.apply(Self.file([credential]))
            }
            #expect(try await system.store.directory().credentials.count == (isAlive ? 1 : 0))
        }
    }

    @Test func whatAnotherAccountHasIsRefusedWithItsPath() async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.whole, environment: Self.environment)
            let before = try await self.stored(system)
            let stolen: JSON = [
                ["vendor": "infobip", "username": "other", "password": "p"],
                ["vendor": "infobip", "username": "acme", "password": "p"],
                ["vendor": "nexmo", "api_key": "abcd1234", "api_secret": "p"],
            ]
            let problems = await #expect(throws: ConfigurationProblems.self) {
                try await system.apply(Self.file(stolen, account: "other"))
            }
            let path = "/accounts/0/credentials"
            #expect(problems?.problems.map(\.path) == ["\(path)/1/username", "\(path)/2/api_key"])
            #expect(try await self.stored(system) == before)
        }
    }
}
