import Crypto
import Messaging
import Testing

@testable import Channels

/// What the contract says of mail servers, as data: replies and what they mean (providers.md sections 4.1 and 4.2).
@Suite struct SMTPConformance {
    struct Reply: Sendable, CustomTestStringConvertible {
        var line: String
        var outcome: Outcome

        init(_ line: String, _ outcome: Outcome) {
            self.line = line
            self.outcome = outcome
        }

        var testDescription: String { self.line }
    }

    private static let unknown = Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)
    private static let full = Verdict(.rejected, .transientRecipient, .failoverOnce, .handsetFull)
    private static let later = Verdict(.rejected, .transientProvider, .retrySame, .carrierError)
    private static let busy = Verdict(.failed, .transientProvider, .retrySame, .providerError)
    private static let big = Verdict(.failed, .permanentMessage, .stop, .tooLong)
    private static let lost = Verdict(.failed, .transientProvider, .failover, .noRoute)
    private static let distrusted = Verdict(.failed, .config, .failover, .senderUnregistered)

    static let replies = [
        Reply("250 2.0.0 Ok: queued as 4F1234", .accepted(parts: ["4F1234"])),
        Reply("250 OK", .accepted(parts: [])), Reply("251 forwarded", .accepted(parts: [])),
        Reply("421 closing", .refused(Self.busy, "421")), Reply("450 later", .refused(Self.later, "450")),
        Reply("451 later", .refused(Self.later, "451")), Reply("452 full", .refused(Self.busy, "452")),
        Reply("450 4.3.2 later", .refused(Self.later, "450 4.3.2")),
        Reply(
            "451 4.7.1 greylisted",
            .refused(
                Verdict(.rejected, .transientProvider, .retrySame, .throttledRecipient), "451 4.7.1",
                after: .seconds(300))),
        Reply("550 5.1.1 x", .refused(Self.unknown, "550 5.1.1")),
        Reply("550 5.1.2 x", .refused(Self.unknown, "550 5.1.2")),
        Reply("553 5.1.3 x", .refused(Self.unknown, "553 5.1.3")),
        Reply("550 5.1.10 x", .refused(Self.unknown, "550 5.1.10")),
        Reply(
            "550 5.2.1 x", .refused(Verdict(.rejected, .permanentRecipient, .stop, .deactivatedNumber), "550 5.2.1")),
        Reply("552 5.2.2 x", .refused(Self.full, "552 5.2.2")), Reply("552 5.2.3 x", .refused(Self.big, "552 5.2.3")),
        Reply("552 5.3.4 x", .refused(Self.big, "552 5.3.4")), Reply("550 5.4.1 x", .refused(Self.lost, "550 5.4.1")),
        Reply("550 5.4.4 x", .refused(Self.lost, "550 5.4.4")),
        Reply("550 5.7.26 x", .refused(Self.distrusted, "550 5.7.26")),
        Reply("530 x", .refused(.unauthorized, "530")), Reply("534 x", .refused(.unauthorized, "534")),
        Reply("535 5.7.8 x", .refused(.unauthorized, "535 5.7.8")),
        Reply("552 no", .refused(Self.big, "552")), Reply("552 Quota exceeded", .refused(Self.full, "552")),
        Reply("554 no", .refused(Verdict(.rejected, .permanentMessage, .stop, .spamFiltered), "554")),
    ]

    @Test(arguments: replies) func repliesMeanTheseOutcomes(_ reply: Reply) throws {
        let driver = try SMTPDriver(
            Sample.account(.smtp, [:], url: "smtp://mail.example.com", sender: "codes@acme.example"))
        let outcome = driver.outcome(
            of: SMTPReply(code: Int(reply.line.prefix(3)) ?? 0, text: String(reply.line.dropFirst(4))))
        #expect(outcome == reply.outcome)
    }
}
