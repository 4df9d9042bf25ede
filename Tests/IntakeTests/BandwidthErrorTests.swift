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
@Suite(.timeLimit(.minutes(3))) struct BandwidthErrorTests {
    private typealias Fixture = BandwidthFixture

    private static let operations = ["messaging", "voice", "verify"]

    private static func path(_ operation: String, _ account: String = Fixture.account) -> String {
        "/api/v1/accounts/\(account)/code/\(operation)"
    }

    private static func body(_ operation: String, _ change: [String: JSON?] = [:]) -> JSON {
        operation == "verify" ? Fixture.guess("123456", change) : Fixture.request(change)
    }

    // MARK: - Who asks

    @Test func whoAsksIsLookedAtFirst() async throws {
        try await Fixture.run { fixture async throws in
            let refused = [
                Fixture.basic("acme:wrong"), Fixture.basic("nobody:acme-password-0123"), Fixture.basic("acme"),
                Fixture.basic(":"), "Basic", "Basic ", "Basic ???", "Bearer wrong-key-0123456789abcdef",
                "Digest \(Fixture.key)", "App \(Fixture.key)", Fixture.key,
            ]
            let paths = Self.operations.map { Self.path($0) } + ["/api/v1", "/api/v1/", "/api/v1/accounts"]
            for path in paths {
                for method in ["POST", "GET", "DELETE"] {
                    for authorization in [nil, ""] {
                        let response = await fixture.ask(
                            method, path, bytes: Array("{".utf8), authorization: authorization)
                        #expect(response.status == 401)
                        #expect(response.fields["WWW-Authenticate"]?.hasPrefix("Basic ") == true)
                    }
                    for authorization in refused {
                        let response = await fixture.ask(
                            method, path, bytes: Array("{".utf8), authorization: authorization)
                        #expect(response.status == 403, "\(authorization)")
                    }
                }
            }
        }
    }

    @Test func everyCredentialIsForItsAccount() async throws {
        try await Fixture.run { fixture async throws in
            let rows: [(authorization: String, account: String, isGood: Bool)] = [
                (Fixture.basic(Fixture.user), Fixture.account, true),
                (Fixture.basic(Fixture.user), Fixture.secondAccount, false),
                (Fixture.basic(Fixture.user), Fixture.strangersAccount, false),
                (Fixture.basic(Fixture.user), "1", false), (Fixture.basic(Fixture.user), "%39900000", true),
                (Fixture.basic(Fixture.secondUser), Fixture.secondAccount, true),
                (Fixture.basic(Fixture.strangersUser), Fixture.account, false),
                // It may do everything but this.
                (Fixture.basic(Fixture.readingUser), Fixture.account, false),
                ("Bearer \(Fixture.key)", Fixture.account, true),
                ("bearer \(Fixture.key)", Fixture.secondAccount, true),
                ("Bearer \(Fixture.key)", Fixture.strangersAccount, false),
                ("Bearer \(Fixture.plainKey)", Fixture.account, true), ("Bearer \(Fixture.plainKey)", "x", true),
            ]
            for (authorization, account, isGood) in rows {
                for operation in Self.operations {
                    let response = await fixture.ask(
                        "POST", Self.path(operation, account), bytes: Self.body(operation).serialized(),
                        authorization: authorization)
                    #expect(response.status == (isGood ? 200 : 403), "\(authorization) \(account) \(operation)")
                }
            }
        }
    }

    // MARK: - What is asked

    @Test func whatIsNotThereIsNotFoundAndOthersPathsAreNotOurs() async throws {
        try await Fixture.run { fixture async throws in
            for path in [
                "/api/v1", "/api/v1/", "/api/v1/accounts/9900000/code", "/api/v1/accounts/9900000/code/sms",
                "/api/v1/accounts/9900000/code/verify/", "/api/v1/accounts//code/verify",
                "/api/v1//9900000/code/verify",
                "/api/v1/accounts/%/code/verify",
            ] {
                let response = await fixture.ask(
                    "POST", path, bytes: [], authorization: Fixture.basic(Fixture.user))
                #expect(response.status == 404, "\(path)")
                #expect(response.error == "Not Found")
            }
            for path in ["/api/v1.0/2fa/request", "/api/v10", "/api", "/api/v2/accounts/9900000/code/verify"] {
                let response = await fixture.base.intake.respond(to: HTTPRequest(method: "POST", path: path))
                #expect(response.json["requestId"] == nil, "\(path)")
            }
        }
    }

    @Test func thereIsButOneMethod() async throws {
        try await Fixture.run { fixture async throws in
            for operation in Self.operations {
                for method in ["GET", "HEAD", "PUT", "DELETE", "post"] {
                    let response = await fixture.ask(
                        method, Self.path(operation), bytes: [], authorization: Fixture.basic(Fixture.user))
                    #expect(response.status == 405)
                    #expect(response.fields["Allow"] == "POST")
                }
            }
        }
    }

    @Test func bodiesThatAreNoObjectsAreRefused() async throws {
        try await Fixture.run { fixture async throws in
            for operation in Self.operations {
                for body in ["", "{", "[]", "5", "null", "{\"to\":1,\"to\":2}", "\u{0}", "to=%2B19195552500"] {
                    let response = await fixture.ask(
                        "POST", Self.path(operation), bytes: Array(body.utf8),
                        authorization: Fixture.basic(Fixture.user))
                    #expect(response.status == 400, "\(operation) \(body)")
                    #expect(response.error?.hasPrefix("The body ") == true)
                }
            }
        }
    }

    @Test(
        arguments: [
            ("to", nil, "to number is required"), ("to", .null, "to number is required"),
            ("to", "19195552500", "to number must be in E.164"), ("to", "+0195552500", "to number must be in E.164"),
            ("to", "", "to number must be in E.164"), ("to", "+1", "to number must be in E.164"),
            ("to", "+1234567890123456", "to number must be in E.164"),
            ("to", "+1 919 555 2500", "to number must be in E.164"),
            ("to", 19_195_552_500, "to number must be a string, not an integer"),
            ("to", "+١٩١٩٥٥٥٢٥٠٠", "to number must be in E.164"),
            ("scope", 5, "scope must be a string, not an integer"),
            ("scope", .string(String(repeating: "s", count: 26)), "scope must have 0 to 25 characters"),
            ("scope", "a\u{0}b", "scope must not hold a NUL"),
            ("applicationId", "", "applicationId must have 1 to 50 characters"),
            (
                "applicationId", .string(String(repeating: "a", count: 51)),
                "applicationId must have 1 to 50 characters"
            ),
            ("applicationId", ["a"], "applicationId must be a string, not an array"),
        ] as [(String, JSON?, String)])
    func whatAllHaveInCommonIsNamed(field: String, value: JSON?, sentence: String) async throws {
        try await Fixture.run { fixture async throws in
            for operation in Self.operations {
                let response = await fixture.ask(operation, Self.body(operation, [field: value]))
                #expect(response.status == 400, "\(operation)")
                #expect(response.error?.hasPrefix(sentence) == true, "\(operation): \(response.text)")
            }
            #expect(try await fixture.base.stored == 0)
            #expect(try await fixture.base.system.count("SELECT count(*) FROM recipient_failures") == 0)
        }
    }

    @Test(
        arguments: [
            ("from", nil, "from number is required"), ("from", "Shop", "from number must be in E.164"),
            ("from", "+12345678901234567890", "from number must be in E.164"),
            ("applicationId", nil, "applicationId is required"), ("message", "", "message must contain {CODE}"),
            ("message", "Your code is {code}", "message must contain {CODE}"),
            ("message", 5, "message must be a string"),
            (
                "message", .string("{CODE}" + String(repeating: "m", count: 2043)),
                "message must have 0 to 2048 characters"
            ),
            ("digits", 3, "digits must be an integer between 4 and 8"),
            ("digits", 9, "digits must be an integer between 4 and 8"),
            ("digits", 6.5, "digits must be an integer between 4 and 8"),
            ("digits", "6", "digits must be an integer between 4 and 8"),
            ("digits", true, "digits must be an integer between 4 and 8"),
            ("to", "+123456", "to number must have 7 digits at least"),
            ("to", "+4179302672", "to number cannot be reached"),
        ] as [(String, JSON?, String)])
    func whatACodeIsAskedForWithIsNamed(field: String, value: JSON?, sentence: String) async throws {
        try await Fixture.run { fixture async throws in
            for operation in ["messaging", "voice"] {
                let response = await fixture.send([field: value], by: operation)
                #expect(response.status == 400, "\(operation)")
                #expect(response.error?.hasPrefix(sentence) == true, "\(operation): \(response.text)")
            }
            #expect(try await fixture.base.stored == 0)
            #expect(try await fixture.base.system.count("SELECT count(*) FROM scoped_codes") == 0)
        }
    }

    @Test func aNumberThatHasOptedOutGetsNothing() async throws {
        try await Fixture.run { fixture async throws in
            let number: JSON = ["to": .string(Fixture.number)]
            let added = await fixture.base.post("/v1/opt-outs", number, key: Fixture.key)
            #expect(added.json == ["added": true])
            for operation in ["messaging", "voice"] {
                let response = await fixture.send(by: operation)
                #expect(response.status == 400 && response.error == "to number has opted out", "\(response.text)")
            }
            #expect(try await fixture.base.system.count("SELECT count(*) FROM messages") == 0)
            #expect(await fixture.send(["to": "+19195552501"]).status == 200)
            _ = await fixture.base.post("/v1/opt-outs/remove", number, key: Fixture.key)
            #expect(await fixture.send().status == 200)
        }
    }

    /// There is a route to it, and nobody can have it.
    @Test func aNumberThatCannotExistIsNeitherCalledNorPaidFor() async throws {
        try await Fixture.run { fixture async throws in
            let response = await fixture.send(["to": "+1919555250"])
            #expect(response.status == 400)
            #expect(response.error?.hasPrefix("to number cannot be reached: ") == true, "\(response.text)")
            #expect(try await fixture.base.system.count("SELECT count(*) FROM messages") == 0)
        }
    }

    @Test func textsThatBecomeTooLongAndCallbacksThatAreNoneAreNamed() async throws {
        try await Fixture.run { fixture async throws in
            let long = "{CODE}" + String(repeating: "é", count: 2042)
            #expect(
                await fixture.send(["message": .string(long)]).error?.hasPrefix("message becomes 14 segments") == true)
            #expect(await fixture.send(["message": .string(long)], by: "voice").status == 200)
            for url in [
                "ftp://shop.example", "shop.example/a", "https://", "https://a b", "", "https://u:p@shop.example",
                "http://shop.example", "https://127.0.0.1/", "https://shop.example:22/",
            ] {
                let response = await fixture.send(["callbackUrl": .string(url)])
                #expect(response.status == 400 && response.error?.hasPrefix("callbackUrl ") == true, "\(url)")
            }
            #expect(await fixture.send(["callbackUrl": 5]).error == "callbackUrl must be a string, not an integer")
            #expect(try await fixture.base.system.count("SELECT count(*) FROM endpoints") == 0)
        }
    }

    @Test(
        arguments: [
            ("code", nil, "code is required"), ("code", "123", "code must be a string of 4 to 8 characters"),
            ("code", "123456789", "code must be a string of 4 to 8 characters"),
            ("code", true, "code must be a string of 4 to 8 characters"),
            ("expirationTimeInMinutes", nil, "expirationTimeInMinutes is required"),
            ("expirationTimeInMinutes", 0, "expirationTimeInMinutes must be a number greater than 0"),
            ("expirationTimeInMinutes", -1, "expirationTimeInMinutes must be a number greater than 0"),
            ("expirationTimeInMinutes", 15.01, "expirationTimeInMinutes must be a number greater than 0"),
            ("expirationTimeInMinutes", 16, "expirationTimeInMinutes must be a number greater than 0"),
            ("expirationTimeInMinutes", "3", "expirationTimeInMinutes must be a number greater than 0"),
        ] as [(String, JSON?, String)])
    func whatACodeIsLookedAtWithIsNamed(field: String, value: JSON?, sentence: String) async throws {
        try await Fixture.run { fixture async throws in
            let response = await fixture.verify("123456", [field: value])
            #expect(response.status == 400)
            #expect(response.error?.hasPrefix(sentence) == true, "\(response.text)")
            #expect(try await fixture.base.system.count("SELECT count(*) FROM recipient_failures") == 0)
        }
    }

    // MARK: - What goes wrong

    @Test func aDatabaseThatIsAwayIsToldInTheVendorsForm() async throws {
        try await withOwnServer { server in
            var configuration = ConnectionPool.Configuration(url: server.url, limit: 4)
            configuration.connectTimeout = .milliseconds(900)
            configuration.acquireTimeout = .seconds(1)
            let system = TestSystem(
                url: server.url, pool: ConnectionPool(configuration, poller: TestDatabase.poller))
            _ = try await system.store.migrate(try Migration.all(in: TestSystem.migrations))
            try await Fixture.run(on: system) { fixture async throws in
                #expect(await fixture.send().status == 200)
                try await server.stop(.immediate)
                for operation in Self.operations {
                    let response = await fixture.ask(operation, Self.body(operation))
                    #expect(response.status == 503)
                    #expect(response.fields["Retry-After"] == "1")
                }
                // What needs no database is told as before.
                #expect(await fixture.send(["to": nil]).status == 400)
            }
        }
    }

    @Test(arguments: [400, 408, 413, 414, 431, 500, 503])
    func theWebServersRefusalsHaveTheFormToo(status: Int) {
        for path in ["/api/v1", "/api/v1/accounts/9900000/code/verify"] {
            let response = Intake.refusal(status, path: path)
            #expect(response.status == status)
            #expect(response.error?.isEmpty == false)
            #expect(response.json["requestId"]?.string?.utf8.count == 36)
            #expect(response.fields["Retry-After"] == nil)
        }
        #expect(Intake.refusal(status, path: "/api/v1.0/2fa/request").json["requestId"] == nil)
    }
}
