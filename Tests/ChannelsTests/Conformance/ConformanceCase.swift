import Channels
import Crypto
import HTTP
import Messaging
import Testing
import Timestamps

/// What one driver has to show: everything that the contract says of its provider, as data. ``ConformanceTests`` runs the
/// same checks over all of them; a driver joins by an entry in ``all``.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    /// Messages, and the request that carries them.
    struct Sending: Sendable {
        var dispatches: [Dispatch]
        var method = "POST"
        var url: String
        var fields: HTTPFields
        var body: String
    }

    /// A response to the first of ``sendings``, and what became of its messages.
    struct Answer: Sendable {
        var response: HTTPResponse
        var outcomes: [Outcome]

        init(_ status: Int, _ body: String, _ outcomes: Outcome..., fields: HTTPFields = [:]) {
            self.response = HTTPResponse(status: status, fields: fields, body: Array(body.utf8))
            self.outcomes = outcomes
        }
    }

    /// A callback as the provider sends it, and what it reports.
    struct Callback: Sendable {
        var request: HTTPRequest
        var receipts: [Receipt]
    }

    /// A status, with codes that it may come with, and what they mean.
    struct Meaning: Sendable {
        var status: String
        var codes: [String]
        var verdict: Verdict

        init(_ status: String, _ verdict: Verdict) { self.init(status, [""], verdict) }

        init(_ status: String, _ codes: [String], _ verdict: Verdict) {
            self.status = status
            self.codes = codes
            self.verdict = verdict
        }

        init(_ status: String, _ codes: [Int], _ verdict: Verdict) {
            self.init(status, codes.map(String.init), verdict)
        }
    }

    /// How a message is asked after.
    struct Asking: Sendable {
        var inquiry: Inquiry
        var url: String
        /// What the provider answers, and what that reports.
        var answer: String
        var receipts: [Receipt]
    }

    /// Pieces of a callback that its proof covers: a change to any must be noticed.
    enum Proof: Sendable, Hashable {
        case path, query, body
        case field(String)
    }

    var account: ProviderAccount
    var sendings: [Sending]
    var answers: [Answer]
    var callbacks: [Callback]
    /// The first of ``callbacks`` with another status and code, unproved.
    var report: @Sendable (_ status: String, _ code: String) -> HTTPRequest
    var meanings: [Meaning]
    /// Nil where the provider cannot be asked.
    var asking: Asking?
    /// Has a callback proved as the provider proves it.
    var proving: @Sendable (HTTPRequest) -> HTTPRequest
    var proofs: Set<Proof>
    var now = Sample.now
    /// One that no table holds.
    var unknownStatus = "teleported"
    /// A success without a body takes the messages.
    var takesSilence = false
    /// Requests carry a token that is new each time; their `Authorization` is compared without it.
    var mintsTokens = false

    var testDescription: String { self.account.kind.rawValue }

    func driver() throws -> any HTTPDriver { try Sample.httpDriver(self.account) }

    static let all: [ConformanceCase] = [
        .vonageSMS, .infobipSMS, .twilioSMS, .bandwidthSMS, .telnyxSMS, .plivoSMS, .sinchSMS, .messageBirdSMS,
        .infobipVoice, .vonageVoice, .twilioVoice, .bandwidthVoice, .infobipEmail, .sendGrid, .vonageMessages, .webhook,
    ]
}

extension Sample {
    static func account(
        _ kind: ProviderKind, _ credentials: [String: String], settings: [String: String] = [:],
        url: String? = nil, receiptURL: String? = "https://r.example/receipts/p1", sender: String? = "ACME",
        codes: String = ""
    ) -> ProviderAccount {
        ProviderAccount(
            id: ProviderID(rawValue: 9), name: "p1", kind: kind, baseURL: url ?? kind.defaultBaseURL ?? "",
            credentials: Credentials(credentials.mapValues { Secret($0) }), receiptURL: receiptURL,
            defaultSender: sender, settings: settings, codes: codes)
    }

    /// The query of an address that names the sample message and proves that we named it.
    static func provedQuery(_ key: String) -> String {
        let proof = Digest.sha256.authenticate(Array("receipt/\(self.id)".utf8), key: Secret(key)).prefix(8)
        return "message=\(self.id)&proof=\(Hex.encode(proof))"
    }

    /// A receipt of the whole of the sample message.
    static func receipt(
        _ verdict: Verdict, part: String, status: String, code: String = "", at moment: String? = nil
    ) -> Receipt {
        Receipt(
            message: self.reference, part: part, coversMessage: true, verdict: verdict, status: status, code: code,
            occurredAt: moment.flatMap { Timestamp($0) })
    }
}

extension Verdict {
    static let delivered = Verdict(.delivered, .none, .none, .ok)
    static let submitted = Verdict(.submitted, .none, .wait, .accepted)
    static let sent = Verdict(.sent, .none, .wait, .accepted)
    static let strange = Verdict(.unknown, .none, .wait, .unknown)
    static let silent = Verdict(.unknown, .none, .none, .noReceipt)
    static let expired = Verdict(.expired, .transientRecipient, .failoverChannel, .expired)
    static let canceled = Verdict(.canceled, .none, .none, .canceled)
    static let configuration = Verdict(.failed, .permanentMessage, .failoverOnce, .configError)
    static let unauthorized = Verdict(.failed, .config, .haltProvider, .authFailed)
    static let throttled = Verdict(.failed, .transientProvider, .throttle, .throttledProvider)
    static let broken = Verdict(.failed, .transientProvider, .retrySame, .providerError)
}

extension Outcome {
    static func refused(_ verdict: Verdict, _ code: String, after wait: Duration? = nil) -> Outcome {
        .refused(verdict, code: code, retryAfter: wait)
    }
}
