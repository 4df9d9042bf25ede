import Carrier
import Channels
import Crypto
import HTTP
import Messaging
import Synchronization
import TestKeys
import Timestamps
import WebClient

/// One of our drivers and the carrier's side of its contract, over real sockets in both directions.
struct DriverFixture: Sendable {
    let driver: any HTTPDriver
    let client: WebClient
    let carrier: Carrier
    private let receipts: AsyncStream<Receipt>

    static func run(
        _ account: ContractAccount, wrongly: Bool = false, _ body: (DriverFixture) async throws -> Void
    ) async throws {
        let (receipts, receipt) = AsyncStream<Receipt>.makeStream()
        let receiver = Receiver(arrived: receipt)
        try await withClient { client in
            try await withServer(receiver.respond) { receiverPort in
                let receiptURL = "http://127.0.0.1:\(receiverPort)/receipts/p1"
                let carrier = Carrier(configuration: account.configuration(receiptURL), client: client)
                try await withServer(carrier.respond) { port in
                    let driver = try account.driver("http://127.0.0.1:\(port)", receiptURL, wrongly: wrongly)
                    receiver.serve(driver)
                    let fixture = DriverFixture(driver: driver, client: client, carrier: carrier, receipts: receipts)
                    try await Self.running(carrier) { try await body(fixture) }
                }
            }
        }
    }

    private static func running(_ carrier: Carrier, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await carrier.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            carrier.drain()
            try await group.waitForAll()
            try result.get()
        }
    }

    /// Nil when no answer came.
    func send(_ dispatch: Dispatch) async -> Outcome? {
        let outgoing = self.driver.request(for: [dispatch], now: .now)
        let request = WebRequest(
            method: outgoing.method, url: outgoing.url, fields: outgoing.fields, body: outgoing.body)
        guard let response = try? await self.client.send(request) else { return nil }
        return self.driver.outcomes(for: [dispatch], response: response)[0]
    }

    /// The next receipt that says how it ended.
    func nextEnd() async -> Receipt? {
        for await receipt in self.receipts where receipt.verdict.state.messageState != nil { return receipt }
        return nil
    }

    func inbox(_ recipient: String) async -> String {
        await self.carrier.get("/inbox?to=\(recipient.replacing("+", with: "%2B"))").text
    }

    func dispatch(_ suffix: String, of account: ContractAccount, code: String = "4938") -> Dispatch {
        var generator = SystemRandomNumberGenerator()
        let id = MessageID(
            lane: Lane(rawValue: 0), milliseconds: Timestamp.now.milliseconds, using: &generator)
        let number = "+999000\(suffix)"
        let isMail = account.channel == .email
        let text = isMail ? number + "@example.com" : number
        let recipient = Recipient(text, channel: account.channel)!  // As the test wrote it.
        let content: Content = isMail ? .mail(Mail(subject: "Code", text: code)) : .text(TextContent("Code \(code)"))
        return Dispatch(
            reference: MessageReference(id: id, series: 1), recipient: recipient, content: content,
            validity: .seconds(180))
    }
}

/// Our receiver, as far as one driver goes.
private final class Receiver: Sendable {
    private let driver = Mutex<(any HTTPDriver)?>(nil)
    private let arrived: AsyncStream<Receipt>.Continuation

    init(arrived: AsyncStream<Receipt>.Continuation) { self.arrived = arrived }

    func serve(_ driver: any HTTPDriver) { self.driver.withLock { $0 = driver } }

    func respond(_ request: HTTPRequest) async -> HTTPResponse {
        guard let driver = self.driver.withLock({ $0 }) else { return HTTPResponse(status: 404) }
        do throws(ReceiptRefusal) {
            switch try driver.callback(request, now: .now) {
            case .receipts(let receipts):
                for receipt in receipts { self.arrived.yield(receipt) }
                return driver.receiptAnswer()
            case .script: return (driver as? any ScriptWriter)?.script(Self.speech) ?? HTTPResponse(status: 404)
            case .answer(let response): return response
            }
        } catch {
            return HTTPResponse(status: error.status)
        }
    }

    static let speech = TextContent("Code 4938").spoken
}

/// An account with one of the contracts, known to both sides.
struct ContractAccount: Sendable, CustomStringConvertible {
    let kind: ProviderKind
    let channel: Messaging.Channel
    var credentials: [String: String]
    /// The credential by which the carrier knows us, and what it does not know.
    var wrong: (name: String, value: String)
    var settings: [String: String] = [:]
    var sender = "+15550100"
    var path = ""

    var description: String { self.kind.rawValue }

    static let all: [ContractAccount] = [
        ContractAccount(
            kind: .infobipVoice, channel: .voice,
            credentials: ["api_key": "k3y", "receipt_username": "user", "receipt_password": "pass"],
            wrong: ("api_key", "other")),
        ContractAccount(
            kind: .vonageVoice, channel: .voice,
            credentials: [
                "application_id": "app-1", "private_key": TestKey.pem, "signature_secret": "sigsecret",
                "api_key": "abcd1234",
            ], wrong: ("application_id", "other")),
        ContractAccount(
            kind: .twilioVoice, channel: .voice, credentials: ["account_sid": "AC01", "auth_token": "12345"],
            wrong: ("auth_token", "other")),
        ContractAccount(
            kind: .bandwidthVoice, channel: .voice,
            credentials: ["username": "api", "password": "s3cret", "receipt_username": "u", "receipt_password": "p"],
            wrong: ("password", "other"), settings: ["account_id": "500", "application_id": "app-1"]),
        ContractAccount(
            kind: .infobipEmail, channel: .email,
            credentials: ["api_key": "k3y", "receipt_username": "user", "receipt_password": "pass"],
            wrong: ("api_key", "other"), sender: "Acme <codes@acme.example>"),
        ContractAccount(
            kind: .sendGrid, channel: .email,
            credentials: ["api_key": "SG.1", "verification_key": TestKey.p256Public], wrong: ("api_key", "other"),
            sender: "Acme <codes@acme.example>"),
        ContractAccount(
            kind: .vonageMessages, channel: .sms,
            credentials: [
                "application_id": "app-1", "private_key": TestKey.pem, "signature_secret": "sigsecret",
                "api_key": "abcd1234",
            ], wrong: ("application_id", "other")),
        ContractAccount(
            kind: .webhook, channel: .sms, credentials: ["secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"],
            wrong: ("secret", "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"), path: "/gateway"),
    ]

    func driver(_ url: String, _ receiptURL: String, wrongly: Bool) throws -> any HTTPDriver {
        var credentials = self.credentials
        if wrongly { credentials[self.wrong.name] = self.wrong.value }
        let account = ProviderAccount(
            id: ProviderID(rawValue: 1), name: "p1", kind: self.kind, baseURL: url + self.path,
            credentials: Credentials(credentials.mapValues { Secret($0) }), receiptURL: receiptURL,
            defaultSender: self.sender, settings: self.settings)
        guard case .http(let driver) = try Drivers.make(account).wire else { preconditionFailure("not over HTTP") }
        return driver
    }

    func configuration(_ receiptURL: String) -> Carrier.Configuration {
        .test { configuration in
            configuration.infobip.receiptAuthorization = .basic(user: "user", password: Secret("pass"))
            configuration.services.vonage.applicationID = "app-1"
            configuration.services.vonage.publicKey = RSAPublicKey(pem: TestKey.publicPEM)
            configuration.services.vonage.apiKey = "abcd1234"
            configuration.services.vonage.signatureSecret = Secret("sigsecret")
            configuration.services.twilio.accountSID = "AC01"
            configuration.services.twilio.authToken = Secret("12345")
            configuration.services.bandwidth.username = "api"
            configuration.services.bandwidth.password = Secret("s3cret")
            configuration.services.sendGrid.apiKey = Secret("SG.1")
            configuration.services.sendGrid.signingKey = ECDSAPrivateKey(pem: Secret(TestKey.p256))
            configuration.services.sendGrid.receiptURL = receiptURL
            configuration.services.gateway.secret = Secret("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
            configuration.services.gateway.receiptURL = receiptURL
        }
    }
}
