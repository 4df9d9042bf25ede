import HTTP

extension Carrier {
    /// The answer of a request that a fault keeps from being looked at; nil when it is looked at.
    func answerWithoutTaking(_ fault: Fault?, internalError: HTTPResponse) -> HTTPResponse? {
        switch fault?.kind {
        case .closeBeforeRead: .dropConnection
        case .internalError: internalError
        default: nil
        }
    }

    /// What becomes of the answer to a request whose messages were taken.
    func deliver(_ answer: HTTPResponse, fault: Fault?) async -> HTTPResponse {
        switch fault?.kind {
        case .slow:
            // Cancelled, nobody listens any more.
            try? await Task.sleep(for: .milliseconds(fault?.milliseconds ?? 0))
            return answer
        case .dropAnswer: return .dropConnection
        case .garbage:
            let page = "<html><body><h1>It works!</h1></body></html>"
            return HTTPResponse(status: 200, fields: ["Content-Type": "text/html"], body: Array(page.utf8))
        default: return answer
        }
    }
}
