import HTTP
import JSON
import Messaging
import Postgres
import Routing
import Store
import TestSystem
import Testing

/// Which provider a message is given to.
@Suite struct RouteChoiceTests {
    /// Adds providers called as the routes name them, and what goes by them.
    private static func add(_ routes: JSON, to fixture: IntakeFixture) async throws {
        let names = ["first", "second", "coded"]
        let providers = names.map { JSON.object([.init("name", .string($0)), .init("kind", "discard")]) }
        try await fixture.system.apply(["providers": .array(providers)])
        try await fixture.system.apply(["routes": routes])
        try await fixture.access.refresh()
    }

    /// Of all that wait, the oldest first.
    private static func providers(_ fixture: IntakeFixture) async throws -> [String] {
        try await fixture.system.pool.query(
            "SELECT p.name FROM outbox o JOIN providers p ON p.id = o.provider_id ORDER BY o.id"
        ) { row throws(PostgresError) in try row.decode(0, as: String.self) }
    }

    private static func id(_ name: String, _ fixture: IntakeFixture) async throws -> Int32 {
        try await fixture.system.pool.query("SELECT id FROM providers WHERE name = \(name)") {
            row throws(PostgresError) in
            try row.decode(0, as: Int32.self)
        }[0]
    }

    /// Opens a breaker for a minute, or lets one that is older come to its probes.
    private static func open(_ provider: String, in country: String = "+41", _ fixture: IntakeFixture) async throws {
        let id = try await Self.id(provider, fixture)
        _ = try await fixture.system.pool.execute(
            """
            INSERT INTO breakers (provider_id, country, open_until, openings, reason)
            VALUES (\(id), \(country), now() + interval '1 minute', 1, 'timeout')
            """)
        try await fixture.conditions.refresh()
    }

    @Test(
        arguments: [
            (["priority": "otp"], "coded"), (["priority": "bulk"], "nowhere"), ([:], "nowhere"),
            (["from": "Acme"], "first"), (["from": "Acme", "priority": "otp"], "first"), (["from": "acme"], "nowhere"),
            (["to": "+12042345678"], "second"), (["to": "+12125550123"], "nowhere"),
            (["to": "+12042345678", "priority": "otp"], "second"),
        ] as [([String: JSON?], String)])
    func aMessageGoesByItsSenderItsPriorityAndItsCountry(change: [String: JSON?], provider: String) async throws {
        try await IntakeFixture.run { fixture async throws in
            let routes: JSON = [
                ["prefix": "+41", "priority": "otp", "provider": "coded"],
                ["prefix": "+41", "sender": "Acme", "provider": "first"], ["country": "CA", "provider": "second"],
            ]
            try await Self.add(routes, to: fixture)
            _ = try await fixture.accept(change)
            #expect(try await Self.providers(fixture) == [provider])
        }
    }

    @Test func aMessageBeginsAtTheFirstThatIsWell() async throws {
        try await IntakeFixture.run { fixture async throws in
            try await Self.add([["prefix": "+41", "providers": ["first", "second", "calls"]]], to: fixture)
            _ = try await fixture.accept()
            // A breaker that nobody has read yet, and one of another country.
            try await Self.open("first", in: "+1", fixture)
            _ = try await fixture.accept()
            try await Self.open("first", fixture)
            _ = try await fixture.accept()
            try await Self.open("second", fixture)
            _ = try await fixture.accept(["priority": "otp"])
            // Only a code begins as a call.
            _ = try await fixture.accept(["priority": "bulk"])
            // A message goes somewhere.
            try await Self.open("calls", fixture)
            _ = try await fixture.accept()
            #expect(try await Self.providers(fixture) == ["first", "first", "second", "calls", "first", "first"])
        }
    }

    @Test func aWeightedRouteGoesByTheWeightsAsTheyAreNow() async throws {
        try await IntakeFixture.run { fixture async throws in
            let routes: JSON = [
                [
                    "prefix": "+41", "policy": "weighted",
                    "providers": [
                        ["name": "first", "min_weight": 0], ["name": "second", "weight": 0, "max_weight": 9],
                    ],
                ]
            ]
            try await Self.add(routes, to: fixture)
            for _ in 0..<5 { _ = try await fixture.accept() }
            let (first, second) = (try await Self.id("first", fixture), try await Self.id("second", fixture))
            _ = try await fixture.system.pool.execute(
                """
                INSERT INTO route_weights (route_id, provider_id, weight)
                SELECT id, unnest(ARRAY[\(first), \(second)]), unnest(ARRAY[0, 500]) FROM routes WHERE weighted
                """)
            try await fixture.conditions.refresh()
            for _ in 0..<5 { _ = try await fixture.accept() }
            let expected = [String](repeating: "first", count: 5) + [String](repeating: "second", count: 5)
            #expect(try await Self.providers(fixture) == expected)
        }
    }

    @Test func aCodeBeginsAtTheFirstThatIsWellToo() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            try await Self.add(
                [["prefix": "+41", "priority": "otp", "providers": ["first", "second"]]], to: fixture)
            let id = try await codes.start()
            try await Self.open("first", fixture)
            #expect(await codes.resend(id).status == 202)
            #expect(try await Self.providers(fixture) == ["first", "second"])
        }
    }

    // MARK: - Dialects

    private static let coded: JSON = [
        ["country": "CH", "priority": "otp", "provider": "coded"],
        ["country": "US", "priority": "otp", "provider": "coded"],
        ["prefix": "+44", "priority": "otp", "provider": "coded"],
        ["prefix": "+999", "priority": "otp", "provider": "coded"],
    ]

    @Test func infobipsCodesGoAsCodes() async throws {
        try await InfobipFixture.run { fixture async throws in
            try await Self.add(Self.coded, to: fixture.base)
            let application = try await fixture.makeApplication()
            let message = try await fixture.makeMessage(application)
            #expect(await fixture.send(application, message).status == 200)
            #expect(try await Self.providers(fixture.base) == ["coded"])
        }
    }

    @Test func bindsCodesGoAsCodes() async throws {
        try await BindFixture.run { fixture async throws in
            try await Self.add(Self.coded, to: fixture.base)
            _ = try await fixture.start()
            #expect(try await Self.providers(fixture.base) == ["coded"])
        }
    }

    @Test func nexmosCodesGoAsCodes() async throws {
        try await NexmoFixture.run { fixture async throws in
            try await Self.add(Self.coded, to: fixture.base)
            #expect(await fixture.send().status == 200)
            #expect(try await Self.providers(fixture.base) == ["coded"])
        }
    }

    @Test func bandwidthsCodesGoAsCodesAndByTheirSender() async throws {
        try await BandwidthFixture.run { fixture async throws in
            try await Self.add(Self.coded, to: fixture.base)
            #expect(await fixture.send().status == 200)
            let bySender: JSON = [
                ["prefix": "+1", "sender": .string(BandwidthFixture.sender), "provider": "first"],
                ["country": "US", "priority": "otp", "remove": true],
            ]
            try await Self.add(bySender, to: fixture.base)
            #expect(await fixture.send().status == 200)
            #expect(try await Self.providers(fixture.base) == ["coded", "first"])
        }
    }

    // MARK: - What may be spoken

    /// The language of the template goes with a text that may become a call, and with no other.
    @Test(
        arguments: [
            (["first"], "pt-br", nil), (["first", "calls"], "pt-br", "pt-br"), (["first", "calls"], nil, nil),
        ] as [(JSON, String?, String?)])
    func aTextThatMayBecomeACallKnowsItsLanguage(providers: JSON, template: String?, expected: String?) async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            try await Self.add([["prefix": "+41", "providers": providers]], to: fixture)
            let changed = try await fixture.make(
                "/v1/templates",
                [
                    "application": .string(codes.application), "text": "Code {{pin}}",
                    "language": template.map { .string($0) } ?? .null,
                ])
            let id = try await codes.start(["template": .string(changed)])
            guard case .text(let content) = try await codes.content(of: id) else {
                Issue.record("is no text")
                return
            }
            #expect(content.text.hasPrefix("Code "))
            #expect(content.language == expected)
        }
    }
}
