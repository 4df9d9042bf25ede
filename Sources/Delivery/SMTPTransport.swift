import Channels
import Crypto
import HTTP
import Lifecycle
import Messaging
import Telemetry
import Timestamps
import WebClient

/// For ``Wire/smtp(_:)``: a mail for each dispatch, in connections that are kept from one mail to the next.
///
/// The client is its own, with a thread of its own: libcurl says good-bye to a mail server while it waits for the answer, and
/// nobody else's requests should wait with it. How many connections there are is the provider's limit of requests at once.
struct SMTPTransport: Transport {
    /// For log lines.
    let provider: String
    let driver: SMTPDriver
    let logger: Logger
    private let client: WebClient
    private let closed = Signal()

    init(provider: String, driver: SMTPDriver, logger: Logger) {
        self.provider = provider
        self.driver = driver
        self.logger = logger
        self.client = WebClient(WebClient.Configuration())
        self.client.start()
    }

    func outcomes(of dispatches: [Dispatch], timeout: Duration) async -> [Outcome] {
        var outcomes: [Outcome] = []
        for dispatch in dispatches { outcomes.append(await self.outcome(of: dispatch, timeout: timeout)) }
        return outcomes
    }

    func run() async {
        await self.closed.wait()
        await self.client.stop()
    }

    func close() { self.closed.ring() }

    // MARK: - Private

    private func outcome(of dispatch: Dispatch, timeout: Duration) async -> Outcome {
        let mail = self.driver.mail(for: dispatch, now: .now)
        do {
            let reply = try await self.client.send(MailRequest(mail, to: self.driver.server, timeout: timeout))
            return self.driver.outcome(of: SMTPReply(code: reply.code, text: reply.text))
        } catch {
            self.logger.warning("no answer from the provider", ["provider": self.provider, "error": error.reason])
            return error.outcome
        }
    }
}

extension MailRequest {
    init(_ mail: OutgoingMail, to server: MailServer, timeout: Duration) {
        self.init(
            host: server.host, port: server.port, greeting: server.greeting, security: Security(server.security),
            authentication: Authentication(server.login), certificateFile: server.certificateFile, sender: mail.sender,
            recipient: mail.recipient, message: mail.message, timeout: timeout)
    }
}

extension MailRequest.Security {
    fileprivate init(_ security: MailServer.Security) {
        switch security {
        case .tls: self = .tls
        case .startTLS: self = .startTLS
        case .none: self = .none
        }
    }
}

extension MailRequest.Authentication {
    fileprivate init(_ login: MailServer.Login) {
        switch login {
        case .none: self = .none
        case .plain(let user, let password): self = .plain(user: user, password: password.text)
        case .login(let user, let password): self = .login(user: user, password: password.text)
        case .xoauth2(let user, let token): self = .xoauth2(user: user, token: token.text)
        }
    }
}
