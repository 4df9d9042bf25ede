import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import TestSystem
import Testing

/// What becomes of a message by its channel, between the request and the row.
@Suite struct ChannelTests {
    @Test func whatIsSaidOnAnyChannelIsStoredForItsDriver() async throws {
        let expected: [(JSON, Content)] = [
            (IntakeFixture.message, .text(TextContent(IntakeFixture.text))),
            (IntakeFixture.call, .speech(Speech(IntakeFixture.text, language: "en"))),
            (
                IntakeFixture.call.with(["language": "de", "voice": "Vicki"]),
                .speech(Speech(IntakeFixture.text, language: "de", voice: "Vicki"))
            ),
            (IntakeFixture.mail, .mail(Mail(subject: "Your code 918273", text: IntakeFixture.text))),
        ]
        for (message, content) in expected {
            try await IntakeFixture.run { fixture async throws in
                let id = try #require(await fixture.post(message).json["id"]?.string.flatMap { MessageID($0) })
                let shown = await fixture.get("/v1/messages/\(id)").json
                #expect(shown["channel"]?.string == content.channel.rawValue)
                #expect(shown["to"] == message["to"])
                #expect(shown["parts"] == 1)
                let stored = try await fixture.system.pool.query("SELECT account_id, body FROM messages") {
                    row throws(PostgresError) in
                    (AccountID(rawValue: try row.decode(0)), try row.decode(1, as: Bytes.self).bytes)
                }
                let (account, sealed) = try #require(stored.first)
                let opened = try TestSystem.masterKeys.open(sealed, for: id.sealingContext(account: account))
                #expect(Content(decoding: opened, channel: content.channel) == content)
            }
        }
    }

    /// Counted in characters and not in segments.
    @Test func aLongSpeechIsOnePart() async throws {
        try await IntakeFixture.run { fixture async throws in
            let long = IntakeFixture.call.with(["body": .string(String(repeating: "a", count: 1000))])
            let id = try #require(await fixture.post(long).json["id"]?.string)
            #expect(await fixture.get("/v1/messages/\(id)").json["parts"] == 1)
        }
    }

    @Test func aMailIsFoundByItsAddress() async throws {
        try await IntakeFixture.run { fixture async throws in
            let mail = IntakeFixture.mail.with(["to": "Anna+test@EXAMPLE.com"])
            let id = try #require(await fixture.post(mail).json["id"]?.string)
            for query in ["Anna%2Btest@example.com", "Anna+test%40Example.COM"] {
                let found = await fixture.get("/v1/messages?to=\(query)")
                #expect(found.ids == [id])
                #expect(found.json["messages"]?[0]?["to"] == "Anna+test@example.com")
            }
            #expect(await fixture.get("/v1/messages?to=nobody").paths == ["to"])
        }
    }
}
