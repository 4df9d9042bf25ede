import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Testing
import Timestamps
import WebClient

@testable import Carrier

/// Each driver of one message a request against the carrier's side of its contract, over real sockets. Neither knows the
/// other's code: what one signs by its own hand, the other must verify by its own.
@Suite(.timeLimit(.minutes(2))) struct ContractTests {
    /// A contract: what the operator enters, and what the carrier knows of the same account.
    struct Case: Sendable, CustomTestStringConvertible {
        var kind: ProviderKind
        var provider: Provider
        var credentials: [String: String]
        /// What makes receipts of the carrier's look forged.
        var otherProof: [String: String]
        var settings: [String: String] = [:]
        var canBeAsked = true
        var configure: @Sendable (inout Carrier.Configuration, _ receiptURL: String) -> Void

        var testDescription: String { self.kind.rawValue }

        func account(_ url: String, _ receiptURL: String, _ credentials: [String: String] = [:]) -> ProviderAccount {
            let all = self.credentials.merging(credentials) { $1 }
            return ProviderAccount(
                id: ProviderID(rawValue: 1), name: "p1", kind: self.kind, baseURL: url,
                credentials: Credentials(all.mapValues { Secret($0) }), receiptURL: receiptURL,
                defaultSender: "+41790000000", settings: self.settings)
        }

        func configuration(_ receiptURL: String) -> Carrier.Configuration {
            var configuration = Carrier.Configuration.test()
            self.configure(&configuration, receiptURL)
            return configuration
        }
    }

    private static let seed = Secret([UInt8](repeating: 3, count: 32))
    private static let publicKey = Ed25519PrivateKey(rawRepresentation: seed).map { Base64.encode($0.publicKey) } ?? ""
    private static let otherKey =
        Ed25519PrivateKey(rawRepresentation: Secret([UInt8](repeating: 4, count: 32))).map {
            Base64.encode($0.publicKey)
        } ?? ""

    static let cases = [
        Case(
            kind: .twilioSMS, provider: .twilio, credentials: ["account_sid": "AC1", "auth_token": "t0ken"],
            otherProof: ["auth_token": "other"]
        ) { configuration, _ in
            configuration.twilio.user = "AC1"
            configuration.twilio.secret = Secret("t0ken")
        },
        Case(
            kind: .bandwidthSMS, provider: .bandwidth,
            credentials: [
                "username": "api", "password": "p4ss", "receipt_username": "user", "receipt_password": "word",
            ], otherProof: ["receipt_password": "other"],
            settings: ["account_id": "9900000", "application_id": "app"], canBeAsked: false
        ) { configuration, receiptURL in
            configuration.bandwidth.user = "api"
            configuration.bandwidth.secret = Secret("p4ss")
            configuration.bandwidth.receiptUser = "user"
            configuration.bandwidth.receiptPassword = Secret("word")
            configuration.bandwidth.receiptURL = receiptURL
        },
        Case(
            kind: .telnyxSMS, provider: .telnyx, credentials: ["api_key": "KEY1", "public_key": publicKey],
            otherProof: ["public_key": otherKey]
        ) { configuration, _ in
            configuration.telnyx.secret = Secret("KEY1")
            configuration.telnyx.signingKey = seed
        },
        Case(
            kind: .plivoSMS, provider: .plivo, credentials: ["auth_id": "MA1", "auth_token": "t0ken"],
            otherProof: ["auth_token": "other"]
        ) { configuration, _ in
            configuration.plivo.user = "MA1"
            configuration.plivo.secret = Secret("t0ken")
        },
        Case(
            kind: .sinchSMS, provider: .sinch,
            credentials: ["api_token": "t0ken", "receipt_username": "user", "receipt_password": "word"],
            otherProof: ["receipt_password": "other"], settings: ["service_plan_id": "plan"]
        ) { configuration, _ in
            configuration.sinch.secret = Secret("t0ken")
            configuration.sinch.receiptUser = "user"
            configuration.sinch.receiptPassword = Secret("word")
        },
        Case(
            kind: .messageBirdSMS, provider: .messageBird, credentials: ["access_key": "k3y", "signing_key": "sign"],
            otherProof: ["signing_key": "other"]
        ) { configuration, _ in
            configuration.messageBird.secret = Secret("k3y")
            configuration.messageBird.signingKey = Secret("sign")
        },
    ]

    private static let reference = MessageReference(
        id: MessageID(high: 0x0192_D1E4_7000_7000, low: 0x8000_0000_0000_0001), series: 2)

    private static func dispatch(to number: String) throws -> Dispatch {
        Dispatch(
            reference: self.reference, recipient: try #require(Recipient(number, channel: .sms)),
            content: .text(TextContent("Ваш код & 123456")), validity: .seconds(180))
    }

    private func with(
        _ item: Case, _ credentials: [String: String] = [:], _ body: @escaping @Sendable (Line) async throws -> Void
    ) async throws {
        try await withLine(
            { item.configuration($0) }, account: { item.account($0, $1, credentials) }, body)
    }

    private static func id(_ outcome: Outcome) throws -> String {
        guard case .accepted(let parts) = outcome, parts.count == 1 else {
            Issue.record("not accepted: \(outcome)")
            return ""
        }
        return parts[0]
    }

    private static func refusal(_ outcome: Outcome) -> (verdict: Verdict, wait: Duration?)? {
        guard case .refused(let verdict, _, let wait) = outcome else { return nil }
        return (verdict, wait)
    }

    @Test(arguments: cases) func aMessageArrivesAndItsReceiptIsProved(_ item: Case) async throws {
        try await self.with(item) { line in
            let id = try Self.id(try await line.send(try Self.dispatch(to: "+41791234567")))
            let inbox = await line.carrier.get("/inbox?to=%2B41791234567").json
            #expect(inbox["text"] == "Ваш код & 123456")
            #expect(inbox["from"]?.string?.hasSuffix("41790000000") == true)
            let receipts = try await line.receipts()
            #expect(receipts.map(\.message) == [Self.reference])
            #expect(receipts.map(\.part) == [id])
            #expect(receipts.map(\.verdict) == [Verdict(.delivered, .none, .none, .ok)])
            #expect(receipts.map(\.coversMessage) == [true])
            #expect(await line.carrier.get("/arrivals?reference=\(Self.reference)").json["count"] == 1)
        }
    }

    @Test(arguments: cases) func aReceiptUnderAnotherProofIsRefused(_ item: Case) async throws {
        // The token proves requests, too, where there is but one secret; so the carrier takes whatever comes.
        try await withLine(
            { url in
                var configuration = item.configuration(url)
                configuration.acceptsAnyCredential = true
                return configuration
            }, account: { item.account($0, $1, item.otherProof) }
        ) { line in
            _ = try await line.send(try Self.dispatch(to: "+41791234567"))
            let callback = await line.callback()
            #expect(throws: ReceiptRefusal.unauthenticated) { try line.driver.receipts(in: callback, now: .now) }
        }
    }

    @Test(arguments: cases) func faultsOfRequestsAreOutcomes(_ item: Case) async throws {
        try await self.with(item) { line in
            let refused = try await line.send(try Self.dispatch(to: "+9990000001"))
            let verdict = try #require(Self.refusal(refused)).verdict
            #expect([.rejected, .failed].contains(verdict.state))
            let throttled = try await line.send(try Self.dispatch(to: "+9990000002"))
            let (slow, wait) = try #require(Self.refusal(throttled))
            #expect(slow.action == .throttle)
            // Bandwidth names no time.
            #expect(wait == (item.provider == .bandwidth ? nil : .seconds(1)))
            let broken = try await line.send(try Self.dispatch(to: "+9990000006"))
            let error = try #require(Self.refusal(broken)).verdict
            #expect(error.action == .retrySame)
            #expect(await line.carrier.get("/inbox").text.isEmpty)
            #expect(try await line.send(try Self.dispatch(to: "+9990000007")) == .unanswered(.providerError))
            // Taken, although nobody could know.
            _ = try await line.receipts()
            await #expect(throws: WebClientError.self) { try await line.send(try Self.dispatch(to: "+9990000004")) }
            _ = try await line.receipts()
            await #expect(throws: WebClientError.self) { try await line.send(try Self.dispatch(to: "+9990000005")) }
            #expect(await line.carrier.get("/inbox?to=%2B9990000005").text.isEmpty)
        }
    }

    /// A code that somebody asks for comes as the provider would send it, and means what the table says.
    static let codes: [(Provider, String, Verdict.Action)] = [
        (.twilio, "21610", .stopSuppress), (.twilio, "21408", .failover),
        (.bandwidth, "max-message-queue-size-exceeded", .throttle), (.telnyx, "20100", .haltProvider),
        (.telnyx, "40309", .failover), (.plivo, "402", .haltProvider), (.messageBird, "25", .haltProvider),
        (.sinch, "unknown_campaign", .failoverOnce),
    ]

    @Test(arguments: codes)
    func aRefusalMayHaveACode(_ provider: Provider, _ code: String, _ action: Verdict.Action) async throws {
        let item = try #require(Self.cases.first { $0.provider == provider })
        try await self.with(item) { line in
            #expect(await line.carrier.addFault(["fault": "refuse", "code": .string(code)]) == 201)
            let outcome = try await line.send(try Self.dispatch(to: "+41791234567"))
            let verdict = try #require(Self.refusal(outcome)).verdict
            #expect(verdict.action == action)
        }
    }

    @Test(arguments: cases) func faultsOfReceiptsAreReceipts(_ item: Case) async throws {
        try await self.with(item) { line in
            _ = try await line.send(try Self.dispatch(to: "+9990000011"))
            let failed = try await line.receipts()
            #expect(failed.map(\.verdict.state.messageState) == [.undelivered])
            #expect(failed[0].code != "")
            let twice = try Self.id(try await line.send(try Self.dispatch(to: "+9990000013")))
            for _ in 0..<2 { #expect(try await line.receipts().map(\.part) == [twice]) }
            _ = try await line.send(try Self.dispatch(to: "+9990000016"))
            #expect(try await line.receipts().map(\.verdict.state) == [.delivered])
            #expect(try await line.receipts().map(\.verdict.state) == [.sent])
            let early = try Self.id(try await line.send(try Self.dispatch(to: "+9990000015")))
            #expect(try await line.receipts().map(\.part) == [early])
        }
    }

    @Test(arguments: cases) func aMessageThatHasNoReceiptIsAskedAfter(_ item: Case) async throws {
        try await self.with(item) { line in
            let id = try Self.id(try await line.send(try Self.dispatch(to: "+9990000012")))
            let recipient = try #require(Recipient("+9990000012", channel: .sms))
            let inquiry = Inquiry(reference: Self.reference, parts: [id], recipient: recipient)
            let receipts = try await line.ask(inquiry)
            guard item.canBeAsked else {
                #expect(receipts == nil)
                return
            }
            #expect(receipts?.map(\.message) == [Self.reference])
            #expect(receipts?.map(\.verdict.state) == [.delivered])
            let unknown = Inquiry(reference: Self.reference, parts: ["nobody"], recipient: recipient)
            #expect(try await line.ask(unknown) == [])
        }
    }

    /// Each report is given out once.
    @Test func infobipGivesAReportOutOnce() async throws {
        try await withLine(
            { _ in .test() },
            account: { url, receiptURL in
                ProviderAccount(
                    id: ProviderID(rawValue: 1), name: "p1", kind: .infobipSMS, baseURL: url,
                    credentials: ["api_key": Secret("k3y"), "receipt_token": Secret("receipts-0123456789")],
                    receiptURL: receiptURL, defaultSender: "Acme")
            }
        ) { line in
            #expect(try await line.send(try Self.dispatch(to: "+9990000012")) == .accepted(parts: []))
            let recipient = try #require(Recipient("+9990000012", channel: .sms))
            let inquiry = Inquiry(reference: Self.reference, parts: [], recipient: recipient)
            #expect(try await line.ask(inquiry)?.map(\.verdict.state) == [.delivered])
            #expect(try await line.ask(inquiry) == [])
        }
    }

    @Test(arguments: cases) func aStrangerIsRefused(_ item: Case) async throws {
        let secrets = ["auth_token", "password", "api_key", "api_token", "access_key"]
        let wrong = item.credentials.filter { secrets.contains($0.key) }.mapValues { _ in "wrong" }
        try await self.with(item, wrong) { line in
            let outcome = try await line.send(try Self.dispatch(to: "+41791234567"))
            let verdict = try #require(Self.refusal(outcome)).verdict
            #expect(verdict == Verdict(.failed, .config, .haltProvider, .authFailed))
            #expect(await line.carrier.get("/inbox").text.isEmpty)
        }
    }

    /// What a request lacks, and what only looks like one of the contract's.
    static let malformed: [(String, String, String)] = [
        ("/2010-04-01/Accounts/AC1/Messages.json", "To=%2B41791234567", "21603"),
        ("/2010-04-01/Accounts/AC1/Messages.json", "%ZZ", "21602"),
        ("/api/v2/users/9900000/messages", "[]", "request-validation"),
        (
            "/api/v2/users/9900000/messages",
            #"{"applicationId":"a","to":["+41791234567","+41791234568"],"from":"x","text":"y"}"#, "request-validation"
        ),
        ("/v2/messages", "{", "40304"), ("/v1/Account/MA1/Message/", "null", "body is wrong"),
        ("/xms/v1/plan/batches", #"{"to":["+41791234567"],"from":"x","body":"y"}"#, "syntax_invalid_parameter_format"),
        ("/messages", #"{"recipients":["41791234567","41791234568"]}"#, "9"),
    ]

    @Test(arguments: malformed) func whatIsWrongIsRefused(_ path: String, _ body: String, _ word: String) async throws {
        try await withCarrier({ $0.acceptsAnyCredential = true }) { carrier, office in
            let request = HTTPRequest(method: "POST", path: path, body: Array(body.utf8))
            let answer = await carrier.respond(to: request)
            #expect((400...422).contains(answer.status))
            #expect(answer.text.contains(word))
            #expect(office.count == 0)
        }
    }
}
