public import HTTP
public import Lifecycle
import Messaging
import Synchronization
public import Telemetry
public import Timestamps
public import WebClient

/// The simulated carrier: stands for real providers, and does on demand what real ones do only now and then.
///
/// **Sending.** `POST /sms/json` speaks Vonage's SMS API, `POST /sms/3/messages` Infobip's SMS API v3; a ``ShortMessageCenter``
/// takes SMPP beside it; `POST /calls` and
/// `POST /mails` are a contract of its own. Calls, mails and gateways: `POST /tts/3/advanced` (Infobip), `/v1/calls` and
/// `/v1/messages` (Vonage), `/2010-04-01/Accounts/SID/Calls.json` (Twilio), `/api/v2/accounts/ID/calls` (Bandwidth, which asks
/// what to say when the call is answered), `/email/4/messages` (Infobip), `/v3/mail/send` (SendGrid) and `/gateway` (an
/// operator's own). Twilio's, Bandwidth's, Telnyx's, Plivo's, Sinch's and MessageBird's contracts of short messages have their own
/// paths, each with inquiries where the provider has them. Every message taken lies in the inbox
/// at once, and its receipts are posted after ``Configuration/receiptDelay``.
///
/// **Looking.** `GET /inbox`, `GET /inbox?to=+41791234567` and `GET /inbox?to=anna@example.com` answer what the handsets
/// and mailboxes have received, newest last, one JSON object a line; `DELETE /inbox` empties it. `GET /statistics` counts. `GET /arrivals?reference=…` answers how
/// often a client's reference arrived: Vonage's `client-ref`, Infobip's `messageId` or, where that is absent,
/// `callbackData`, the own contract's `reference`; without a reference all of them, one a line, with `minimum=2` only those that arrived so often.
///
/// **Faults.** `POST /faults` adds a rule, as in `{"fault":"drop_answer","provider":"vonage","to":"+4179","times":3}`;
/// `GET /faults` lists them and `DELETE /faults` ends them. The first rule that fits is taken; at most one of those that
/// befall a request and one of those that befall a message.
///
/// A number in the prefix +999, which belongs to no country, asks for a fault by its last four digits; so does an address
/// by a local part of that form, as in `+9990000004@example.com`:
///
/// | digits | `fault` | what happens |
/// |---|---|---|
/// | 0001 | `refuse` | the message is refused, with `code` or as an invalid destination |
/// | 0002 | `throttle` | the request is refused: come back after `milliseconds` (1 s) |
/// | 0003 | `slow` | taken, and answered after `milliseconds` (2 s) |
/// | 0004 | `drop_answer` | taken, and the connection closed without an answer |
/// | 0005 | `close_before_read` | not taken, and the connection closed without an answer |
/// | 0006 | `http_500` | not taken, status 500 |
/// | 0007 | `garbage` | taken, and answered with a page of HTML |
/// | 0011 | `receipt_failed` | the receipt says that it failed, with `code` or as an unknown error (Vonage) or subscriber |
/// | 0012 | `receipt_never` | no receipt |
/// | 0013 | `receipt_twice` | the receipt comes twice |
/// | 0014 | `receipt_late` | the receipt comes after `milliseconds` (10 s) |
/// | 0015 | `receipt_early` | the receipt is posted before the answer is given |
/// | 0016 | `receipt_out_of_order` | parts in reverse, and a state on the way after the final one |
/// | 0021 | `call_busy` | the call finds the line busy |
/// | 0022 | `call_no_answer` | nobody answers the call |
/// | 0023 | `call_machine` | a machine answers it |
///
/// Every choice is drawn from one generator that begins at ``Configuration/seed``.
public final class Carrier: Service {
    /// Posts a receipt and returns the answer's status; nil when none came.
    public typealias Post = @Sendable (WebRequest) async -> Int?
    /// Asks what a call is to say; nil when no answer came.
    public typealias Ask = @Sendable (WebRequest) async -> HTTPResponse?

    public let name = "carrier"
    let configuration: Configuration
    let now: @Sendable () -> Timestamp
    let logger: Logger
    let sendReceipt: Post
    let ask: Ask
    let state: Mutex<CarrierState>
    let smppSessions = CenterSessions()

    /// `post` is called ``Configuration/postLimit`` times at once at most, early receipts apart.
    public init(
        configuration: Configuration, logger: Logger = .silent, now: @escaping @Sendable () -> Timestamp = { .now },
        ask: @escaping Ask = { _ in nil }, post: @escaping Post
    ) {
        precondition(configuration.postLimit > 0, "without posts there are no receipts")
        self.configuration = configuration
        self.logger = logger
        self.now = now
        self.sendReceipt = post
        self.ask = ask
        self.state = Mutex(CarrierState(configuration))
    }

    /// Posts receipts with `client`, which somebody else starts and stops.
    public convenience init(configuration: Configuration, client: WebClient, logger: Logger = .silent) {
        let ask: Ask = { request in
            do throws(WebClientError) {
                return try await client.send(request)
            } catch {
                logger.debug("a receipt was not taken", ["error": Described(error)])
                return nil
            }
        }
        self.init(configuration: configuration, logger: logger, ask: ask) { await ask($0)?.status }
    }

    /// Answers any request of the above, or ``HTTPResponse/dropConnection``. Ends early when its task is cancelled.
    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        if request.method == "POST", let service = self.service(of: request.path) {
            return await self.answer(request, by: service)
        }
        if let (contract, errand) = self.contract(of: request) {
            return await self.answer(request, errand, by: contract)
        }
        return switch (request.method, request.path) {
        case ("POST", "/sms/json"): await self.answerVonage(request)
        case ("POST", "/sms/3/messages"): await self.answerInfobip(request)
        case ("GET", "/sms/3/reports"): self.showInfobipReports(request)
        case ("POST", "/calls"): await self.answerOwn(request, .voice)
        case ("POST", "/mails"): await self.answerOwn(request, .email)
        case ("GET", "/inbox"): self.showInbox(request)
        case ("DELETE", "/inbox"): self.emptyInbox()
        case ("GET", "/statistics"): .json(200, self.state.withLock { $0.statistics })
        case ("GET", "/arrivals"): self.showArrivals(request)
        case ("GET", "/faults"): self.showFaults()
        case ("POST", "/faults"): self.addFault(request)
        case ("DELETE", "/faults"): self.endFaults()
        case (_, let path): .problem(Self.paths.contains(path) ? 405 : 404, "no \(request.method) here")
        }
    }

    private static let paths = [
        "/sms/json", "/sms/3/messages", "/sms/3/reports", "/calls", "/mails", "/inbox", "/statistics", "/arrivals",
        "/faults",
    ]
}
