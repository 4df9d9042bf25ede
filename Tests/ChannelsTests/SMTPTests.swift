import Crypto
import HTTP
import Messaging
import Testing
import Timestamps

@testable import Channels

/// Mails by SMTP: what is written, what replies mean, and what comes back.
@Suite struct SMTPTests {
    static func account(
        _ credentials: [String: String] = [:], url: String = "smtp://mail.example.com:587",
        sender: String? = "Acme Grüße <codes@acme.example>", settings: [String: String] = [:], codes: String = ""
    ) -> ProviderAccount {
        ProviderAccount(
            id: ProviderID(rawValue: 9), name: "m1", kind: .smtp, baseURL: url,
            credentials: Credentials(credentials.mapValues { Secret($0) }), defaultSender: sender, settings: settings,
            codes: codes)
    }

    private static let bouncing = [
        "bounce_key": "0123456789abcdef", "receipt_token": Sample.token,
    ]

    private static func driver(bounces: Bool = false, settings: [String: String] = [:]) throws -> SMTPDriver {
        let settings = bounces ? settings.merging(["bounce_domain": "in.acme.example"]) { $1 } : settings
        return try SMTPDriver(Self.account(bounces ? Self.bouncing : [:], settings: settings))
    }

    private static func text(_ subject: String, _ text: String, sender: String? = nil) throws -> String {
        let dispatch = Sample.dispatch(
            .mail(Mail(subject: subject, text: text)), to: "anna@example.com", sender: sender)
        return String(decoding: try Self.driver().mail(for: dispatch, now: Sample.now).message, as: UTF8.self)
    }

    @Test func aMailIsWrittenAsTheStandardsHaveIt() throws {
        let dispatch = Sample.dispatch(
            .mail(Mail(subject: "Your code", text: "It is 123456.\n.end\n")), to: "anna@example.com")
        let mail = try Self.driver().mail(for: dispatch, now: Sample.now)
        #expect(mail.sender == "codes@acme.example")
        #expect(mail.recipient == "anna@example.com")
        #expect(
            String(decoding: mail.message, as: UTF8.self) == """
                Date: Tue, 25 Feb 2020 17:07:26 +0000\r
                From: =?utf-8?B?QWNtZSBHcsO8w59l?=\r
                 <codes@acme.example>\r
                To: <anna@example.com>\r
                Subject: Your code\r
                Message-ID: <\(Sample.id)@acme.example>\r
                MIME-Version: 1.0\r
                Content-Type: text/plain; charset=utf-8\r
                Content-Transfer-Encoding: quoted-printable\r
                Auto-Submitted: auto-generated\r
                \r
                It is 123456.\r
                .end\r

                """)
    }

    @Test func noFieldCanBeBroughtIn() throws {
        let mail = try Self.text("a\r\nBcc: eve@example.com\u{2028}x", "b", sender: "Eve\u{0} <eve@example.com>")
        #expect(!mail.contains("\r\nBcc"))
        #expect(mail.contains("Subject: a  Bcc: eve@example.com x\r\n"))
        let quoted = try Self.text("s", "b", sender: "Acme Ltd. <codes@acme.example>")
        #expect(quoted.contains("From: \"Acme Ltd.\" <codes@acme.example>\r\n"))
    }

    @Test(arguments: [
        "äöü 🎉 Grüße an alle, die heute einen sehr langen Betreff lesen müssen, weil er nicht endet",
        "=?utf-8?B?YQ==?=",
        " blank", String(repeating: "x", count: 300), "한국어로 된 인증 코드입니다",
    ])
    func everyLineIsShortAndASCII(subject: String) throws {
        let text = "\(subject) = \t\n" + String(repeating: "ü = ", count: 60) + "\r\nend \r"
        for sample in [text, String(repeating: "日本語", count: 80)] {
            let mail = try Self.text(subject, sample)
            #expect(mail.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x0D || $0 == 0x0A })
            let lines = mail.split(separator: "\r\n", omittingEmptySubsequences: false)
            #expect(lines.allSatisfy { $0.utf8.count <= 78 && !$0.utf8.contains(0x0A) && !$0.utf8.contains(0x0D) })
        }
    }

    @Test(
        arguments: [
            ("250 2.0.0 Ok: queued as 4F1234", Outcome.accepted(parts: ["4F1234"])),
            ("250 OK id=1rABCD-000001-2X", .accepted(parts: ["1rABCD-000001-2X"])), ("250 fine", .accepted(parts: [])),
        ] as [(String, Outcome)])
    func whatIsTakenIsAccepted(line: String, outcome: Outcome) throws {
        #expect(try Self.driver().outcome(of: Self.reply(line)) == outcome)
    }

    /// Section 4.1 of the contract, line by line.
    @Test(
        arguments: [
            ("421 4.3.2 closing", Verdict.Action.retrySame, Verdict.Reason.carrierError),
            ("421 busy", .retrySame, .providerError), ("450 try later", .retrySame, .carrierError),
            ("451 4.7.1 greylisted", .retrySame, .throttledRecipient), ("452 full", .retrySame, .providerError),
            ("550 5.1.1 no such user", .stop, .invalidDestination), ("550 5.1.2 no host", .stop, .invalidDestination),
            ("553 5.1.3 bad", .stop, .invalidDestination), ("550 5.1.10 null MX", .stop, .invalidDestination),
            ("550 5.2.1 disabled", .stop, .deactivatedNumber), ("552 5.2.2 full", .failoverOnce, .handsetFull),
            ("552 5.2.3 big", .stop, .tooLong), ("552 5.3.4 big", .stop, .tooLong),
            ("550 5.4.4 no route", .failover, .noRoute), ("550 5.4.1 no answer", .failover, .noRoute),
            ("550 5.7.26 DMARC", .failover, .senderUnregistered), ("530 5.7.0 TLS", .haltProvider, .authFailed),
            ("534 5.7.9 weak", .haltProvider, .authFailed), ("535 5.7.8 no", .haltProvider, .authFailed),
            ("550 no", .stop, .invalidDestination), ("552 no", .stop, .tooLong),
            ("552 over quota", .failoverOnce, .handsetFull), ("554 no", .stop, .spamFiltered),
            ("554 looks like spam", .failover, .spamFiltered), ("599 no", .stop, .providerError),
            ("450 4.2.2 full", .failoverOnce, .handsetFull), ("550 5.3.0 no", .failover, .carrierError),
            ("550 5.4.6 loop", .failover, .noRoute), ("550 5.5.1 what?", .failoverOnce, .configError),
            ("550 mailbox full", .failoverOnce, .handsetFull), ("553 blacklisted", .failover, .spamFiltered),
        ] as [(String, Verdict.Action, Verdict.Reason)])
    func eachReplyMeansWhatTheContractSays(line: String, action: Verdict.Action, reason: Verdict.Reason) throws {
        let verdict = try #require(try Self.driver().outcome(of: Self.reply(line)).verdict)
        #expect(verdict.action == action && verdict.reason == reason, "\(verdict)")
    }

    @Test func aGreylistIsWaitedOut() throws {
        let driver = try Self.driver(settings: ["greylist_seconds": "600"])
        guard case .refused(_, let code, let wait) = driver.outcome(of: Self.reply("450 4.7.1 greylisted")) else {
            throw Failure("not refused")
        }
        #expect(wait == .seconds(600) && code == "450 4.7.1")
        guard case .refused(_, _, let other) = driver.outcome(of: Self.reply("450 busy")) else {
            throw Failure("not refused")
        }
        #expect(other == nil)
    }

    @Test func anOperatorsLinesGoOverTheBuiltIn() throws {
        let driver = try SMTPDriver(
            Self.account(codes: "enhanced,5.7.26,rejected,permanent_message,stop,spam_filtered"))
        #expect(driver.outcome(of: Self.reply("550 5.7.26 x")).verdict?.reason == .spamFiltered)
    }

    @Test(arguments: [
        ("smtp://mail.example.com", "mail.example.com", 587 as UInt16, MailServer.Security.startTLS),
        ("smtps://mail.example.com/", "mail.example.com", 465, .tls), ("smtp://[::1]:2525", "[::1]", 2525, .startTLS),
    ])
    func aServerIsWhereItsURLSays(url: String, host: String, port: UInt16, security: MailServer.Security) throws {
        let server = try SMTPDriver(Self.account(url: url)).server
        #expect(server.host == host && server.port == port && server.security == security)
        #expect(server.greeting == "acme.example")
    }

    @Test(
        arguments: [
            ([:], "http://mail.example.com", "a@b.example", [:]),
            ([:], "smtp://u:p@mail.example.com", "a@b.example", [:]),
            ([:], "smtp://mail.example.com:587", nil, [:]), ([:], "smtp://mail.example.com/x", "a@b.example", [:]),
            (["password": "x"], "smtp://mail.example.com", "a@b.example", [:]),
            (["username": "x"], "smtp://mail.example.com", "a@b.example", [:]),
            (["username": "x", "password": "y"], "smtp://mail.example.com", "a@b.example", ["security": "none"]),
            ([:], "smtp://mail.example.com", "a@b.example", ["bounce_domain": "b.example"]),
            ([:], "smtp://mail.example.com", "a@b.example", ["securty": "none"]),
            ([:], "smtp://mail.example.com", "a@b.example", ["ca_file": "relative.pem"]),
        ] as [([String: String], String, String?, [String: String])])
    func whatIsWrongWithAnAccountIsTold(
        credentials: [String: String], url: String, sender: String?, settings: [String: String]
    ) {
        #expect(throws: ProviderProblems.self) {
            try SMTPDriver(Self.account(credentials, url: url, sender: sender, settings: settings))
        }
    }

    // MARK: - What comes back

    @Test func aBounceAddressNamesItsMailAndNobodyElseMakesOne() throws {
        let driver = try Self.driver(bounces: true)
        for reference in [Sample.reference, MessageReference(id: Sample.reference.id, series: 12)] {
            let sender = driver.mail(
                for: Sample.dispatch(.mail(Mail(subject: "s", text: "t")), reference, to: "anna@example.com"),
                now: Sample.now
            ).sender
            #expect(EmailAddress(sender) != nil)
            let bounces = try #require(driver.bounces)
            #expect(bounces.reference(in: Array("To: <\(sender.uppercased())>".utf8)) == nil)
            #expect(bounces.reference(in: Array("x bounce+ bounce+y@z To: <\(sender)>".utf8)) == reference)
            for index in sender.indices
            where sender[index] != "@" && sender[index].isHexDigit && sender[..<index].count < 60 {
                var forged = sender
                forged.replaceSubrange(index...index, with: sender[index] == "0" ? "1" : "0")
                guard forged.hasPrefix("bounce+"), forged.hasSuffix("@in.acme.example") else { continue }
                #expect(bounces.reference(in: Array(forged.utf8)) == nil, "\(forged)")
            }
        }
    }

    private static func report(
        _ status: String, to: String, lineEnd: String = "\r\n", type: String = "report"
    ) -> [UInt8] {
        let text = """
            Return-Path: <>
            Delivered-To: \(to)
            From: MAILER-DAEMON@mx.example
            Subject: Undelivered Mail Returned to Sender
            Content-Type: multipart/\(type); report-type=delivery-status;
            \tboundary="b1/mx.example"

            This is a MIME-encapsulated message.

            --b1/mx.example
            Content-Type: text/plain

            I'm sorry.

            --b1/mx.example
            Content-Type: message/delivery-status

            Reporting-MTA: dns; mx.example

            Final-Recipient: rfc822; anna@example.com
            \(status)

            --b1/mx.example
            Content-Type: text/rfc822-headers

            Subject: Your code

            --b1/mx.example--

            """
        return Array(text.replacing("\n", with: lineEnd).utf8)
    }

    private static func receipts(_ body: [UInt8], token: String = Sample.token) throws -> [Receipt] {
        let request = HTTPRequest(method: "POST", path: "/receipts/m1/\(token)", body: body)
        guard case .receipts(let receipts) = try Self.driver(bounces: true).callback(request, now: Sample.now) else {
            throw Failure("no receipts")
        }
        return receipts
    }

    private static func bounceAddress() throws -> String {
        try Self.driver(bounces: true).mail(
            for: Sample.dispatch(.mail(Mail(subject: "s", text: "t")), to: "anna@example.com"), now: Sample.now
        ).sender
    }

    @Test(
        arguments: [
            (
                "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such\n user", "failed",
                Verdict.ProviderState.undelivered, Verdict.Reason.hardBounce, "550 5.1.1"
            ),
            ("Action: failed\nStatus: 5.1.8", "failed", .undelivered, .senderInvalid, "5.1.8"),
            ("Action: failed\nStatus: 5.2.2 (full)", "failed", .undelivered, .softBounce, "5.2.2"),
            ("Action: Failed\nStatus: 5.7.1", "failed", .rejected, .spamFiltered, "5.7.1"),
            ("Status: 4.4.7\nAction: failed", "failed", .expired, .softBounce, "4.4.7"),
            ("Action: failed\nStatus: nonsense", "failed", .undelivered, .hardBounce, "nonsense"),
            ("Action: delayed\nStatus: 4.4.1", "delayed", .sent, .accepted, "4.4.1"),
            ("Action: delivered\nStatus: 2.0.0", "delivered", .delivered, .ok, "2.0.0"),
            ("Action: relayed\nStatus: 2.0.0", "relayed", .sent, .accepted, "2.0.0"),
            ("Action: vanished\nStatus: 5.0.0", "vanished", .unknown, .unknown, "5.0.0"),
        ] as [(String, String, Verdict.ProviderState, Verdict.Reason, String)], ["\r\n", "\n"])
    func aBounceIsAReceipt(
        sample: (String, String, Verdict.ProviderState, Verdict.Reason, String), lineEnd: String
    ) throws {
        let receipts = try Self.receipts(
            Self.report(sample.0, to: try Self.bounceAddress(), lineEnd: lineEnd))
        #expect(receipts.count == 1)
        let receipt = try #require(receipts.first)
        #expect(receipt.message == Sample.reference && receipt.coversMessage)
        #expect(receipt.status == sample.1 && receipt.code == sample.4)
        #expect(receipt.verdict.state == sample.2 && receipt.verdict.reason == sample.3)
    }

    /// Whatever else fails for good says nothing against the address.
    @Test(arguments: [
        ("5.1.1", true), ("5.1.10", true), ("5.2.1", true), ("5.2.0", false), ("5.0.0", false), ("5.3.4", false),
        ("5.7.1", false), ("nonsense", false),
    ])
    func onlyWhoDoesNotExistIsSuppressed(status: String, isSuppressed: Bool) throws {
        let receipts = try Self.receipts(
            Self.report("Action: failed\nStatus: \(status)", to: try Self.bounceAddress()))
        #expect(receipts.map { $0.verdict.action == .stopSuppress } == [isSuppressed])
    }

    @Test func aComplaintIsAReceipt() throws {
        let text = """
            To: fbl@acme.example
            Content-Type: multipart/report; report-type=feedback-report; boundary=xx

            --xx
            Content-Type: message/feedback-report

            Feedback-Type: abuse
            Original-Mail-From: <\(try Self.bounceAddress())>
            --xx--
            """
        let receipts = try Self.receipts(Array(text.utf8))
        #expect(receipts.map(\.verdict.reason) == [.complained])
        #expect(receipts.map(\.verdict.action) == [.stopSuppress])
        #expect(receipts.map(\.message) == [Sample.reference])
    }

    @Test func aReportOfAStrangersMailNamesNoMessage() throws {
        let receipts = try Self.receipts(Self.report("Action: failed\nStatus: 5.1.1", to: "bounce+x+y@acme.example"))
        #expect(receipts.map(\.message) == [nil])
    }

    @Test func whatIsNoReportReportsNothing() throws {
        #expect(try Self.receipts(Array("Subject: I am away\r\n\r\nuntil Monday".utf8)).isEmpty)
        #expect(try Self.receipts([]).isEmpty)
        #expect(try Self.receipts(Self.report("Action: failed", to: "x", type: "mixed")).isEmpty)
    }

    @Test func aBounceWithoutTheTokenIsNotTaken() throws {
        #expect(throws: ReceiptRefusal.unauthenticated) { try Self.receipts([], token: "another-0123456789") }
        let request = HTTPRequest(method: "GET", path: "/receipts/m1/\(Sample.token)")
        #expect(throws: ReceiptRefusal.malformed("not POST")) {
            try Self.driver(bounces: true).callback(request, now: Sample.now)
        }
    }

    /// Nothing that is cut off, doubled or mangled makes the parser crash or run long.
    @Test func anyMangledReportIsRead() throws {
        let report = Self.report("Action: failed\nStatus: 5.1.1", to: try Self.bounceAddress())
        for count in stride(from: 0, to: report.count, by: 7) { _ = try Self.receipts(Array(report[..<count])) }
        for index in stride(from: 0, to: report.count, by: 5) {
            var mangled = report
            mangled[index] = 0
            _ = try Self.receipts(mangled)
        }
        #expect(try Self.receipts([UInt8](repeating: 0x0A, count: 1 << 20)).isEmpty)
        #expect(try Self.receipts(Array(String(repeating: "--b1\n", count: 100_000).utf8)).isEmpty)
    }

    private static func reply(_ line: String) -> SMTPReply {
        SMTPReply(code: Int(line.prefix(3)) ?? 0, text: String(line.dropFirst(4)))
    }

    private struct Failure: Error {
        init(_ text: String) {}
    }
}
