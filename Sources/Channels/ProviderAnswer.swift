import HTTP
import Messaging

extension Outcome {
    /// What a response means that takes nothing: by the provider's code where its table has a verdict, else by the status.
    ///
    /// A gateway that gave up waiting (504) does not know what became of the request, whatever else it says.
    init(failure response: HTTPResponse, code: String?, verdict: Verdict?) {
        guard let code, let verdict, response.status != 504 else {
            self.init(failure: response, code: code, dispatchCount: 1)
            return
        }
        switch verdict.state {
        case .submitted, .sent, .delivered: self = .accepted(parts: [])
        case .unknown: self = .unanswered(verdict.reason)
        case .undelivered, .rejected, .failed, .expired, .canceled:
            self = .refused(verdict, code: code, retryAfter: Duration(retryAfterIn: response.fields))
        }
    }

    /// What a provider says that takes one message a request and names it.
    ///
    /// - `id`: its id of the message; nil or empty when the body names none.
    /// - `code`, `verdict`: the error in the body, and what the table knows of it.
    ///
    /// A success without an id says neither yes nor no: a page of some proxy, half a body. Only when it holds an error that the
    /// table knows does it say no.
    init(response: HTTPResponse, id: String?, code: String?, verdict: Verdict?) {
        guard (200...299).contains(response.status) else {
            self.init(failure: response, code: code, verdict: verdict)
            return
        }
        if let id, !id.isEmpty {
            self = .accepted(parts: [String(providerText: id)])
        } else if code != nil, verdict != nil {
            self.init(failure: response, code: code, verdict: verdict)
        } else {
            self = .unanswered(.providerError)
        }
    }
}

extension Verdict {
    /// Of what no table knows. The raw word is kept beside it.
    static let unread = Verdict(.unknown, .none, .wait, .unknown)

    /// This status, made precise by the error that came with it: the status says that the message did not arrive, the error
    /// whose fault it was. Only an error that says itself what became of the message replaces the state.
    func explained(by error: Verdict?) -> Verdict {
        guard let error, self.state.messageState == .undelivered else { return self }
        switch error.state {
        case .submitted, .sent, .delivered: return self
        case .expired, .canceled, .unknown: return error
        case .undelivered, .rejected, .failed:
            return Verdict(self.state, error.permanence, error.action, error.reason)
        }
    }
}

extension Duration {
    /// Whole seconds within what a provider takes.
    func seconds(in range: ClosedRange<Int64>) -> Int64 {
        min(max(self.components.seconds, range.lowerBound), range.upperBound)
    }
}

extension [Dispatch] {
    /// The one dispatch of a provider that takes one message a request.
    var only: Dispatch {
        precondition(self.count == 1, "one message a request")
        return self[0]
    }
}
