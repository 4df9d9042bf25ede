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

    /// The fields of an application, of a template of it, and what is wrong with them.
    private static let badApplications: [(JSON, [String])] = [
        ([:], ["id"]), (["id": ""], ["id"]), (["id": "a/b"], ["id"]), (["id": "ä"], ["id"]), (["id": 5], ["id"]),
        (["id": .string(String(repeating: "a", count: 65))], ["id"]), (["id": "a", "name": " "], ["name"]),
        (["id": "a", "time_to_live": "5x"], ["time_to_live"]), (["id": "a", "time_to_live": "366d"], ["time_to_live"]),
        (["id": "a", "check_limit": "1/2d"], ["check_limit"]), (["id": "a", "check_limit": "0/1s"], ["check_limit"]),
        (["id": "a", "application_send_limit": "x"], ["application_send_limit"]),
        (["id": "a", "recipient_send_limit": 3], ["recipient_send_limit"]),
        (["id": "a", "resend_cooldown": "2d", "send_limit": 0], ["send_limit", "resend_cooldown"]),
        (["id": "a", "attempt_limit": 101, "enabled": "no"], ["enabled", "attempt_limit"]),
        (["id": "a", "pinAttempts": 3], ["pinAttempts"]), (["id": "a", "templates": [:]], ["templates"]),
        (["id": "a", "templates": [5]], ["templates/0"]),
    ]

    @Test(arguments: Self.badApplications)
    func badApplicationsAreRefusedWithTheirPath(application: JSON, paths: [String]) {
        let file: JSON = ["accounts": [["name": "acme", "applications": [["id": "good"], application]]]]
        #expect(self.problems(file) == paths.map { "/accounts/0/applications/1/\($0)" })
    }

    private static let badTemplates: [(JSON, [String])] = [
        (["text": "{{pin}}"], ["id"]), (["id": "t", "kind": "fax", "text": 5], ["kind"]),
        (["id": "t", "text": "no code"], ["text"]), (["id": "t", "text": "{{ PIN }}"], ["text"]),
        (["id": "t", "text": ""], ["text"]), (["id": "t", "code_length": 9], ["code_length"]),
        (["id": "t", "code_length": 0, "code_type": "GREEK"], ["code_type", "code_length"]),
        (["id": "t", "sender": "longer than fifteen"], ["sender"]), (["id": "t", "language": "tlh"], ["language"]),
        (["id": "t", "speech_rate": 3], ["speech_rate"]), (["id": "t", "subject": "for e-mails"], ["subject"]),
        (["id": "t", "india_dlt": [:]], ["india_dlt/principal_entity_id"]),
        (["id": "t", "kind": "email", "subject": "two\nlines"], ["subject"]),
        (["id": "t", "kind": "email", "voice": "Joana"], ["voice"]),
        (["id": "t", "kind": "email", "email_content": 0], ["email_content"]),
        // Whatever it is called, a placeholder is a placeholder.
        (["id": "t", "text": "{{pin}} {{pins}} {{PIN}}"], []),
    ]

    @Test(arguments: Self.badTemplates)
    func badTemplatesAreRefusedWithTheirPath(template: JSON, paths: [String]) {
        let application: JSON = ["id": "a", "templates": [["id": "good"], template]]
        let file: JSON = ["accounts": [["name": "acme", "applications": [application]]]]
        #expect(self.problems(file) == paths.map { "/accounts/0/applications/0/templates/1/\($0)" })
    }

    private static let badCredentials: [(JSON, [String])] = [
        ([:], ["vendor"]), (["vendor": "bind", "key": "k"], ["vendor"]), (["vendor": "x"], ["vendor"]),
        (["vendor": "infobip"], ["username", "password"]),
        (["vendor": "infobip", "username": "a:b", "password": ""], ["username", "password"]),
        (["vendor": "infobip", "username": "a", "password": ["env": "NONE"]], ["password"]),
        (["vendor": "infobip", "username": "a", "password": "p", "account": "1"], ["account"]),
        (["vendor": "bandwidth", "username": "a", "password": "p"], ["account"]),
        (["vendor": "nexmo", "api_key": "k", "api_secret": "s", "signature_method": "sha256"], ["signature_method"]),
        (
            [
                "vendor": "nexmo", "api_key": "k", "api_secret": "s", "signature_secret": "s",
                "signature_method": "sha3",
            ], ["signature_method"]
        ), (["vendor": "infobip", "username": "a", "password": "p", "scopes": ["all"]], ["scopes"]),
        (["vendor": "infobip", "username": "a", "password": "p", "revoked": 1], ["revoked"]),
    ]

    @Test(arguments: Self.badCredentials)
    func badCredentialsAreRefusedWithTheirPath(credential: JSON, paths: [String]) {
        let file: JSON = ["accounts": [["name": "acme", "credentials": [credential]]]]
        #expect(self.problems(file) == paths.map { "/accounts/0/credentials/0/\($0)" })
    }

    @Test func idsAndNumbersAndNamesStandOnce() {
        let content: JSON = ["number": 7, "subject": "s", "text": "{{pin}}"]
        let credential: JSON = ["vendor": "infobip", "username": "u", "password": "p"]
        let application: JSON = ["id": "a", "templates": [["id": "t"]]]
        let file: JSON = [
            "accounts": [
                [
                    "name": "a", "email_contents": [content, content, ["number": 0], ["number": 8, "subject": "s"]],
                    "applications": [
                        application, ["id": "a"], ["id": "b", "templates": [["id": "u"], ["id": "t"]]],
                    ], "credentials": [credential],
                ],
                [
                    "name": "b", "email_contents": [content], "applications": [application],
                    "credentials": [
                        ["vendor": "bandwidth", "account": "1", "username": "u", "password": "p"], credential,
                    ],
                ],
            ]
        ]
        let contents = "/accounts/0/email_contents"
        let expected: Set = [
            "\(contents)/1/number", "\(contents)/2/number", "\(contents)/2/subject", "\(contents)/2/text",
            "\(contents)/3/text", "/accounts/0/applications/1/id", "/accounts/0/applications/2/templates/1/id",
            "/accounts/1/credentials/1/username",
        ]
        #expect(Set(self.problems(file)) == expected)
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
