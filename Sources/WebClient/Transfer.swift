import HTTP

/// One request and whoever waits for its response.
struct Transfer: Sendable {
    typealias Outcome = Result<HTTPResponse, WebClientError>

    /// Unique within the client; a cancellation names it.
    let ticket: UInt64
    let request: WebRequest
    private let continuation: CheckedContinuation<Outcome, Never>

    init(_ request: WebRequest, ticket: UInt64, continuation: CheckedContinuation<Outcome, Never>) {
        self.request = request
        self.ticket = ticket
        self.continuation = continuation
    }

    /// To be called once.
    func finish(_ outcome: Outcome) { self.continuation.resume(returning: outcome) }

    /// To be called once.
    func fail(_ kind: WebClientError.Kind, _ reason: String) {
        self.finish(.failure(WebClientError(kind, reason: reason)))
    }
}

/// One mail and whoever waits for its reply.
struct MailTransfer: Sendable {
    typealias Outcome = Result<MailReply, WebClientError>

    /// Unique within the client; a cancellation names it.
    let ticket: UInt64
    let request: MailRequest
    let continuation: CheckedContinuation<Outcome, Never>

    /// To be called once.
    func finish(_ outcome: Outcome) { self.continuation.resume(returning: outcome) }

    /// To be called once.
    func fail(_ kind: WebClientError.Kind, _ reason: String) {
        self.finish(.failure(WebClientError(kind, reason: reason)))
    }
}
