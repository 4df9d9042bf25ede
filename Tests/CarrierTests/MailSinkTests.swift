import Crypto
import Messaging
import Polling
import Synchronization
import Telemetry
import Testing
import WebClient

@testable import Carrier

/// The carrier as a mail server.
@Suite(.timeLimit(.minutes(1))) struct MailSinkTests {
    // MARK: - Conversations

    private static func converse(
        _ commands: String, login: Bool = false, fault: Fault? = nil, byteByByte: Bool = false
    ) -> (replies: [String], mails: [SMTPMail], isClosed: Bool) {
        var session = SMTPSession(name: "mx", isLogin: login ? { $0 == "anna" && $1 == "secret" } : nil)
        let bytes = Array(commands.replacing("\n", with: "\r\n").utf8)
        let steps =
            byteByByte
            ? bytes.flatMap { session.receive([$0]) { _ in fault } } : session.receive(bytes) { _ in fault }
        var (replies, mails): ([String], [SMTPMail]) = ([], [])
        for step in steps {
            if case .reply(let text) = step { replies.append(String(text.prefix(9))) }
            if case .take(let mail) = step { mails.append(mail) }
        }
        return (replies.map { String($0.prefix { $0 != "\r" }) }, mails, steps.contains(.close))
    }

    private static let mail =
        "EHLO x\nMAIL FROM:<a@b.example> SIZE=9\nRCPT TO:<c@d.example>\nDATA\nSubject: x\n\n..y\n.\nQUIT\n"

    @Test(arguments: [true, false])
    func aMailComesInPipelinedOrByteByByte(byteByByte: Bool) {
        let (replies, mails, isClosed) = Self.converse(Self.mail, byteByByte: byteByByte)
        #expect(replies.map { $0.prefix(3) } == ["250", "250", "250", "354", "250", "221"])
        #expect(mails.map(\.recipient) == ["c@d.example"] && mails.map(\.sender) == ["a@b.example"])
        #expect(mails.map { String(decoding: $0.message, as: UTF8.self) } == ["Subject: x\r\n\r\n.y\r\n"])
        #expect(isClosed)
    }

    @Test(arguments: [
        ("DATA\n", ["503 5.5.1"]), ("RCPT TO:<a@b.c>\n", ["503 5.5.1"]), ("MAIL a@b.c\n", ["501 5.5.4"]),
        ("VRFY x\n", ["502 5.5.1"]),
        ("MAIL FROM:<>\nRCPT TO:<a@b.c>\nRSET\nDATA\n", ["250 2.1.0", "250 2.1.5", "250 2.0.0", "503 5.5.1"]),
        ("MAIL FROM:<>\nRCPT TO:<a@b.c>\nRCPT TO:<d@e.f>\n", ["250 2.1.0", "250 2.1.5", "452 4.5.3"]),
    ])
    func whatIsOutOfPlaceIsRefused(commands: String, replies: [String]) {
        #expect(Self.converse(commands).replies == replies)
    }

    @Test func mailsWantALogin() {
        let good = Base64.encode(Array("\0anna\0secret".utf8))
        let bad = Base64.encode(Array("\0anna\0wrong".utf8))
        #expect(Self.converse("MAIL FROM:<a@b.c>\n", login: true).replies == ["530 5.7.0"])
        #expect(
            Self.converse("AUTH PLAIN \(bad)\nMAIL FROM:<a@b.c>\n", login: true).replies == ["535 5.7.8", "530 5.7.0"])
        #expect(
            Self.converse("AUTH PLAIN\n\(good)\nMAIL FROM:<a@b.c>\n", login: true).replies == [
                "334 ", "235 2.7.0", "250 2.1.0",
            ])
        #expect(Self.converse("AUTH CRAM-MD5\n", login: true).replies == ["504 5.5.4"])
    }

    @Test(arguments: [
        (Fault.Kind.refuse, "550 5.1.1"), (.throttle, "450 4.7.1"), (.internalError, "451 4.3.0"),
    ])
    func aFaultRefusesTheRecipient(kind: Fault.Kind, reply: String) {
        let (replies, mails, _) = Self.converse("MAIL FROM:<>\nRCPT TO:<a@b.c>\n", fault: Fault(kind))
        #expect(replies == ["250 2.1.0", reply] && mails.isEmpty)
    }

    @Test func aFaultBefallsTheAnswer() {
        let dropped = Self.converse(Self.mail, fault: Fault(.dropAnswer))
        #expect(dropped.mails.count == 1 && dropped.isClosed && dropped.replies.last?.hasPrefix("354") == true)
        let closed = Self.converse(Self.mail, fault: Fault(.closeBeforeRead))
        #expect(closed.mails.isEmpty && closed.isClosed)
    }

    @Test func anEndlessLineEndsTheConversation() {
        let (_, _, isClosed) = Self.converse(String(repeating: "x", count: 5000))
        #expect(isClosed)
    }

    // MARK: - Over a socket

    @Test func aMailLiesInItsMailbox() async throws {
        try await withCarrier {
            $0.mail.user = "anna"; $0.mail.password = Secret("secret")
        } _: { carrier, _ async throws in
            try await Self.withSink(carrier) { port async throws in
                let client = WebClient()
                client.start()
                var mail = MailRequest(
                    host: "127.0.0.1", port: port, greeting: "out.example", security: .none,
                    authentication: .plain(user: "anna", password: "secret"), sender: "a@b.example",
                    recipient: "anna@example.com",
                    message: Array(
                        ("Subject: =?utf-8?B?\(Base64.encode(Array("Grüße ".utf8)))?=\r\n =?utf-8?B?\(Base64.encode(Array("an".utf8)))?= x\r\n"
                            + "Message-ID: <r-1@b.example>\r\nFrom: \"Acme\" <a@b.example>\r\n"
                            + "Content-Transfer-Encoding: quoted-printable\r\n\r\nf=C3=BCr =\r\nalle\r\n.\r\n").utf8))
                for _ in 0..<2 { #expect(try await client.send(mail).code == 250) }
                let inbox = await carrier.get("/inbox?to=anna@example.com").text
                #expect(inbox.contains(#""text":"für alle\n.","channel":"email""#))
                #expect(inbox.contains(#""subject":"Grüße an x""#))
                #expect(await carrier.get("/arrivals?reference=r-1").text.contains(#""count":2"#))
                mail.recipient = "+9990000001@example.com"
                #expect(try await client.send(mail) == MailReply(code: 550, text: "5.1.1 nobody here"))
                mail.recipient = "+9990000004@example.com"
                await #expect(throws: WebClientError.self) { _ = try await client.send(mail) }
                mail.authentication = .plain(user: "anna", password: "wrong")
                #expect(try await client.send(mail).code == 535)
                await client.stop()
            }
        }
    }

    private static func withSink(_ carrier: Carrier, _ body: (UInt16) async throws -> Void) async throws {
        let (ports, port) = AsyncStream.makeStream(of: UInt16.self)
        let sink = MailSink(carrier, address: "127.0.0.1", port: 0, logger: .silent) { port.yield($0) }
        try await withThrowingTaskGroup { group in
            group.addTask { try await sink.run() }
            var iterator = ports.makeAsyncIterator()
            let result: Result<Void, any Error>
            do {
                guard let port = await iterator.next() else { return }
                result = .success(try await body(port))
            } catch { result = .failure(error) }
            sink.drain()
            try await group.waitForAll()
            try result.get()
        }
    }
}
