import HTTP
import JSON
import Messaging
import Postgres
import PostgresServer
import Store
import TestDatabase
import TestSystem
import Testing

@testable import Intake

@Suite(.timeLimit(.minutes(3))) struct BindTests {
    @Test(arguments: ["/v1.0", "/api/v1.0"]) func aCodeIsSentAndRightOnce(prefix: String) async throws {
        try await BindFixture.run { fixture async throws in
            let body: JSON = [
                "to": .string(BindFixture.number), "template_id": .string(BindFixture.template),
                "parameters": ["firstName": "John", "pin": "Doe", "lastName": "ignored", "code": "9", "a b": "9"],
            ]
            let sent = await fixture.ask("POST", "\(prefix)/2fa/request", body)
            let id = try #require(sent.json["request_id"]?.string, "\(sent.text)")
            #expect(VerificationID(id)?.description == id)
            #expect(sent.status == 200)
            #expect(sent.json == ["status": "ACCEPTED", "request_id": .string(id), "error_message": "OK"])
            let code = try await fixture.code(of: id)
            #expect(try await fixture.text(of: id) == "Hello John Doe, your code is \(code)")
            let rows: [(String, Int, JSON)] = [
                (InfobipFixture.wrong(code), 200, ["verified": false, "status": "not_matched"]),
                (" \(code) ", 200, ["verified": true, "status": "success"]),
                // The application would have it right again.
                (code, 404, ["verified": false, "status": "not_found"]),
            ]
            for (typed, status, answer) in rows {
                let body: JSON = ["code": .string(typed), "request_id": .string(id.uppercased())]
                let response = await fixture.ask("POST", "\(prefix)/2fa/validate", body)
                #expect(response.status == status)
                #expect(response.json == answer)
            }
        }
    }

    @Test func theTemplatesOfTheAccountAreToldInTheVendorsMarks() async throws {
        try await BindFixture.run { fixture async throws in
            for prefix in ["/v1.0", "/api/v1.0"] {
                let response = await fixture.ask("GET", "\(prefix)/2fa/template")
                #expect(response.status == 200)
                #expect(
                    response.json == [
                        "data": [
                            [
                                "id": .string(BindFixture.template), "name": .string(BindFixture.template),
                                "from": "", "text": "Hello ${firstName} ${pin}, your code is ${code}", "ttl": 300,
                            ],
                            [
                                "id": "login", "name": "login", "from": "YourCompany",
                                "text": "Your code is ${code}", "ttl": 300,
                            ],
                            ["id": "closed", "name": "closed", "from": "", "text": "${code}", "ttl": 300],
                            ["id": "rare", "name": "rare", "from": "", "text": "${code}", "ttl": 2],
                            ["id": "slow", "name": "slow", "from": "", "text": "${code}", "ttl": 300],
                        ]
                    ])
            }
        }
    }

    @Test func whatIsAskedForIsRejectedWith200() async throws {
        try await BindFixture.run { fixture async throws in
            _ = try await fixture.start("rare")
            let plain = BindFixture.plain
            let rows: [(template: String, to: String, parameters: JSON?, String)] = [
                (plain, "", nil, "DESTINATION_ADDRESS_INVALID"),
                (plain, "44791618", nil, "DESTINATION_ADDRESS_INVALID"),
                (plain, "4479161885680000", nil, "DESTINATION_ADDRESS_INVALID"),
                (plain, "+447916188568", nil, "DESTINATION_ADDRESS_INVALID"),
                (plain, "047916188568", nil, "DESTINATION_ADDRESS_INVALID"),
                (plain, "44791618856x", nil, "DESTINATION_ADDRESS_INVALID"),
                ("nobody", BindFixture.number, nil, "TEMPLATE_NOT_FOUND"),
                ("", BindFixture.number, nil, "TEMPLATE_NOT_FOUND"),
                ("theirs", BindFixture.number, nil, "TEMPLATE_NOT_FOUND"),
                ("mail", BindFixture.number, nil, "TEMPLATE_NOT_FOUND"),
                // Longer than any number of the country; of a country that there is not; without a route.
                (plain, "4479161885680", nil, "ROUTING_FILTER_INVALID_LENGTH"),
                (plain, "999123456789", nil, "ROUTING_PREFIX_FILTER_INVALID_NUMBER"),
                (plain, "33612345678", nil, "ROUTING_PREFIX_FILTER_INVALID_NUMBER"),
                ("closed", BindFixture.number, nil, "GENERAL_ERROR"),
                (BindFixture.template, BindFixture.number, nil, "GENERAL_ERROR"),
                (BindFixture.template, BindFixture.number, ["firstName": "A", "code": "B"], "GENERAL_ERROR"),
            ]
            for row in rows {
                let response = await fixture.request(row.template, to: row.to, row.parameters)
                #expect(response.isRejected(row.3), "\(row): \(response.text)")
            }
            let limited = await fixture.request("rare", to: BindFixture.number)
            #expect(limited.isRejected("GENERAL_ERROR", 429) && limited.fields["Retry-After"] != nil)
            #expect(BindError(.outOfBalance).response(to: "POST").isRejected("OUT_OF_BALANCE"))
            #expect(try await fixture.base.stored == 1)
        }
    }

    @Test func numbersAreLookedUpWhereThatIsWanted() async throws {
        try await BindFixture.run(lookUp: NoLookUp()) { fixture async throws in
            #expect(await fixture.request(to: "4479161885680").json["status"] == "ACCEPTED")
        }
    }

    @Test func brokenRequestsAre400() async throws {
        try await BindFixture.run { fixture async throws in
            let (number, template) = (JSON.string(BindFixture.number), JSON.string(BindFixture.plain))
            let requests: [JSON] = [
                [], [:], ["to": number], ["template_id": template], ["to": nil, "template_id": template],
                ["to": 447_916_188_568, "template_id": template], ["to": number, "template_id": 5],
                ["to": number, "template_id": "a\u{0}"], ["to": number, "template_id": template, "parameters": []],
                ["to": number, "template_id": template, "parameters": ["a": 5]],
                ["to": number, "template_id": template, "parameters": ["a": "line\nend"]],
            ]
            for body in requests {
                #expect(
                    await fixture.ask("POST", "/v1.0/2fa/request", body).isRejected("GENERAL_ERROR", 400), "\(body)")
            }
            let guesses: [JSON] = [
                [:], ["code": "1234"], ["request_id": .string(BindFixture.nobody)],
                ["code": "", "request_id": .string(BindFixture.nobody)], ["code": "1234", "request_id": 7],
                ["code": true, "request_id": .string(BindFixture.nobody)],
                ["code": .string(String(repeating: "1", count: 65)), "request_id": .string(BindFixture.nobody)],
            ]
            for body in guesses {
                #expect(
                    await fixture.ask("POST", "/v1.0/2fa/validate", body).isRejected("GENERAL_ERROR", 400), "\(body)")
            }
            for text in ["", "{", "to=447916188568&template_id=login", "\u{FF}"] {
                for path in ["/v1.0/2fa/request", "/api/v1.0/2fa/validate"] {
                    let response = await fixture.ask(
                        "POST", path, bytes: Array(text.utf8), fields: ["X-API-KEY": BindFixture.key])
                    #expect(response.isRejected("GENERAL_ERROR", 400))
                }
            }
        }
    }

    @Test func bodiesAreReadWhateverTheyAreCalled() async throws {
        try await BindFixture.run { fixture async throws in
            let body = #"{"to": "447916188568", "template_id": "login", "parameters": null, "sender": 5}"#
            for type in ["text/plain", "application/x-www-form-urlencoded"] {
                let response = await fixture.ask(
                    "POST", "/v1.0/2fa/request", bytes: Array(body.utf8),
                    fields: ["X-API-KEY": BindFixture.key, "Content-Type": type])
                #expect(response.json["status"] == "ACCEPTED")
            }
            // Some write a code as the number that it looks like.
            var (id, code) = ("", "0")
            while code.hasPrefix("0") {
                id = try await fixture.start()
                code = try await fixture.code(of: id)
            }
            let number = try #require(Int64(code))
            let guess: JSON = ["code": .integer(number), "request_id": .string(id)]
            #expect(await fixture.ask("POST", "/v1.0/2fa/validate", guess).json["verified"] == true)
        }
    }

    @Test func keysAreTakenInEitherField() async throws {
        try await BindFixture.run { fixture async throws in
            let key = BindFixture.key
            let allowed: [HTTPFields] = [
                ["x-api-key": key], ["Authorization": key], ["Authorization": "Bearer \(key)"],
                ["Authorization": "App \(key)"], ["X-API-KEY": key, "Authorization": "Basic eDp5"],
            ]
            for fields in allowed {
                #expect(await fixture.ask("GET", "/v1.0/2fa/template", fields: fields).status == 200, "\(fields)")
            }
            let refused: [HTTPFields] = [
                [:], ["X-API-KEY": ""], ["X-API-KEY": "acme-none-0123456789abcdef"], ["Authorization": ""],
                ["Authorization": "Basic eDp5"], ["X-API-KEY": "acme-none-0123456789abcdef", "Authorization": key],
            ]
            for fields in refused {
                for (method, path) in [
                    ("GET", "/v1.0/2fa/template"), ("POST", "/v1.0/2fa/request"), ("PUT", "/api/v1.0/2fa/validate"),
                    ("GET", "/v1.0/nothing"), ("GET", "/v1.0"),
                ] {
                    let response = await fixture.ask(method, path, fields: fields)
                    #expect(response.isRejected("UNAUTHORIZED", 401), "\(fields) \(path)")
                    #expect(response.fields["WWW-Authenticate"] == "ApiKey")
                }
            }
        }
    }

    @Test func aKeyNeedsTheScope() async throws {
        try await BindFixture.run { fixture async throws in
            let rows: [(method: String, path: String, scope: String, Bool)] = [
                ("GET", "template", "read", true), ("GET", "template", "verify", true),
                ("GET", "template", "send", false), ("POST", "request", "verify", true),
                ("POST", "request", "read", false), ("POST", "request", "send", false),
                ("POST", "validate", "verify", true), ("POST", "validate", "read", false),
                ("POST", "validate", "send", false),
            ]
            for (method, operation, scope, isAllowed) in rows {
                let response = await fixture.ask(
                    method, "/v1.0/2fa/\(operation)", fields: ["X-API-KEY": "acme-\(scope)-0123456789abcdef"])
                #expect(response.isRejected("PRODUCT_DISABLED", 401) == !isAllowed, "\(operation) \(scope)")
                if isAllowed { #expect(response.status == (method == "GET" ? 200 : 400)) }
            }
        }
    }

    @Test func everyPathBelowThePrefixesIsTheVendors() async throws {
        try await BindFixture.run { fixture async throws in
            for path in [
                "/v1.0", "/v1.0/", "/v1.0/2fa", "/v1.0/2fa/request/", "/v1.0/2fa/Request", "/api/v1.0",
                "/api/v1.0/sms/send",
            ] {
                #expect(await fixture.ask("POST", path, [:]).isRejected("GENERAL_ERROR", 404), "\(path)")
            }
            for (method, operation, allow) in [
                ("GET", "request", "POST"), ("PUT", "validate", "POST"), ("POST", "template", "GET"),
            ] {
                let response = await fixture.ask(method, "/v1.0/2fa/\(operation)")
                #expect(response.isRejected("GENERAL_ERROR", 405))
                #expect(response.fields["Allow"] == allow)
            }
            for path in ["/v1.00/2fa/request", "/v1", "/v1/messages", "/api/v1/accounts", "/api"] {
                #expect(!BindDialect.owns(path))
            }
        }
    }

    @Test func whatHasEndedIsNotFound() async throws {
        try await BindFixture.run { fixture async throws in
            let id = try await fixture.start()
            let code = try await fixture.code(of: id)
            for _ in 0..<3 {
                #expect(await fixture.validate(id, InfobipFixture.wrong(code)).json["status"] == "not_matched")
            }
            let late = try await fixture.start()
            let lateCode = try await fixture.code(of: late)
            let foreign = try await fixture.start()
            let foreignCode = try await fixture.code(of: foreign)
            let stranger = await fixture.ask(
                "POST", "/v1.0/2fa/validate", ["code": .string(foreignCode), "request_id": .string(foreign)],
                fields: ["X-API-KEY": "other-all-0123456789abcdef"])
            try await fixture.base.system.pool.execute(
                "UPDATE verifications SET expires_at = now() WHERE id = \(try #require(MessageID(late)))")
            let answers = [
                await fixture.validate(id, code), await fixture.validate(late, lateCode), stranger,
                await fixture.validate(BindFixture.nobody, code), await fixture.validate("1234567", code),
                await fixture.validate("", code),
            ]
            for answer in answers {
                #expect(answer.status == 404)
                #expect(answer.whole == answers[0].whole)
                #expect(answer.json == ["verified": false, "status": "not_found"])
            }
            #expect(await fixture.validate(foreign, foreignCode).json["verified"] == true)
        }
    }

    @Test func guessesThatComeTooFastAreNotProcessed() async throws {
        try await BindFixture.run { fixture async throws in
            let id = try await fixture.start("slow")
            let code = try await fixture.code(of: id)
            #expect(await fixture.validate(id, InfobipFixture.wrong(code)).json["status"] == "not_matched")
            let limited = await fixture.validate(id, code)
            #expect(limited.status == 429)
            #expect(limited.json == ["verified": false, "status": "too_many_requests"])
            #expect(limited.fields["Retry-After"].flatMap { Int($0) }.map { (3000...3600).contains($0) } == true)
        }
    }

    @Test func aDatabaseThatIsAwayIsToldInTheVendorsWords() async throws {
        try await withOwnServer { server in
            var configuration = ConnectionPool.Configuration(url: server.url, limit: 4)
            configuration.connectTimeout = .milliseconds(900)
            configuration.acquireTimeout = .seconds(1)
            let system = TestSystem(
                url: server.url, pool: ConnectionPool(configuration, poller: TestDatabase.poller))
            _ = try await system.store.migrate(try Migration.all(in: TestSystem.migrations))
            try await BindFixture.run(on: system) { fixture async throws in
                let id = try await fixture.start()
                try await server.stop(.immediate)
                for response in [
                    await fixture.request(), await fixture.request("nobody"), await fixture.validate(id, "1234"),
                ] {
                    #expect(response.isRejected("GENERAL_ERROR", 503))
                    #expect(response.fields["Retry-After"] == "1")
                }
                let list = await fixture.ask("GET", "/v1.0/2fa/template")
                #expect(list.isRejected("GENERAL_ERROR", 503))
                #expect(list.fields["Retry-After"] == nil)
            }
        }
    }

    @Test(arguments: [400, 408, 413, 414, 431, 500, 503])
    func theWebServersRefusalsAreInTheVendorsWordsToo(status: Int) {
        for path in ["/v1.0/2fa/request", "/api/v1.0/2fa/validate"] {
            #expect(Intake.refusal(status, path: path).isRejected("GENERAL_ERROR", status))
        }
    }
}
