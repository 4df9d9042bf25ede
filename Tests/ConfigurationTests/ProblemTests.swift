import Crypto
import JSON
import Testing

@testable import Configuration

/// What is wrong with a file, found without a database.
@Suite struct ProblemTests {
    private func problems(_ json: JSON, environment: [String: String] = [:]) -> [String] {
        do throws(ConfigurationProblems) {
            _ = try Configurator.read(json.serialized(), environment: environment)
            return []
        } catch {
            return error.problems.map(\.path)
        }
    }

    private static let key = "acme-all-0123456789abcdef"

    @Test func everyProblemIsToldAtOnceWithItsPath() {
        let file: JSON = [
            "acounts": [],
            "accounts": [
                ["name": "acme", "keys": [["name": "main", "key": "short"], ["scopes": ["send"]]]],
                ["name": "a b", "colour": "red"], ["name": "acme"], 5,
                ["name": "late", "keys": [["name": "k", "expires_at": "tomorrow", "revoked": "yes"]]],
                ["name": "scopes", "keys": [["name": "k", "scopes": ["rule"]], ["name": "l", "scopes": []]]],
            ],
            "providers": [
                ["name": "v", "kind": "vonage-sms", "credentials": ["api_key": "k"]],
                ["name": "i", "kind": "infobip-sms"],
                ["name": "x", "kind": "carrier-pigeon"], ["name": "n"],
                ["name": "d", "kind": "discard", "in_flight": 0, "per_second": 1.5, "timeout": 61, "enabled": 1],
                ["name": "e", "kind": "discard", "credentials": ["a": ["env": "NO_SUCH"]], "settings": ["a": 1]],
            ],
            "routes": [
                ["channel": "fax", "prefix": "+5", "provider": "v"], ["prefix": "41", "provider": "v"],
                ["prefix": "+0", "provider": "v"],
                ["channel": "sms"], ["prefix": "+6", "provider": "v", "remove": "yes"],
                ["channel": "email", "prefix": "+41", "provider": "v"],
            ],
        ]
        let expected: Set = [
            "/acounts", "/accounts/0/keys/0/key", "/accounts/0/keys/1/name", "/accounts/1/name", "/accounts/1/colour",
            "/accounts/2/name", "/accounts/3", "/accounts/4/keys/0/expires_at", "/accounts/4/keys/0/revoked",
            "/accounts/5/keys/0/scopes", "/accounts/5/keys/1/scopes", "/providers/0", "/providers/1/url",
            "/providers/2/kind", "/providers/3/kind", "/providers/4/in_flight", "/providers/4/per_second",
            "/providers/4/timeout", "/providers/4/enabled", "/providers/5/credentials/a", "/providers/5/settings",
            "/routes/0/channel", "/routes/1/prefix", "/routes/2/prefix", "/routes/3/provider", "/routes/4/remove",
            "/routes/5/prefix",
        ]
        #expect(Set(self.problems(file)) == expected)
    }

    @Test func whatIsNoJSONIsToldItsPosition() {
        do throws(ConfigurationProblems) {
            _ = try Configurator.read(Array("{\n \"accounts\": [}".utf8), environment: [:])
            Issue.record("was read")
        } catch {
            #expect(error.description.contains("line 2"))
        }
        #expect(self.problems([]) == [""])
        #expect(self.problems("text") == [""])
        #expect(self.problems([:]) == [])
    }

    @Test func listsMustBeLists() {
        let file: JSON = ["accounts": [:], "providers": "x", "routes": 1]
        #expect(self.problems(file) == ["/accounts", "/providers", "/routes"])
        #expect(self.problems(["accounts": [["name": "a", "keys": [:]]]]) == ["/accounts/0/keys"])
    }

    @Test func whatStandsTwiceIsRefused() {
        let route: JSON = ["prefix": "+41", "provider": "v"]
        let file: JSON = [
            "accounts": [
                ["name": "a", "keys": [["name": "k"], ["name": "k"]]],
                ["name": "b", "keys": [["name": "k", "key": .string(Self.key)]]],
                ["name": "c", "keys": [["name": "k"], ["name": "l", "key": .string(Self.key)]]],
            ],
            "providers": [["name": "p", "kind": "discard"], ["name": "p", "kind": "discard"]],
            "routes": [
                route, ["prefix": "+42", "provider": "v"], ["account": "a", "prefix": "+41", "provider": "v"],
                ["prefix": "+41", "channel": "voice", "provider": "v"], ["prefix": "+41", "provider": "w"],
                ["channel": "sms", "prefix": "+41", "remove": true],
            ],
        ]
        let expected = [
            "/accounts/0/keys/1/name", "/accounts/2/keys/1/key", "/providers/1/name", "/routes/4", "/routes/5",
        ]
        #expect(self.problems(file).sorted() == expected)
    }

    @Test func secretsComeFromTheEnvironment() throws {
        let file: JSON = [
            "accounts": [["name": "a", "keys": [["name": "k", "key": ["env": "KEY"]]]]],
            "providers": [
                [
                    "name": "v", "kind": "vonage-sms",
                    "credentials": [
                        "api_key": "abcd1234", "api_secret": ["env": "SECRET"], "receipt_token": ["env": "TOKEN"],
                    ],
                ]
            ],
        ]
        let environment = ["KEY": Self.key, "SECRET": "s3cret", "TOKEN": "receipts-0123456789"]
        let read = try Configurator.read(file.serialized(), environment: environment)
        #expect(read.accounts[0].keys[0].secret?.text == Self.key)
        #expect(read.providers[0].credentials["api_secret"]?.text == "s3cret")

        #expect(
            self.problems(file).prefix(3) == [
                "/accounts/0/keys/0/key", "/providers/0/credentials/api_secret",
                "/providers/0/credentials/receipt_token",
            ])
        #expect(
            self.problems(file, environment: environment.merging(["SECRET": ""]) { $1 }).first?.hasSuffix("api_secret")
                == true)
        for bad: JSON in [["env": 1], ["env": "KEY", "x": 1], ["file": "KEY"], 5, nil, []] {
            let file: JSON = ["accounts": [["name": "a", "keys": [["name": "k", "key": bad]]]]]
            #expect(self.problems(file, environment: environment) == ["/accounts/0/keys/0/key"], "\(bad.text)")
        }
    }

    @Test func noProblemTellsASecret() {
        let file: JSON = [
            "accounts": [["name": "a", "keys": [["name": "k", "key": "s3cret but no key"]]]],
            "providers": [
                [
                    "name": "v", "kind": "vonage-sms",
                    "credentials": ["api_key": "s3cret", "api_secrett": "s3cret\u{1}"],
                ]
            ],
        ]
        do throws(ConfigurationProblems) {
            _ = try Configurator.read(file.serialized(), environment: [:])
            Issue.record("was read")
        } catch {
            #expect(!"\(error)".contains("s3cret"))
            #expect(error.problems.count >= 3)
        }
    }
}
