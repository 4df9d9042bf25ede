import Guard
import HTTP
import JSON

/// A refusal in the vendor's words (dialects.md section 1.1).
struct BindError: Error, Hashable {
    /// 200 too: so the vendor refuses what a request asks for.
    var status: Int
    var word: Word
    var allow: String?
    /// When to come back.
    var wait: Duration?

    enum Word: String {
        case lengthInvalid = "ROUTING_FILTER_INVALID_LENGTH"
        case prefixInvalid = "ROUTING_PREFIX_FILTER_INVALID_NUMBER"
        case templateNotFound = "TEMPLATE_NOT_FOUND"
        case addressInvalid = "DESTINATION_ADDRESS_INVALID"
        case outOfBalance = "OUT_OF_BALANCE"
        case productDisabled = "PRODUCT_DISABLED"
        case unauthorized = "UNAUTHORIZED"
        case general = "GENERAL_ERROR"
    }

    init(_ status: Int, _ word: Word) {
        self.status = status
        self.word = word
    }

    func response(to method: String) -> HTTPResponse {
        var response = BindDialect.response(
            self.status, ["status": "REJECTED", "error_message": .string(self.word.rawValue)])
        // Not for other methods: some clients sleep on it and silently repeat what is no POST (dialects.md section 0.3).
        if method == "POST", let seconds = self.wait?.secondsRoundedUp {
            response.fields["Retry-After"] = String(seconds)
        }
        if let allow = self.allow { response.fields["Allow"] = allow }
        if self.status == 401 { response.fields["WWW-Authenticate"] = "ApiKey" }
        return response
    }
}

extension BindError {
    static let unauthorized = BindError(401, .unauthorized)
    static let productDisabled = BindError(401, .productDisabled)
    static let badRequest = BindError(400, .general)
    static let notFound = BindError(404, .general)
    static let unavailable = {
        var error = BindError(503, .general)
        error.wait = .seconds(1)
        return error
    }()

    static func methodNotAllowed(_ allowed: String) -> BindError {
        var error = BindError(405, .general)
        error.allow = allowed
        return error
    }

    private static func limited(_ wait: Duration?) -> BindError {
        var error = BindError(429, .general)
        error.wait = wait
        return error
    }

    static func rejected(_ word: Word) -> BindError { BindError(200, word) }

    init(_ refusal: VerifierRefusal) {
        switch refusal {
        case .noApplication, .noTemplate, .wrongTemplate: self = .rejected(.templateNotFound)
        case .noRoute: self = .rejected(.prefixInvalid)
        case .outOfBalance: self = .rejected(.outOfBalance)
        // The vendor lists 429 for this operation and shows no body of it.
        case .applicationLimited(let wait), .recipientLimited(let wait), .tooEarly(let wait): self = .limited(wait)
        case .locked: self = .limited(nil)
        case .guarded(let refusal) where refusal.reason == .signalsMissing: self = .unavailable
        case .guarded(let refusal):
            self = refusal.isLimit ? .limited(refusal.retryAfter) : .rejected(.prefixInvalid)
        case .disabled, .invalid, .ended, .sendsSpent, .keyInFlight, .keyReused: self = .rejected(.general)
        case .unavailable, .outcomeUnknown: self = .unavailable
        }
    }
}
