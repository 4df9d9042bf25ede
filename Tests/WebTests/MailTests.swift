import Synchronization
import Testing
import WebClient

/// Mails to a server that is scripted line by line.
@Suite(.timeLimit(.minutes(1))) struct MailTests {
    /// Answers one conversation after another, a reply a command, and keeps what it was told.
    private final class Server: Sendable {
        let port: UInt16
        private let listener: RawListener
        private let told = Mutex<[String]>([])

        init() throws {
            self.listener = try RawListener()
            self.port = self.listener.port
        }

        var lines: [String] { self.told.withLock { $0 } }
        func lines(beginning prefix: String) -> [String] { self.lines.filter { $0.hasPrefix(prefix) } }

        /// Serves one connection; `reply` gets each command, and nil closes. After 354 the message's lines follow.
        func serve(
            greeting: String = "220 mx.example ready", _ reply: @escaping @Sendable (String) -> String?
        ) async throws {
            try await onThread {
                let connection = try self.listener.accept()
                defer { connection.close() }
                connection.send("\(greeting)\r\n")
                var (buffer, isMessage) = ("", false)
                while true {
                    if !buffer.contains("\r\n") {
                        let piece = try connection.receive { !$0.isEmpty }
                        if piece.isEmpty { return }
                        buffer += piece
                    }
                    guard let end = buffer.range(ofFirst: "\r\n") else { continue }
                    let line = String(buffer[..<end.lowerBound])
                    buffer = String(buffer[end.upperBound...])
                    self.told.withLock { $0.append(line) }
                    if isMessage, line != "." { continue }
                    guard let answer = reply(line) else { return }
                    isMessage = answer.hasPrefix("354")
                    connection.send("\(answer)\r\n")
                }
            }
        }

        func close() { self.listener.close() }
    }

    private static func accepting(_ line: String) -> String? {
        switch line.prefix(4).uppercased() {
        case "EHLO": "250-mx.example\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 SIZE 1000000"
        case "AUTH": "235 2.7.0 fine"
        case "DATA": "354 go on"
        case "QUIT": "221 bye"
        default: line == "." ? "250 2.0.0 Ok: queued as 4F12" : "250 2.1.0 fine"
        }
    }

    private static func mail(
        _ port: UInt16, security: MailRequest.Security = .none,
        authentication: MailRequest.Authentication = .none, recipient: String = "anna@example.com",
        message: String = "Subject: x\r\n\r\nhello\r\n.dot\r\n", timeout: Duration = .seconds(10)
    ) -> MailRequest {
        MailRequest(
            host: "127.0.0.1", port: port, greeting: "out.example", security: security,
            authentication: authentication, sender: "bounce@out.example", recipient: recipient,
            message: Array(message.utf8), timeout: timeout)
    }

    private static func run(
        greeting: String = "220 mx.example ready", _ reply: @escaping @Sendable (String) -> String?,
        _ body: (Server, WebClient) async throws -> Void
    ) async throws {
        let server = try Server()
        defer { server.close() }
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.serve(greeting: greeting, reply) }
            try await withClient { try await body(server, $0) }
            group.cancelAll()
            // What the server thinks of the end is not the question.
            try? await group.waitForAll()
        }
    }

    @Test func aMailIsHandedOverInOneTransaction() async throws {
        try await Self.run(Self.accepting) { server, client async throws in
            let reply = try await client.send(Self.mail(server.port))
            #expect(reply == MailReply(code: 250, text: "2.0.0 Ok: queued as 4F12"))
            #expect(server.lines.first == "EHLO out.example")
            #expect(server.lines(beginning: "MAIL").first?.hasPrefix("MAIL FROM:<bounce@out.example>") == true)
            #expect(server.lines(beginning: "RCPT") == ["RCPT TO:<anna@example.com>"])
            #expect(server.lines.contains("..dot"))
        }
    }

    @Test func theNextMailGoesInTheSameConversation() async throws {
        try await Self.run(Self.accepting) { server, client async throws in
            for _ in 0..<3 { #expect(try await client.send(Self.mail(server.port)).code == 250) }
            #expect(server.lines(beginning: "EHLO").count == 1)
            #expect(server.lines(beginning: "MAIL").count == 3)
        }
    }

    @Test(arguments: [
        (MailRequest.Authentication.plain(user: "u", password: "p"), "AUTH PLAIN"),
        (.login(user: "u", password: "p"), "AUTH LOGIN"), (.xoauth2(user: "u", token: "t"), "AUTH XOAUTH2"),
    ])
    func theClientLogsInAsItIsTold(authentication: MailRequest.Authentication, command: String) async throws {
        let steps = Mutex(0)
        try await Self.run { line in
            // LOGIN and PLAIN without an initial response go on for a line or two.
            if line.hasPrefix("AUTH LOGIN"), line == "AUTH LOGIN" { return "334 VXNlcm5hbWU6" }
            if line == "AUTH PLAIN" || line == "AUTH XOAUTH2" { return "334 " }
            if !line.contains(" "), line.hasSuffix("=="), command == "AUTH LOGIN" {
                return steps.withLock { steps in
                    steps += 1
                    return steps == 1 ? "334 UGFzc3dvcmQ6" : "235 2.7.0 fine"
                }
            }
            if !line.contains(" "), line.count > 4, line != ".", !line.contains(":") { return "235 2.7.0 fine" }
            return Self.accepting(line)
        } _: { server, client async throws in
            #expect(try await client.send(Self.mail(server.port, authentication: authentication)).code == 250)
            #expect(server.lines(beginning: command).count == 1)
        }
    }

    @Test(arguments: ["MAIL", "RCPT", "DATA", "."])
    func aRefusalIsAReplyWhereverItComes(at command: String) async throws {
        try await Self.run { line in
            line.hasPrefix(command) ? "550-5.7.1 not\r\n550 5.7.1 you" : Self.accepting(line)
        } _: { server, client async throws in
            let reply = try await client.send(Self.mail(server.port))
            #expect(reply == MailReply(code: 550, text: "5.7.1 not 5.7.1 you"))
        }
    }

    /// It says nothing of the mail, which may go elsewhere.
    @Test(arguments: ["554 5.7.1 no mail from you", "421 4.3.2 too busy", "500 what?"])
    func aSessionThatIsRefusedHasNotGotTheMail(greeting: String) async throws {
        try await Self.run(greeting: greeting, Self.accepting) { server, client async throws in
            let error = await #expect(throws: WebClientError.self) { try await client.send(Self.mail(server.port)) }
            #expect(error?.kind == .notSent)
            #expect(server.lines(beginning: "MAIL").isEmpty)
        }
    }

    @Test(arguments: ["554 5.7.1 not you", "421 4.3.2 too busy"])
    func whoIsNotEvenGreetedBackHasNotSentTheMail(reply: String) async throws {
        try await Self.run { line in
            line.hasPrefix("EHLO") || line.hasPrefix("HELO") ? reply : Self.accepting(line)
        } _: { server, client async throws in
            let error = await #expect(throws: WebClientError.self) { try await client.send(Self.mail(server.port)) }
            #expect(error?.kind == .notSent)
            #expect(server.lines(beginning: "MAIL").isEmpty)
        }
    }

    @Test func aRefusedSTARTTLSIsARefusedSession() async throws {
        try await Self.run { line in
            if line.hasPrefix("EHLO") { return "250-mx.example\r\n250 STARTTLS" }
            return line.hasPrefix("STARTTLS") ? "454 4.7.0 not now" : Self.accepting(line)
        } _: { server, client async throws in
            let error = await #expect(throws: WebClientError.self) {
                try await client.send(Self.mail(server.port, security: .startTLS))
            }
            #expect(error?.kind == .notSent)
            #expect(server.lines(beginning: "MAIL").isEmpty)
        }
    }

    @Test func whoseMailWasNotReadWholeHasNotGotIt() async throws {
        try await Self.run { line in
            line.hasPrefix("RCPT") ? nil : Self.accepting(line)
        } _: {
            server, client async throws in
            let error = await #expect(throws: WebClientError.self) { try await client.send(Self.mail(server.port)) }
            #expect(error?.kind == .notSent)
        }
    }

    @Test func aMailWhoseReplyIsLostMayHaveBeenTaken() async throws {
        try await Self.run { line in
            line == "." ? nil : Self.accepting(line)
        } _: { server, client async throws in
            let error = await #expect(throws: WebClientError.self) { try await client.send(Self.mail(server.port)) }
            #expect(error?.kind == .answerLost)
        }
    }

    @Test func withoutTLSNothingIsSaidToAServerThatShouldHaveIt() async throws {
        try await Self.run(Self.accepting) { server, client async throws in
            let mail = Self.mail(
                server.port, security: .startTLS, authentication: .plain(user: "u", password: "secret"))
            let error = await #expect(throws: WebClientError.self) { try await client.send(mail) }
            #expect(error?.kind == .notSent)
            #expect(server.lines(beginning: "MAIL").isEmpty && server.lines(beginning: "AUTH").isEmpty)
        }
    }

    @Test func aServerThatKnowsNoSuchLoginRefusesIt() async throws {
        try await Self.run { line in
            line.hasPrefix("EHLO") ? "250-mx.example\r\n250 AUTH CRAM-MD5" : Self.accepting(line)
        } _: { server, client async throws in
            let mail = Self.mail(server.port, authentication: .plain(user: "u", password: "p"))
            #expect(try await client.send(mail).code == 535)
            #expect(server.lines(beginning: "MAIL").isEmpty)
        }
    }

    @Test(arguments: ["a@b.example>\r\nRCPT TO:<c@d.example", "a b@c.example", ""])
    func whatWouldBeAnotherCommandIsNotSent(recipient: String) async throws {
        try await withClient { client async throws in
            let error = await #expect(throws: WebClientError.self) {
                try await client.send(Self.mail(1, recipient: recipient))
            }
            #expect(error?.kind == .notSent)
        }
    }

    @Test func nobodyThereIsNotSent() async throws {
        let port = try RawListener().port
        try await withClient { client async throws in
            let error = await #expect(throws: WebClientError.self) {
                try await client.send(Self.mail(port, timeout: .seconds(1)))
            }
            #expect(error?.kind == .notSent)
        }
    }
}
