import Channels
import Configuration
import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

/// `look_up` in a file: by a provider that is there, or with credentials of its own.
@Suite struct LookUpFileTests {
    private static let providers: JSON = [
        [
            "name": "main", "kind": "infobip-sms", "url": "https://x.api.infobip.com",
            "credentials": ["api_key": "key-1", "receipt_token": "receipts-0123456789"],
        ], ["name": "nowhere", "kind": "discard"],
    ]

    private static func request(_ system: TestSystem) async throws -> OutgoingRequest {
        let directory = try await system.store.directory()
        let numbers = try ProviderSecrets.numberDirectory(
            for: try #require(directory.lookUp), among: directory.providers, masterKeys: TestSystem.masterKeys)
        return numbers.request(for: try #require(PhoneNumber("+41791234567")))
    }

    @Test func aProvidersAccountIsUsed() async throws {
        try await TestSystem.run { system async throws in
            let file: JSON = [
                "providers": Self.providers, "look_up": ["provider": "main", "max_age": 600, "timeout_ms": 300],
            ]
            #expect(try await system.apply(file).changes.contains("look-up by infobip: set"))
            #expect(try await system.apply(file).changes.isEmpty)
            let stored = try #require(try await system.store.directory().lookUp)
            #expect(stored.maxAge == .seconds(600) && stored.timeLimit == .milliseconds(300))
            let request = try await Self.request(system)
            #expect(request.url == "https://x.api.infobip.com/number/1/query")
            #expect(request.fields["Authorization"] == "App key-1")
            #expect(try await system.apply(["look_up": ["remove": true]]).changes == ["look-up: removed"])
            #expect(try await system.store.directory().lookUp == nil)
        }
    }

    /// Somebody else's answers are not gone by, and a provider is asked where it has been put.
    @Test func whoeverIsAskedNowAnswersAnew() async throws {
        try await TestSystem.run { system async throws in
            let own: JSON = ["kind": "vonage", "credentials": ["api_key": "k", "api_secret": "s"]]
            try await system.apply(["look_up": own])
            try await system.store.keepLookUp(of: try #require(PhoneNumber("+41791234567")), facts: "{}")
            try await system.apply([
                "look_up": ["kind": "vonage", "credentials": ["api_key": "k", "api_secret": "s"], "max_age": 600]
            ])
            #expect(try await system.count("SELECT count(*) FROM look_ups") == 1)
            let provider: JSON = [
                "name": "here", "kind": "vonage-sms", "url": "http://127.0.0.1:1",
                "credentials": ["api_key": "k", "api_secret": "s", "receipt_token": "receipts-0123456789"],
            ]
            try await system.apply(["providers": [provider], "look_up": ["provider": "here"]])
            #expect(try await system.count("SELECT count(*) FROM look_ups") == 0)
            #expect(try await Self.request(system).url == "http://127.0.0.1:1/ni/standard/json")
        }
    }

    @Test func itMayHaveCredentialsOfItsOwn() async throws {
        try await TestSystem.run { system async throws in
            let file: JSON = [
                "look_up": [
                    "kind": "vonage", "credentials": ["api_key": "k", "api_secret": ["env": "SECRET"]],
                    "settings": ["level": "advanced"],
                ]
            ]
            #expect(try await system.apply(file, environment: ["SECRET": "s"]).changes == ["look-up by vonage: set"])
            #expect(try await system.apply(file, environment: ["SECRET": "s"]).changes.isEmpty)
            #expect(try await Self.request(system).url == "https://api.nexmo.com/ni/advanced/json")
        }
    }

    @Test(
        arguments: [
            ([:], "/look_up/kind"), (["kind": "fax"], "/look_up/kind"),
            (["kind": "vonage", "credentials": ["api_key": "k"]], "/look_up"),
            (["kind": "infobip", "credentials": ["api_key": "k"]], "/look_up/url"),
            (["provider": "main", "kind": "infobip"], "/look_up"),
            (["provider": "main", "max_age": 1], "/look_up/max_age"),
            (["provider": "main", "timeout_ms": 5000], "/look_up/timeout_ms"),
            (["provider": "main", "x": 1], "/look_up/x"),
            (["provider": "main", "settings": ["level": "basic"]], "/look_up"),
            (["provider": "nobody"], "/look_up/provider"), (["provider": "nowhere"], "/look_up/provider"),
        ] as [(JSON, String)])
    func whatIsWrongIsToldWithItsPlace(lookUp: JSON, path: String) async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(["providers": Self.providers])
            let problems = await #expect(throws: ConfigurationProblems.self) {
                _ = try await system.apply(["look_up": lookUp])
            }
            #expect(problems?.problems.map(\.path) == [path])
        }
    }
}
