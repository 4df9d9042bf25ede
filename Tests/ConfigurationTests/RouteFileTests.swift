import JSON
import Messaging
import Postgres
import Routing
import Store
import TestSystem
import Testing

@testable import Configuration

@Suite struct RouteFileTests {
    private static let providers: JSON = [
        "accounts": [["name": "acme"]],
        "providers": [
            ["name": "a", "kind": "discard"], ["name": "b", "kind": "discard"], ["name": "c", "kind": "discard"],
            [
                "name": "calls", "kind": "carrier", "url": "http://127.0.0.1",
                "credentials": ["api_key": "k", "receipt_token": "receipts-0123456789"],
            ],
        ],
    ]

    private static let routes: JSON = [
        "routes": [
            ["provider": "a"],
            ["prefix": "+41", "providers": ["b", "a", "calls"], "silence_limit": 30],
            ["account": "acme", "country": "US", "sender": "Acme", "priority": "otp", "providers": ["c"]],
            [
                "country": "US", "policy": "weighted",
                "providers": [
                    ["name": "a", "weight": 300, "min_weight": 50, "max_weight": 500], "b", ["name": "c", "weight": 0],
                    ["name": "calls", "weight": 7],
                ],
            ],
            ["channel": "email", "sender": "Acme <acme@example.com>", "providers": ["calls"]],
        ]
    ]

    private static func run(_ body: (TestSystem) async throws -> Void) async throws {
        try await TestSystem.run { system async throws in
            try await system.apply(Self.providers)
            try await body(system)
        }
    }

    private static func names(_ directory: Directory) -> [ProviderID: String] {
        Dictionary(uniqueKeysWithValues: directory.providers.map { ($0.id, $0.name) })
    }

    /// A route in a line.
    private static func text(_ route: Route, _ names: [ProviderID: String]) -> String {
        let place: [String?] = [
            route.account.map { _ in "acme" }, route.channel.rawValue, route.prefix, route.country, route.sender,
            route.priority?.name, route.isWeighted ? "weighted" : "ordered",
            route.silenceLimit.map { "\($0.components.seconds)" },
        ]
        let targets = route.targets.map { target in
            "\(names[target.provider] ?? "?") \(target.channel.rawValue) "
                + "\(target.bounds.lowerBound)<\(target.weight)<\(target.bounds.upperBound)"
        }
        return (place.map { $0 ?? "-" } + targets).joined(separator: ",")
    }

    private static func stored(_ system: TestSystem) async throws -> [String] {
        let directory = try await system.store.directory()
        return directory.routes.sorted { $0.id.rawValue < $1.id.rawValue }
            .map { Self.text($0, Self.names(directory)) }
    }

    private static let lines = [
        "-,sms,,-,-,-,ordered,-,a sms 100<100<100",
        "-,sms,+41,-,-,-,ordered,30,b sms 100<100<100,a sms 100<100<100,calls voice 100<100<100",
        "acme,sms,,US,Acme,otp,ordered,-,c sms 100<100<100",
        "-,sms,,US,-,-,weighted,-,a sms 50<300<500,b sms 100<100<100,c sms 0<0<0,calls voice 7<7<7",
        "-,email,,-,Acme <acme@example.com>,-,ordered,-,calls email 100<100<100",
    ]

    @Test func everyFieldIsStoredAndApplyingAgainChangesNothing() async throws {
        try await Self.run { system async throws in
            let report = try await system.apply(Self.routes)
            #expect(
                report.changes == [
                    "route sms: set", "route sms +41: set", "route acme sms US otp of one sender: set",
                    "route sms US: set", "route email of one sender: set",
                ])
            #expect(try await Self.stored(system) == Self.lines)
            let revision = try await system.store.configurationRevision()
            #expect(try await system.apply(Self.routes).changes == [])
            #expect(try await system.store.configurationRevision() == revision)
        }
    }

    /// Of the second route, each a change of its own.
    private static let changes: [(JSON, String)] = [
        (["providers": ["a", "b", "calls"], "silence_limit": 30], "ordered,30,a sms,b sms,calls voice"),
        (["providers": ["b", "a"], "silence_limit": 30], "ordered,30,b sms,a sms"),
        (["providers": ["b", "a", "calls"]], "ordered,-,b sms,a sms,calls voice"),
        (["providers": ["b", "a", "calls"], "silence_limit": 31], "ordered,31,b sms,a sms,calls voice"),
        (["provider": "b", "silence_limit": 30], "ordered,30,b sms"),
        (["provider": "c"], "ordered,-,c sms"),
        (
            ["providers": ["b", "a", "calls"], "policy": "weighted", "silence_limit": 30],
            "weighted,30,b sms,a sms,calls voice"
        ),
    ]

    @Test(arguments: Self.changes)
    func aChangeIsOneAndNoMore(change: JSON, expected: String) async throws {
        try await Self.run { system async throws in
            try await system.apply(Self.routes)
            let route = JSON.object([.init("prefix", "+41")] + (change.members ?? []))
            let revision = try await system.store.configurationRevision()
            #expect(try await system.apply(["routes": [route]]).changes == ["route sms +41: set"])
            #expect(try await system.store.configurationRevision() > revision)
            #expect(try await system.apply(["routes": [route]]).changes == [])
            let lines = try await Self.stored(system)
            #expect(lines[1].replacing(" 100<100<100", with: "") == "-,sms,+41,-,-,-," + expected)
            #expect(lines.count == Self.lines.count)
        }
    }

    @Test func aRouteIsTakenAwayByItsPlace() async throws {
        try await Self.run { system async throws in
            try await system.apply(Self.routes)
            let others: [JSON] = [
                ["country": "CA", "remove": true], ["country": "US", "sender": "Acme", "remove": true],
                ["country": "US", "priority": "bulk", "remove": true],
                ["account": "acme", "country": "US", "remove": true],
            ]
            for place in others { #expect(try await system.apply(["routes": [place]]).changes == []) }
            // Wherever it leads, and whoever carries what.
            let removals: JSON = [
                "routes": [
                    ["country": "US", "providers": ["calls", "a"], "remove": true],
                    ["account": "acme", "country": "US", "sender": "Acme", "priority": "otp", "remove": true],
                ]
            ]
            #expect(
                try await system.apply(removals).changes == [
                    "route sms US: removed", "route acme sms US otp of one sender: removed",
                ])
            #expect(try await Self.stored(system) == [Self.lines[0], Self.lines[1], Self.lines[4]])
            #expect(try await system.apply(removals).changes == [])
        }
    }

    private static let many = JSON.array((0...Route.targetLimit).map { .string("p\($0)") })

    /// What the file alone tells.
    private static let bad: [(JSON, [String])] = [
        ([:], ["provider"]), (["providers": []], ["providers"]), (["providers": "a"], ["providers"]),
        (["providers": Self.many], ["providers"]), (["provider": "a", "providers": ["b"]], ["provider"]),
        (["providers": ["a", 5]], ["providers/1"]), (["providers": ["a", "b", "a"]], ["providers/2"]),
        (["providers": ["a", ["name": "a"]]], ["providers/1/name"]), (["providers": [[:]]], ["providers/0/name"]),
        (["providers": [["name": "a", "share": 5]]], ["providers/0/share"]),
        (["providers": [["name": "a", "weight": 5]]], ["providers/0/weight"]),
        (["policy": "weighted", "providers": [["name": "a", "weight": 1001]]], ["providers/0/weight"]),
        (["policy": "weighted", "providers": [["name": "a", "weight": "5"]]], ["providers/0/weight"]),
        (
            ["policy": "weighted", "providers": [["name": "a", "weight": 5, "min_weight": 6]]],
            ["providers/0/min_weight"]
        ),
        (["policy": "weighted", "providers": [["name": "a", "max_weight": 99]]], ["providers/0/max_weight"]),
        (["provider": "a", "policy": "random"], ["policy"]), (["provider": "a", "country": "UK"], ["country"]),
        (["provider": "a", "country": "us"], ["country"]), (["provider": "a", "country": "USA"], ["country"]),
        (["provider": "a", "country": 1], ["country"]), (["provider": "a", "country": "001"], ["country"]),
        (["provider": "a", "country": "US", "prefix": "+1"], ["country"]),
        (["provider": "a", "country": "US", "channel": "email"], ["country"]),
        (["provider": "a", "sender": ""], ["sender"]), (["provider": "a", "priority": "high"], ["priority"]),
        (["provider": "a", "silence_limit": 4], ["silence_limit"]),
        (["provider": "a", "silence_limit": 3601], ["silence_limit"]),
    ]

    @Test(arguments: Self.bad)
    func badRoutesAreRefusedWithTheirPath(route: JSON, paths: [String]) {
        let file: JSON = ["routes": [["prefix": "+7", "provider": "a"], route]]
        let error = #expect(throws: ConfigurationProblems.self) {
            _ = try Configurator.read(file.serialized(), environment: [:])
        }
        #expect(error?.problems.map(\.path) == paths.map { "/routes/1/\($0)" })
    }

    @Test func routesOfOnePlaceStandOnce() {
        let place: [JSON.Member] = [.init("country", "US"), .init("provider", "a")]
        let more: [[JSON.Member]] = [
            [], [.init("priority", "otp")], [.init("sender", "A")], [.init("priority", "bulk")],
            [.init("account", "x")],
            [.init("sender", "A")],
        ]
        let file: JSON = ["routes": .array(more.map { .object(place + $0) })]
        let error = #expect(throws: ConfigurationProblems.self) {
            _ = try Configurator.read(file.serialized(), environment: [:])
        }
        #expect(error?.problems == [JSONProblem("/routes/5", "stands twice")])
    }

    /// What only the database tells: who carries what.
    private static let wrong: [(JSON, String, String)] = [
        (["providers": ["a", "x"]], "providers/1", "there is no such provider"),
        (["providers": [["name": "x"]]], "providers/0/name", "there is no such provider"),
        (["provider": "calls"], "provider", "does not carry sms; those that make calls stand behind the others"),
        (
            ["providers": ["calls", "a"]], "providers/0",
            "does not carry sms; those that make calls stand behind the others"
        ),
        (["providers": ["a", "calls", "b"]], "providers/2", "must stand before those that make calls"),
        (["channel": "voice", "providers": ["calls", "a"]], "providers/1", "does not carry voice"),
        (["channel": "email", "provider": "a"], "provider", "does not carry email"),
        (
            [
                "policy": "weighted",
                "providers": [["name": "a", "weight": 0], ["name": "b", "weight": 0, "max_weight": 9], "calls"],
            ], "providers", "must have one for sms with a weight above 0"
        ),
    ]

    @Test(arguments: Self.wrong)
    func whoCannotCarryIsRefused(route: JSON, path: String, problem: String) async throws {
        try await Self.run { system async throws in
            let error = await #expect(throws: ConfigurationProblems.self) {
                try await system.apply(["routes": [route]])
            }
            #expect(error?.problems == [JSONProblem("/routes/0/\(path)", problem)])
            #expect(try await system.store.directory().routes.isEmpty)
        }
    }
}
