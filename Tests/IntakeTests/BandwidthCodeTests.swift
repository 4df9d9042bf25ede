import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

/// Codes on their way.
@Suite struct BandwidthCodeTests {
    private typealias Fixture = BandwidthFixture

    @Test func aMessageIsAnsweredWithAnIdAsLongAsTheVendors() async throws {
        try await Fixture.run { fixture async throws in
            let response = await fixture.send()
            #expect(response.status == 200)
            #expect(response.json.members?.map(\.name) == ["messageId"])
            #expect(response.json["messageId"]?.string?.utf8.count == 29)
            let content = try await fixture.content(of: response)
            #expect(content.body.wholeMatch(of: /Your temporary Shop 2FA code is [0-9]{6}/) != nil)
            let id = try fixture.message(response)
            #expect(
                try await fixture.base.system.count(
                    """
                    SELECT count(*) FROM messages m JOIN outbox o USING (lane, id)
                    WHERE m.id = \(id) AND m.priority = 0 AND m.channel = 'sms' AND m.recipient = \(Fixture.number)
                      AND m.sender = \(Fixture.sender) AND m.endpoint_id IS NULL AND m.parts = 1
                    """) == 1)
            #expect(fixture.base.accepted.now == 1)
        }
    }

    @Test func aCallSpeaksTheDigitsApart() async throws {
        try await Fixture.run { fixture async throws in
            // What is of text messages only does no harm.
            let response = await fixture.send(["digits": 8, "callbackUrl": "nowhere"], by: "voice")
            #expect(response.status == 200)
            #expect(response.json.members?.map(\.name) == ["callId"])
            #expect(response.json["callId"]?.string?.utf8.count == 47)
            guard case .speech(let speech) = try await fixture.content(of: response) else {
                Issue.record("no speech")
                return
            }
            #expect(speech.text.wholeMatch(of: /Your temporary Shop 2FA code is ([0-9], ){7}[0-9]/) != nil)
            #expect(speech.language == "en")
            let spoken = speech.text.filter { $0.isASCII && $0.isNumber }
            #expect(await fixture.verify(String(spoken.suffix(8))).json["valid"] == true)
        }
    }

    /// The first of the vendor's versions knew neither `message` nor `digits`.
    @Test func whatIsLeftOutIsTheVendors() async throws {
        try await Fixture.run { fixture async throws in
            for absent in [nil, JSON.null] as [JSON?] {
                let response = await fixture.send(["message": absent, "digits": absent, "scope": absent])
                let text = try await fixture.content(of: response).body
                #expect(text.wholeMatch(of: /Your temporary Shop 2FA code is [0-9]{6}/) != nil, "\(text)")
                #expect(await fixture.verify(String(text.suffix(6)), ["scope": absent]).json["valid"] == true)
            }
        }
    }

    @Test func marksAreFilledOnceAndOthersStay() async throws {
        try await Fixture.run { fixture async throws in
            let rows: [(message: String, scope: String, text: String)] = [
                ("{CODE}", "a", "*"), ("{CODE}{CODE} {NAME}", "a", "** Shop"),
                ("{{CODE}} {code} {SCOPE", "a", "{*} {code} {SCOPE"),
                ("{SCOPE} {CODE}", "{CODE}{NAME}", "{CODE}{NAME} *"), ("é{SCOPE}é {CODE} ü", "{", "é{é * ü"),
                ("{CODE} {SCOPE}.", "", "* ."),
            ]
            for (message, scope, text) in rows {
                let response = await fixture.send(["message": .string(message), "scope": .string(scope), "digits": 4])
                let body = try await fixture.content(of: response).body
                #expect(body.replacing(/[0-9]{4}/, with: "*") == text)
            }
        }
    }

    @Test func codesHaveAsManyDigitsAsAreAskedFor() async throws {
        try await Fixture.run { fixture async throws in
            for (digits, count) in [(4, 4), (5, 5), (6.0, 6), (7, 7), (8.0, 8)] as [(JSON, Int)] {
                let response = await fixture.send(["digits": digits, "message": "{CODE}"])
                #expect(try await fixture.content(of: response).body.count == count)
            }
        }
    }

    @Test func bodiesAreReadAsJSONWhateverTheirTypeSays() async throws {
        try await Fixture.run { fixture async throws in
            let request = Fixture.request(["unknown": ["a": 1], "callbackUrl": nil])
            for type in ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=utf-8"] {
                let response = await fixture.ask(
                    "POST", "/api/v1/accounts/\(Fixture.account)/code/messaging", bytes: request.serialized(),
                    authorization: Fixture.basic(Fixture.user), type: type)
                #expect(response.status == 200)
            }
        }
    }

    // MARK: - Applications

    @Test func anApplicationHasToBeOneOfTheAccountsWhereItHasAny() async throws {
        try await Fixture.run { fixture async throws in
            #expect(await fixture.send(["applicationId": "unknown"]).error == "applicationId is unknown")
            #expect(await fixture.send(["applicationId": "closed"]).error == "applicationId is disabled")
            #expect(await fixture.send(["applicationId": "unknown"], by: "voice").status == 400)
            // An account without any lets all pass, and stands for them with its own name.
            let response = await fixture.send(
                ["applicationId": "unknown"], user: Fixture.strangersUser, account: Fixture.strangersAccount)
            #expect(try await fixture.content(of: response).body.hasPrefix("Your temporary other 2FA code is "))
            let made = try await fixture.base.make(
                "/v1/applications", ["name": "New"], key: "other-all-0123456789abcdef")
            let user = (Fixture.strangersUser, Fixture.strangersAccount)
            #expect(await fixture.send(["applicationId": "unknown"], user: user.0, account: user.1).status == 400)
            #expect(await fixture.send(["applicationId": .string(made)], user: user.0, account: user.1).status == 200)
            #expect(try await fixture.base.stored == 2)
        }
    }

    // MARK: - Callbacks

    @Test func aCallbacksOriginIsAnEndpointForEver() async throws {
        try await Fixture.run { fixture async throws in
            for url in [
                "https://shop.example/a?t=1", "https://SHOP.example/b", "https://other.example/",
                "https://shop.example",
            ] {
                #expect(await fixture.send(["callbackUrl": .string(url)]).status == 200)
            }
            _ = await fixture.send(
                ["callbackUrl": "https://shop.example/c"], user: Fixture.strangersUser,
                account: Fixture.strangersAccount)
            let rows = try await fixture.base.system.pool.query(
                """
                SELECT e.account_id, e.url, m.callback_url, e.types, e.public_id
                FROM messages m JOIN endpoints e ON e.id = m.endpoint_id WHERE e.kind = 'bandwidth' ORDER BY m.id
                """
            ) { row throws(PostgresError) in
                (
                    "\(try row.decode(0, as: Int32.self)) \(try row.decode(1, as: String.self))",
                    try row.decode(2, as: String.self), try row.decode(3, as: [String].self),
                    try row.decode(4, as: String.self)
                )
            }
            #expect(
                rows.map(\.1).sorted() == [
                    "https://other.example/", "https://shop.example/", "https://shop.example/a?t=1",
                    "https://shop.example/b", "https://shop.example/c",
                ])
            #expect(Set(rows.map(\.0)).count == 3)
            #expect(Set(rows.map(\.3)).count == 3)
            #expect(
                rows.allSatisfy {
                    $0.2 == ["message.delivered", "message.undelivered", "message.failed", "message.expired"]
                })
        }
    }

    @Test func originsOfManyRequestsAtOnceAreOneAndLimited() async throws {
        try await Fixture.run { fixture async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<130 {
                    // Thirty of them twice.
                    let url = JSON.string("https://shop\(number % 100).example/\(number)")
                    group.addTask { await fixture.send(["callbackUrl": url]).status }
                }
                for try await status in group { #expect(status == 200) }
            }
            #expect(try await fixture.base.system.count("SELECT count(*) FROM endpoints") == 100)
            let refused = await fixture.send(["callbackUrl": "https://another.example"])
            #expect(refused.status == 400)
            #expect(refused.error?.hasPrefix("callbackUrl is of one host too many") == true)
            #expect(await fixture.send(["callbackUrl": "https://shop7.example/new"]).status == 200)
        }
    }

    // MARK: - Secrecy

    @Test func noCodeStandsInTheTables() async throws {
        try await Fixture.run { fixture async throws in
            let code = try await fixture.code()
            _ = await fixture.verify(Fixture.wrong(code))
            _ = await fixture.verify(code)
            let hexadecimal = Hex.encode(Array(code.utf8))
            for table in ["scoped_codes", "messages", "outbox", "recipient_failures"] {
                try await fixture.base.system.pool.withConnection { connection in
                    try await connection.executeScript(
                        """
                        DO $$ BEGIN
                            IF EXISTS (SELECT FROM \(table) t WHERE t::text LIKE '%\(code)%' OR t::text LIKE '%\(hexadecimal)%')
                            THEN RAISE EXCEPTION 'a code stands in clear'; END IF;
                        END $$
                        """)
                }
            }
            #expect(!fixture.base.log.lines.contains { $0.contains(code) || $0.contains(Fixture.number) })
        }
    }
}
