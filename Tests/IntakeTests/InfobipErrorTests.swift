import Crypto
import HTTP
import Intake
import JSON
import Postgres
import PostgresServer
import Store
import Telemetry
import TestDatabase
import TestSystem
import Testing

/// Every failure below the vendor's prefix, in the vendor's words.
@Suite(.timeLimit(.minutes(3))) struct InfobipErrorTests {
    @Test func theKeyIsLookedAtFirst() async throws {
        try await InfobipFixture.run { fixture async throws in
            let refused = [
                "App wrong-key-0123456789abcdef", "App", "App ", "Digest \(InfobipFixture.key)", InfobipFixture.key,
                "Basic \(Base64.encode(Array("name:password".utf8)))", "Basic ???", "",
            ]
            for authorization in refused.map(Optional.some) + [nil] {
                for target in ["/2fa/2/applications", "/2fa/2/pin", "/2fa/nothing", "/2fa"] {
                    for method in ["GET", "POST", "DELETE"] {
                        let response = await fixture.ask(
                            method, target, bytes: Array("{".utf8), authorization: authorization)
                        #expect(response.status == 401)
                        #expect(
                            response.text
                                == #"{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"Unauthorized"}}}"#
                        )
                    }
                }
            }
            for scheme in ["App", "app", "APP", "Bearer", "IBSSO", "ibsso"] {
                #expect(await fixture.ask("GET", "/2fa/2/applications", scheme: scheme).status == 200)
            }
        }
    }

    @Test func aKeyNeedsTheScopeOfItsOperation() async throws {
        typealias Fixture = InfobipFixture
        let (id, app) = (Fixture.nobody, "/2fa/2/applications/\(Fixture.nobody)")
        let operations: [(method: String, target: String, allowed: Set<String>)] = [
            ("GET", "/2fa/2/applications", [Fixture.managingKey, Fixture.readingKey]),
            ("POST", "/2fa/2/applications", [Fixture.managingKey]),
            ("GET", app, [Fixture.managingKey, Fixture.readingKey]), ("PUT", app, [Fixture.managingKey]),
            ("GET", "\(app)/messages", [Fixture.managingKey, Fixture.readingKey]),
            ("POST", "\(app)/messages", [Fixture.managingKey]),
            ("GET", "\(app)/messages/\(id)", [Fixture.managingKey, Fixture.readingKey]),
            ("PUT", "\(app)/messages/\(id)", [Fixture.managingKey]),
            ("POST", "\(app)/email/messages", [Fixture.managingKey]),
            ("PUT", "\(app)/email/messages/\(id)", [Fixture.managingKey]),
            ("GET", "\(app)/verifications", [Fixture.verifyingKey, Fixture.readingKey]),
            ("POST", "/2fa/2/pin", [Fixture.verifyingKey]), ("POST", "/2fa/2/pin/voice", [Fixture.verifyingKey]),
            ("POST", "/2fa/2/pin/email", [Fixture.verifyingKey]),
            ("POST", "/2fa/2/pin/\(id)/resend", [Fixture.verifyingKey]),
            ("POST", "/2fa/2/pin/\(id)/verify", [Fixture.verifyingKey]),
            ("GET", "/2fa/1/pin/\(id)/status", [Fixture.verifyingKey, Fixture.readingKey]),
        ]
        try await InfobipFixture.run { fixture async throws in
            let keys = [Fixture.readingKey, Fixture.verifyingKey, Fixture.managingKey, Fixture.sendingKey]
            for operation in operations {
                for key in keys {
                    let response = await fixture.ask(operation.method, operation.target, key: key)
                    #expect(
                        (response.status == 403) != operation.allowed.contains(key),
                        "\(operation.method) \(operation.target) with \(key)")
                    if response.status == 403 { #expect(response.messageID == "FORBIDDEN") }
                }
            }
        }
    }

    @Test func whatIsNotThereIsNotFoundAndMethodsAreNamed() async throws {
        try await InfobipFixture.run { fixture async throws in
            for target in ["/2fa", "/2fa/2/", "/2fa/2/pins", "/2fa/1/api-key", "/2fa/2/applications/%00"] {
                let response = await fixture.ask("POST", target)
                #expect(response.status == 404)
                #expect(response.messageID == "NOT_FOUND")
            }
            for (method, target, allow) in [
                ("DELETE", "/2fa/2/applications/A", "GET, PUT"), ("PUT", "/2fa/2/applications", "GET, POST"),
                ("GET", "/2fa/2/pin", "POST"), ("POST", "/2fa/2/applications/A/verifications", "GET"),
            ] {
                let response = await fixture.ask(method, target)
                #expect(response.status == 405)
                #expect(response.fields["Allow"] == allow)
            }
            #expect(await fixture.ask("HEAD", "/2fa/2/applications").status == 200)
        }
    }

    @Test func bodiesThatAreNoObjectsAreRefused() async throws {
        try await InfobipFixture.run { fixture async throws in
            let targets = [
                ("POST", "/2fa/2/applications"), ("PUT", "/2fa/2/applications/A"),
                ("POST", "/2fa/2/applications/A/messages"), ("PUT", "/2fa/2/applications/A/messages/M"),
                ("POST", "/2fa/2/applications/A/email/messages"), ("PUT", "/2fa/2/applications/A/email/messages/M"),
                ("POST", "/2fa/2/pin"), ("POST", "/2fa/2/pin/voice"), ("POST", "/2fa/2/pin/email"),
                ("POST", "/2fa/2/pin/\(InfobipFixture.nobody)/resend"),
                ("POST", "/2fa/2/pin/\(InfobipFixture.nobody)/verify"),
            ]
            for (method, target) in targets {
                for body in ["{", "[]", "5", "null", "{\"a\":1,\"a\":2}", "\u{0}"] {
                    let response = await fixture.ask(
                        method, target, bytes: Array(body.utf8), authorization: "App \(InfobipFixture.key)")
                    #expect(response.status == 400, "\(method) \(target) \(body)")
                    #expect(response.messageID == "BAD_REQUEST")
                }
            }
        }
    }

    @Test func fieldsAreNamedWithDots() async throws {
        try await InfobipFixture.run { fixture async throws in
            let app = "/2fa/2/applications/A"
            let rows: [(String, String, JSON, [String])] = [
                ("POST", "/2fa/2/applications", [:], ["name"]),
                ("POST", "/2fa/2/applications", ["name": "  "], ["name"]),
                (
                    "POST", "/2fa/2/applications",
                    [
                        "name": 5, "enabled": "yes",
                        "configuration": [
                            "pinAttempts": 0, "pinTimeToLive": "5x", "verifyPinLimit": "1/2d",
                            "sendPinPerApplicationLimit": "x", "sendPinPerPhoneNumberLimit": "0/1d",
                            "allowMultiplePinVerifications": 1,
                        ],
                    ],
                    [
                        "name", "enabled", "configuration.pinAttempts",
                        "configuration.allowMultiplePinVerifications", "configuration.pinTimeToLive",
                        "configuration.verifyPinLimit", "configuration.sendPinPerApplicationLimit",
                        "configuration.sendPinPerPhoneNumberLimit",
                    ]
                ),
                ("POST", "/2fa/2/applications", ["name": "a", "configuration": 5], ["configuration"]),
                // What is wrong is told before what is missing.
                ("PUT", app, ["configuration": ["pinTimeToLive": "2y"]], ["configuration.pinTimeToLive"]),
                ("POST", "\(app)/messages", [:], ["pinType", "messageText"]),
                ("POST", "\(app)/messages", ["pinType": "NUMERIC", "messageText": "no mark"], ["messageText"]),
                (
                    "POST", "\(app)/messages",
                    [
                        "pinType": "DIGITS", "messageText": "{{pin}}", "pinLength": 9, "speechRate": 3,
                        "language": "xx", "repeatDTMF": "12", "regional": ["indiaDlt": [:]],
                    ],
                    [
                        "pinType", "pinLength", "language", "repeatDTMF", "speechRate",
                        "regional.indiaDlt.principalEntityId",
                    ]
                ),
                ("PUT", "\(app)/messages/M", ["pinLength": 0], ["pinLength"]),
                ("POST", "\(app)/email/messages", [:], ["emailTemplateId"]),
                ("PUT", "\(app)/email/messages/M", ["emailTemplateId": "x"], ["emailTemplateId"]),
                ("POST", "/2fa/2/pin", [:], ["applicationId", "messageId", "to"]),
                ("POST", "/2fa/2/pin?ncNeeded=maybe", [:], ["ncNeeded"]),
                ("POST", "/2fa/2/pin/\(InfobipFixture.nobody)/verify", [:], ["pin"]),
                ("POST", "/2fa/2/pin/\(InfobipFixture.nobody)/verify", ["pin": ""], ["pin"]),
                ("POST", "/2fa/2/pin/\(InfobipFixture.nobody)/verify", ["pin": true], ["pin"]),
                ("POST", "/2fa/2/pin/0933f3bc087d2a617ac6dcb2ef5b8a61/verify", ["pin": "1"], ["pinId"]),
                ("POST", "/2fa/2/pin/1234567/verify", ["pin": "1"], ["pinId"]),
                ("POST", "/2fa/2/pin/1234567/resend", [:], ["pinId"]),
                ("GET", "/2fa/2/pin/1234567/status", [:], ["pinId"]), ("GET", "\(app)/verifications", [:], ["msisdn"]),
                ("GET", "\(app)/verifications?msisdn=x", [:], ["msisdn"]),
                ("GET", "\(app)/verifications?msisdn=41793026727&verified=x", [:], ["verified"]),
            ]
            for (method, target, body, names) in rows {
                let response = await fixture.ask(method, target, body)
                #expect(response.status == 400, "\(method) \(target) \(body)")
                #expect(response.messageID == "BAD_REQUEST")
                #expect(response.exception?["text"] == "Bad request")
                #expect(response.invalid == names, "\(method) \(target) \(body)")
            }
        }
    }

    @Test func recipientsAreRefusedByTheirForm() async throws {
        try await InfobipFixture.run { fixture async throws in
            let rows: [(String, JSON)] = [
                ("pin", "0041793026727"), ("pin", "41 79 302 67 27"), ("pin", "12"), ("pin", "+"), ("pin", ""),
                ("pin", 41_793_026_727), ("pin", "john.smith@example.com"), ("pin/voice", "++41793026727"),
                ("pin/email", "41793026727"), ("pin/email", "john@"), ("pin/email", "a@b.example,c@d.example"),
            ]
            for (path, to) in rows {
                let body: JSON = ["applicationId": "A", "messageId": "M", "to": to]
                #expect(await fixture.ask("POST", "/2fa/2/\(path)", body).invalid == ["to"], "\(path) \(to)")
            }
        }
    }

    @Test func aDatabaseThatIsAwayIsToldInTheEnvelope() async throws {
        try await withOwnServer { server in
            var configuration = ConnectionPool.Configuration(url: server.url, limit: 4)
            configuration.connectTimeout = .milliseconds(900)
            configuration.acquireTimeout = .seconds(1)
            let system = TestSystem(
                url: server.url, pool: ConnectionPool(configuration, poller: TestDatabase.poller))
            _ = try await system.store.migrate(try Migration.all(in: TestSystem.migrations))
            try await InfobipFixture.run(on: system) { fixture async throws in
                let application = try await fixture.makeApplication()
                let message = try await fixture.makeMessage(application)
                let pin = try await fixture.start(application, message)
                try await server.stop(.immediate)
                let reads = [
                    await fixture.ask("GET", "/2fa/2/applications"),
                    await fixture.ask("PUT", "/2fa/2/applications/\(application)", ["name": "b"]),
                ]
                let writes = [
                    await fixture.send(application, message), await fixture.verify(pin, "1234"),
                    await fixture.ask("POST", "/2fa/2/pin/\(pin)/resend"),
                ]
                for response in reads + writes {
                    #expect(response.status == 503)
                    #expect(response.messageID == "SERVICE_UNAVAILABLE")
                }
                // The vendor's client would sleep on it, and repeat the others in silence.
                #expect(reads.allSatisfy { $0.fields["Retry-After"] == nil })
                #expect(writes.allSatisfy { $0.fields["Retry-After"] == "1" })
            }
        }
    }

    @Test(arguments: [400, 408, 413, 414, 431, 500, 503])
    func theWebServersRefusalsHaveTheEnvelopeToo(status: Int) {
        let response = Intake.refusal(status, path: "/2fa/2/pin")
        #expect(response.status == status)
        #expect(response.messageID != nil)
        #expect(response.fields["Retry-After"] == nil)
        for path in ["/v1/messages", nil] {
            let other = Intake.refusal(status, path: path)
            #expect(other.status == status)
            #expect(other.fields["Content-Type"] == "application/problem+json")
        }
    }
}
