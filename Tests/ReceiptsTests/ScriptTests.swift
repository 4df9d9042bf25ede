import HTTP
import JSON
import Messaging
import Postgres
import TestSystem
import Testing

/// A call that was answered asks what to say.
@Suite(.timeLimit(.minutes(3))) struct ScriptTests {
    private static let speech = Content.speech(Speech("Your code is 4, 9 & 3", language: "de"))
    private static let silence = "<Response><Hangup/></Response>"

    private static func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test func itIsToldItsWordsAsLongAsTheMessageLasts() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let id = try await fixture.handedOver([[]], to: "calls", Self.speech, keepsBody: true)[0]
            for _ in 0..<2 {
                let response = await fixture.post(ReceiptsFixture.call("answer", of: id))
                #expect(response.status == 200)
                #expect(Self.text(response).contains(#"<SpeakSentence locale="de_DE">Your code is 4, 9 &amp; 3<"#))
            }
            let end = ReceiptsFixture.call(
                "disconnect", of: id, [.init("cause", "hangup"), .init("answerTime", "2026-11-21T09:15:00Z")])
            #expect(await fixture.post(end).status == 204)
            #expect(try await fixture.system.states() == ["delivered"])
            #expect(try await fixture.system.count("SELECT count(*) FROM messages WHERE body IS NOT NULL") == 0)
            #expect(Self.text(await fixture.post(ReceiptsFixture.call("answer", of: id))).contains(Self.silence))
        }
    }

    /// After a failover from a short message to a call.
    @Test func aShortMessageIsReadAloud() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let text = Content.text(TextContent("Code 493827", language: "fr"))
            let id = try await fixture.handedOver([[]], to: "calls", text, keepsBody: true)[0]
            let response = await fixture.post(ReceiptsFixture.call("answer", of: id))
            #expect(Self.text(response).contains(#"locale="fr_FR">Code 4, 9, 3, 8, 2, 7<"#))
        }
    }

    @Test func aMachineIsHungUpOnAndTheMessageUndelivered() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let id = try await fixture.handedOver([[]], to: "calls", Self.speech, keepsBody: true)[0]
            let answer = ReceiptsFixture.call(
                "answer", of: id, [.init("machineDetectionResult", ["value": "answering-machine"])])
            #expect(!Self.text(await fixture.post(answer)).contains("4, 9"))
            var end = ReceiptsFixture.call(
                "disconnect", of: id, [.init("cause", "hangup"), .init("answerTime", "2026-11-21T09:15:00Z")])
            end.body = Array(String(decoding: end.body, as: UTF8.self).replacing("\(id)", with: "\(id)/machine").utf8)
            #expect(await fixture.post(end).status == 204)
            #expect(try await fixture.system.states() == ["undelivered"])
        }
    }

    /// Neither who is not the provider, nor a provider that the message never went to, nor what cannot be opened.
    @Test func nobodyElseIsToldTheWords() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let elsewhere = try await fixture.handedOver([[]], to: "infobip", Self.speech, keepsBody: true)[0]
            #expect(Self.text(await fixture.post(ReceiptsFixture.call("answer", of: elsewhere))).contains(Self.silence))
            let sealed = try await fixture.handedOver([[]], to: "calls", keepsBody: true)[0]
            #expect(Self.text(await fixture.post(ReceiptsFixture.call("answer", of: sealed))).contains(Self.silence))
            var forged = ReceiptsFixture.call("answer", of: sealed)
            forged.fields["Authorization"] = "Basic dXNlcjpndWVzcw=="
            #expect(await fixture.post(forged).status == 403)
        }
    }
}
