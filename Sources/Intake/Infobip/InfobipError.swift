import Guard
import HTTP
import JSON

/// A refusal in the vendor's envelope (dialects.md section 2.8), the only one that its SDKs can read.
struct InfobipError: Error, Hashable {
    var status: Int
    var messageID: String
    /// A sentence for people. Never a value from the request.
    var text: String
    var problems: [JSONProblem] = []
    var allow: String?
    /// When to come back.
    var wait: Duration?

    init(_ status: Int, _ messageID: String, _ text: String) {
        self.status = status
        self.messageID = messageID
        self.text = text
    }

    func response(to method: String) -> HTTPResponse {
        var fields: HTTPFields = ["Content-Type": "application/json", "Cache-Control": "no-store"]
        // SDKs that stand on urllib3 sleep on it and silently repeat a GET or a PUT, but no POST (dialects.md section 0.3).
        if method == "POST", let seconds = self.wait?.secondsRoundedUp { fields["Retry-After"] = String(seconds) }
        if let allow = self.allow { fields["Allow"] = allow }
        if self.status == 401 { fields["WWW-Authenticate"] = "App" }
        return HTTPResponse(status: self.status, fields: fields, body: self.json.serialized())
    }

    private var json: JSON {
        var members: [JSON.Member] = [
            .init("messageId", .string(self.messageID)), .init("text", .string(self.text)),
        ]
        if !self.problems.isEmpty { members.append(.init("validationErrors", self.validationErrors)) }
        return ["requestError": ["serviceException": .object(members)]]
    }

    /// Sentences by the names of fields, with dots for the vendor's reader: `configuration.pinTimeToLive`.
    private var validationErrors: JSON {
        var names: [String] = []
        var sentences: [String: [JSON]] = [:]
        for problem in self.problems {
            let name = Self.dotted(problem.path)
            if sentences[name] == nil { names.append(name) }
            sentences[name, default: []].append(.string(problem.problem))
        }
        return .object(names.map { .init($0, .array(sentences[$0] ?? [])) })
    }

    /// A JSON Pointer (RFC 6901) in the vendor's manner.
    private static func dotted(_ pointer: String) -> String {
        var name = ""
        var isEscaped = false
        for scalar in pointer.unicodeScalars.dropFirst() {
            switch scalar {
            case "~" where !isEscaped: isEscaped = true
            case _ where isEscaped:
                name.unicodeScalars.append(scalar == "1" ? "/" : "~")
                isEscaped = false
            case "/": name.unicodeScalars.append(".")
            default: name.unicodeScalars.append(scalar)
            }
        }
        return name
    }
}

extension InfobipError {
    static let unauthorized = InfobipError(401, "UNAUTHORIZED", "Unauthorized")
    static let forbidden = InfobipError(403, "FORBIDDEN", "Forbidden")
    static let notFound = InfobipError(404, "NOT_FOUND", "Not found")
    static let general = InfobipError(500, "GENERAL_ERROR", "Something went wrong. Please contact support.")
    static let unavailable = Self.unavailable("The service is not available now; nothing was done. Try again.")
    static let outcomeUnknown = Self.unavailable(
        "The service is not available now, and the request may or may not have been carried out.")

    static func badRequest(_ text: String = "Bad request", _ problems: [JSONProblem] = []) -> InfobipError {
        var error = InfobipError(400, "BAD_REQUEST", text)
        error.problems = problems
        return error
    }

    /// What is wrong with one field, a pointer.
    static func invalid(_ path: String, _ problem: String) -> InfobipError {
        .badRequest("Bad request", [JSONProblem(path, problem)])
    }

    static func methodNotAllowed(_ allowed: [String]) -> InfobipError {
        var error = InfobipError(405, "METHOD_NOT_ALLOWED", "Method not allowed")
        error.allow = allowed.joined(separator: ", ")
        return error
    }

    static func tooManyRequests(wait: Duration?) -> InfobipError {
        var error = InfobipError(429, "TOO_MANY_REQUESTS", "Too many requests")
        error.wait = wait
        return error
    }

    private static func guarded(_ refusal: GuardRefusal) -> InfobipError {
        switch refusal.reason {
        case .numberImpossible, .numberType: return .invalid("/to", "cannot be reached: \(refusal.reason.rawValue)")
        case .signalsMissing: return .unavailable
        case _ where refusal.isLimit: return .tooManyRequests(wait: refusal.retryAfter)
        case let reason:
            var error = InfobipError(403, "FORBIDDEN", "Forbidden: \(reason.rawValue)")
            error.wait = refusal.retryAfter
            return error
        }
    }

    private static func unavailable(_ text: String) -> InfobipError {
        var error = InfobipError(503, "SERVICE_UNAVAILABLE", text)
        error.wait = .seconds(1)
        return error
    }

    init(_ refusal: VerifierRefusal) {
        switch refusal {
        case .noApplication, .noTemplate:
            self.init(404, "NOT_FOUND", "Application or message with given ID cannot be found.")
        case .disabled: self = .badRequest("The application is disabled.")
        case .wrongTemplate: self = .badRequest("The message cannot be sent over this channel.")
        case .invalid(let problems): self = .badRequest("Bad request", problems)
        case .noRoute: self = .invalid("/to", "cannot be reached: no provider takes messages to it over this channel")
        case .applicationLimited(let wait), .recipientLimited(let wait), .tooEarly(let wait):
            self = .tooManyRequests(wait: wait)
        case .outOfBalance: self.init(403, "FORBIDDEN", "The account has no credit for this message.")
        case .locked, .sendsSpent: self = .tooManyRequests(wait: nil)
        case .ended: self = .notFound
        case .guarded(let refusal): self = .guarded(refusal)
        // There are no idempotency keys in this API.
        case .keyInFlight, .keyReused: self = .general
        case .unavailable: self = .unavailable
        case .outcomeUnknown: self = .outcomeUnknown
        }
    }

    /// What the web server refuses before anybody reads the request. The method is not known, so nobody is told when to come
    /// back.
    static func refusal(_ status: Int) -> HTTPResponse {
        let error =
            switch status {
            case 408: InfobipError(408, "REQUEST_TIMEOUT", "The request took too long to arrive.")
            case 413: InfobipError(413, "REQUEST_TOO_LARGE", "The body is longer than this service takes.")
            case 414, 431:
                InfobipError(status, "REQUEST_TOO_LARGE", "The request's head is longer than this service takes.")
            case 500: Self.general
            case 503: Self.outcomeUnknown
            default: InfobipError(status, "BAD_REQUEST", "The request cannot be understood as HTTP.")
            }
        return error.response(to: "")
    }
}
