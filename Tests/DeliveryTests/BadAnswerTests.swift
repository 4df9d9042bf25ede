import Messaging
import Store
import TestSystem
import Testing
import WebClient

@testable import Delivery

/// What becomes of messages whose provider answers with anything but an answer: each attempt has its outcome and its reason, and no
/// message is lost.
@Suite(.timeLimit(.minutes(3))) struct BadAnswerTests {
    struct Bad: Sendable {
        let name: String
        let answer: RawProvider.Answer
        let reason: Verdict.Reason
    }

    /// None of them says whether the message was taken.
    static let answers = [
        Bad(name: "garbage", answer: .bytes("\u{16}\u{3}\u{1} what is this\r\n\r\n"), reason: .networkTimeout),
        Bad(name: "nothing, and closes", answer: .bytes(""), reason: .networkTimeout),
        Bad(name: "half a head", answer: .bytes("HTTP/1.1 200 OK\r\nContent-Ty"), reason: .providerError),
        Bad(
            name: "half a body", answer: .bytes("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"messages\":[{\"st"),
            reason: .networkTimeout),
        Bad(
            name: "half a chunk",
            answer: .bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1F4\r\n{\"messages\""),
            reason: .networkTimeout),
        Bad(
            name: "a chunk of no length",
            answer: .bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
            reason: .networkTimeout),
        Bad(
            name: "a body without end", answer: .endless("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"),
            reason: .providerError),
        Bad(name: "an empty body", answer: .bytes(RawProvider.ok("")), reason: .providerError),
        Bad(
            name: "a page of some proxy",
            answer: .bytes(RawProvider.ok("<html><body>Welcome</body></html>", type: "text/html")),
            reason: .providerError),
        Bad(name: "half a text of JSON", answer: .bytes(RawProvider.ok("{\"messages\":[{")), reason: .providerError),
        Bad(name: "another type", answer: .bytes(RawProvider.ok("[1,2]")), reason: .providerError),
        Bad(name: "another type inside", answer: .bytes(RawProvider.ok("{\"messages\":{}}")), reason: .providerError),
        Bad(name: "messages of nothing", answer: .bytes(RawProvider.ok("{\"messages\":[{}]}")), reason: .providerError),
        Bad(
            name: "arrays in arrays",
            answer: .bytes(RawProvider.ok(String(repeating: "[", count: 100_000))), reason: .providerError),
        Bad(
            name: "an error that the provider documents for other statuses",
            answer: .bytes(RawProvider.ok(#"{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED"}}}"#)),
            reason: .providerError),
    ]

    @Test(arguments: ["vonage", "infobip"]) func eachEndsAsAnOutcomeWithItsReason(_ name: String) async throws {
        try await withRawProvider { provider async throws in
            try await DeliveryFixture.run([.init(name: name, port: provider.port)]) { fixture async throws in
                try await fixture.work { _ in
                    for (index, bad) in Self.answers.enumerated() {
                        provider.answer(bad.answer)
                        let id = try await fixture.accept()[0]
                        try await fixture.wait(for: .accepted, count: index + 1)
                        let attempts = try await fixture.attempts(of: id)
                        #expect(attempts.map(\.outcome) == ["unanswered", "accepted"], "\(bad.name)")
                        #expect(attempts.first?.reason == bad.reason.rawValue, "\(bad.name)")
                        #expect(attempts.first?.code == "", "\(bad.name)")
                    }
                }
                // Infobip is asked each time whether it has the message, before that is sent again.
                #expect(provider.requestCount == Self.answers.count * (name == "infobip" ? 3 : 2))
            }
        }
    }

    /// What may have been sent is not sent twice; nor is it forgotten.
    @Test func bulkWithoutAReadableAnswerStaysUnknown() async throws {
        try await withRawProvider { provider async throws in
            try await DeliveryFixture.run([.init(port: provider.port)]) { fixture async throws in
                let bad = Self.answers.filter { $0.reason == .providerError }
                try await fixture.work { _ in
                    for (index, bad) in bad.enumerated() {
                        provider.answer(bad.answer)
                        try await fixture.accept(priority: .bulk)
                        try await fixture.wait(for: .unknown, count: index + 1)
                    }
                    try await fixture.waitUntilIdle()
                }
                #expect(provider.requestCount == bad.count)
            }
        }
    }

    @Test func nothingIsWaitedForNoLongerThanTheProvidersTimeout() async throws {
        try await withRawProvider { provider async throws in
            provider.answer(.silence)
            try await DeliveryFixture.run([.init(port: provider.port, timeout: 1)]) { fixture async throws in
                let id = try await fixture.accept()[0]
                try await fixture.work { _ in try await fixture.wait(for: .accepted) }
                let attempts = try await fixture.attempts(of: id)
                #expect(attempts.map(\.outcome) == ["unanswered", "accepted"])
                #expect(attempts.first?.reason == "network_timeout")
                #expect(attempts.first.map { $0.duration >= .seconds(1) && $0.duration < .seconds(5) } == true)
            }
        }
    }

    /// All of a batch share the answer that was lost.
    @Test func halfABodyLeavesEveryMessageOfABatchUnanswered() async throws {
        try await withRawProvider { provider async throws in
            provider.answer(.bytes("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"messages\":[{\"st"))
            try await DeliveryFixture.run([.init(name: "infobip", port: provider.port)]) { fixture async throws in
                let ids = try await fixture.accept(3)
                try await fixture.work { _ in try await fixture.wait(for: .accepted, count: 3) }
                for id in ids {
                    let attempts = try await fixture.attempts(of: id)
                    #expect(attempts.map(\.outcome) == ["unanswered", "accepted"])
                }
            }
        }
    }

    /// The provider may go on for ever: what is read of it is not much more than the client's limit and what the sockets hold.
    @Test func aBodyWithoutEndIsReadToALimit() async throws {
        try await withRawProvider { provider async throws in
            provider.answer(.endless("HTTP/1.1 200 OK\r\n\r\n"))
            try await DeliveryFixture.run([.init(port: provider.port)]) { fixture async throws in
                try await fixture.accept()
                try await fixture.work { _ in try await fixture.wait(for: .accepted) }
            }
            let socketBuffers = 16 << 20
            #expect(provider.mostSent >= WebClient.Configuration().responseByteLimit)
            #expect(provider.mostSent < WebClient.Configuration().responseByteLimit + socketBuffers)
        }
    }

    @Test func anErrorInsideA200IsARefusalWithTheProvidersCode() async throws {
        try await withRawProvider { provider async throws in
            provider.answer(.bytes(RawProvider.ok(#"{"messages":[{"status":"5","error-text":"Internal Error"}]}"#)))
            try await DeliveryFixture.run([.init(port: provider.port)]) { fixture async throws in
                let id = try await fixture.accept()[0]
                try await fixture.work { _ in try await fixture.wait(for: .accepted) }
                let attempts = try await fixture.attempts(of: id)
                #expect(attempts.map(\.outcome) == ["refused", "accepted"])
                #expect(attempts.first?.reason == "provider_error")
                #expect(attempts.first?.code == "5")
            }
        }
    }

    /// What a body says counts, whatever it is called.
    @Test func theRightAnswerUnderAWrongTypeIsTaken() async throws {
        try await withRawProvider { provider async throws in
            let body = #"{"message-count":"1","messages":[{"message-id":"p-1","status":"0"}]}"#
            provider.answer(.bytes(RawProvider.ok(body, type: "text/html")))
            try await DeliveryFixture.run([.init(port: provider.port)]) { fixture async throws in
                let id = try await fixture.accept()[0]
                try await fixture.work { _ in try await fixture.wait(for: .accepted) }
                #expect(try await fixture.attempts(of: id).map(\.outcome) == ["accepted"])
            }
        }
    }
}
