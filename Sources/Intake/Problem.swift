public import HTTP
public import JSON

/// A refusal as RFC 9457 has it: `application/problem+json`.
public struct Problem: Error, Sendable, Hashable {
    public var status: Int
    /// A stable word for programs.
    public var code: String
    /// A sentence for people. Never a value from the request: it may be a secret or a number.
    public var detail: String
    /// What was wrong where: a path is a JSON Pointer into the body, or the name of a query parameter or header field.
    public var errors: [JSONProblem] = []
    /// When to come back.
    public var retryAfterSeconds: Int?
    public var allow: String?

    public init(_ status: Int, _ code: String, _ detail: String, errors: [JSONProblem] = []) {
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
    }

    public var response: HTTPResponse {
        var members: [JSON.Member] = [
            .init("type", "about:blank"), .init("title", .string(Self.title(self.status))),
            .init("status", .init(self.status)), .init("code", .string(self.code)),
            .init("detail", .string(self.detail)),
        ]
        if !self.errors.isEmpty {
            members.append(
                .init("errors", .array(self.errors.map { ["path": .string($0.path), "problem": .string($0.problem)] })))
        }
        var fields: HTTPFields = ["Content-Type": "application/problem+json", "Cache-Control": "no-store"]
        if let seconds = self.retryAfterSeconds { fields["Retry-After"] = String(seconds) }
        if let allow = self.allow { fields["Allow"] = allow }
        if self.status == 401 { fields["WWW-Authenticate"] = "Bearer" }
        return HTTPResponse(status: self.status, fields: fields, body: JSON.object(members).serialized())
    }

    /// The reason phrases of RFC 9110 section 15.
    private static func title(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 422: "Unprocessable Content"
        case 431: "Request Header Fields Too Large"
        case 429: "Too Many Requests"
        case 503: "Service Unavailable"
        default: "Error"
        }
    }
}

extension Problem {
    static let unauthorized = Problem(401, "unauthorized", "Give a valid API key as Authorization: Bearer KEY.")
    static let notFound = Problem(404, "not_found", "There is no such resource.")

    /// `scopes`: any of them would do.
    static func missingScope(_ scopes: [Scope]) -> Problem {
        let names = scopes.map(\.rawValue).joined(separator: " or ")
        return Problem(403, "missing_scope", "This key lacks the scope \(names).")
    }

    static func methodNotAllowed(_ allowed: String) -> Problem {
        var problem = Problem(405, "method_not_allowed", "This resource understands \(allowed).")
        problem.allow = allowed
        return problem
    }

    static func invalid(_ errors: [JSONProblem]) -> Problem {
        Problem(
            422, "invalid_request", "The request was understood but cannot be accepted; nothing was stored.",
            errors: errors)
    }

    /// What the web server refuses before anybody reads the request.
    public static func refusal(_ status: Int) -> Problem {
        switch status {
        case 413: Problem(413, "body_too_large", "The body is longer than this service takes.")
        case 414, 431: Problem(status, "header_too_large", "The request's head is longer than this service takes.")
        case 408: Problem(408, "timeout", "The request took too long to arrive.")
        // One text for two cases that the web server does not tell apart: it is too busy to look at the request, or
        // looked and had no answer in time, because the database hangs.
        case 503:
            Self.unavailable(
                "not_answered",
                "The service is too busy or had no answer in time, so the request may or may not have been accepted. "
                    + "Try again with the same Idempotency-Key to find out without doubling it.")
        default: Problem(status, "bad_request", "The request cannot be understood as HTTP.")
        }
    }

    static let requestInFlight = Problem(
        409, "request_in_flight", "A request with this Idempotency-Key is being handled now.")

    static let keyReused = Problem(
        422, "idempotency_key_reused", "This Idempotency-Key was used for another request; nothing was stored.")

    static let outOfBalance = Problem(
        402, "out_of_balance", "The account has no credit for this; nothing was stored.")

    static let unavailable = Self.unavailable(
        "unavailable", "The service cannot store anything now; nothing was accepted. Try again.")

    static let busy = Self.unavailable(
        "unavailable", "Too many requests wait to be stored; nothing was accepted. Try again.")

    /// The statement had been sent when the database went away: a try under the same key is answered for both.
    static let outcomeUnknown = Self.unavailable(
        "outcome_unknown",
        "The answer of the database was lost, so the request may or may not have been accepted. "
            + "Try again with the same Idempotency-Key to find out without doubling it.")

    static func unavailable(_ code: String, _ detail: String) -> Problem {
        var problem = Problem(503, code, detail)
        problem.retryAfterSeconds = 1
        return problem
    }
}
