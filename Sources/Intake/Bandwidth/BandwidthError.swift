import Crypto
import Guard
import HTTP
import JSON
import Messaging

/// A refusal as the vendor words it (dialects.md section 3.3), the only ones that its SDKs can read.
struct BandwidthError: Error, Hashable {
    private enum Form { case error, message, bothMessages }

    var status: Int
    /// A sentence for people. Never a value from the request.
    var text: String
    private var form = Form.error
    var allow: String?
    /// When to come back.
    var wait: Duration?

    init(_ status: Int, _ text: String) {
        self.status = status
        self.text = text
    }

    var response: HTTPResponse {
        var fields: HTTPFields = ["Content-Type": "application/json", "Cache-Control": "no-store"]
        if let seconds = self.wait?.secondsRoundedUp { fields["Retry-After"] = String(seconds) }
        if let allow = self.allow { fields["Allow"] = allow }
        if self.status == 401 { fields["WWW-Authenticate"] = #"Basic realm="Pinpost", charset="UTF-8""# }
        return HTTPResponse(status: self.status, fields: fields, body: self.json.serialized())
    }

    private var json: JSON {
        let text = JSON.string(self.text)
        return switch self.form {
        case .error: ["error": text, "requestId": .string(Self.newRequestID())]
        case .message: ["message": text]
        // The vendor's documents write it in one way, and its SDKs read it in the other.
        case .bothMessages: ["Message": text, "message": text]
        }
    }

    /// A random UUID (RFC 9562 section 5.4). Nobody keeps it.
    private static func newRequestID() -> String {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() & ~0xF000 | 0x4000
        let low = generator.next() >> 2 | 0b10 << 62
        return "\(MessageID(high: high, low: low))"
    }
}

extension BandwidthError {
    static let unauthorized = Self(401, "Unauthorized", form: .message)
    static let forbidden = Self(
        403, "User is not authorized to access this resource with an explicit deny", form: .bothMessages)
    static let notFound = Self(404, "Not Found")
    /// All operations have but one method.
    static let methodNotAllowed: Self = {
        var error = Self(405, "Method Not Allowed")
        error.allow = "POST"
        return error
    }()
    static let general = Self(500, "Internal Error")

    static func badRequest(_ text: String) -> Self { Self(400, text) }

    /// The words are the vendor's; how long it really takes is in `Retry-After`.
    static func locked(wait: Duration?) -> Self {
        var error = Self(429, "This number has exceeded verification attempts, please wait 2 minutes")
        error.wait = wait
        return error
    }

    /// The vendor documents 429 for guesses, and nothing for what is not to be sent.
    private static func guarded(_ refusal: GuardRefusal) -> Self {
        guard refusal.reason != .wrongGuesses else { return .locked(wait: refusal.retryAfter) }
        guard refusal.reason != .signalsMissing else { return .nothingDone }
        guard refusal.isLimit else {
            return .badRequest("to number cannot be reached: \(refusal.reason.rawValue)")
        }
        var error = Self(429, "Too many codes were sent: \(refusal.reason.rawValue)")
        error.wait = refusal.retryAfter
        return error
    }

    private init(_ status: Int, _ text: String, form: Form) {
        self.init(status, text)
        self.form = form
    }

    private static let nothingDone = Self.unavailable(
        "The service is not available now; nothing was done. Try again.")

    private static func unavailable(_ text: String) -> Self {
        var error = Self(503, text)
        error.wait = .seconds(1)
        return error
    }

    init(_ refusal: VerifierRefusal) {
        switch refusal {
        case .noRoute: self = .badRequest("to number cannot be reached: no provider takes messages to it")
        case .unavailable:
            self = .nothingDone
        case .outcomeUnknown:
            self = .unavailable(
                "The service is not available now, and the request may or may not have been carried out.")
        case .locked: self = .locked(wait: nil)
        // The vendor documents nothing for it.
        case .outOfBalance: self = .badRequest("Insufficient funds")
        case .guarded(let refusal): self = .guarded(refusal)
        case .invalid(let problems): self = .badRequest(problems.first.map(Self.sentence) ?? "Bad Request")
        // There are neither templates nor idempotency keys in this API, and no limits of sending.
        default: self = .general
        }
    }

    /// As in `to number is required`: the vendor names one problem, by the field's own name.
    static func sentence(_ problem: JSONProblem) -> String {
        let name = problem.path.dropFirst()
        return (["to", "from"].contains(name) ? "\(name) number" : String(name)) + " \(problem.problem)"
    }

    /// What the web server refuses before anybody reads the request. The method is not known, so nobody is told when to come
    /// back.
    static func refusal(_ status: Int) -> HTTPResponse {
        let error =
            switch status {
            case 408: Self(408, "The request took too long to arrive.")
            case 413: Self(413, "The body is longer than this service takes.")
            case 414, 431: Self(status, "The request's head is longer than this service takes.")
            case 500: Self.general
            case 503:
                Self(503, "The service is not available now, and the request may or may not have been carried out.")
            default: Self(status, "The request cannot be understood as HTTP.")
            }
        return error.response
    }
}
