import HTTP
import Messaging

extension Outcome {
    /// What a response other than a success means when the provider's own tables do not tell
    /// (providers.md section 9.4). `code` is the provider's word for it, if it gave one.
    ///
    /// Answered is not the same as done: a gateway that gave up waiting (504) does not know what became of the request,
    /// so that is unanswered.
    ///
    /// With several dispatches in one request, a status that blames the request blames all of them for what one may
    /// have caused, so they are tried again and not failed.
    init(failure response: HTTPResponse, code: String?, dispatchCount: Int) {
        if response.status == 504 {
            self = .unanswered(.networkTimeout)
            return
        }
        self = .refused(
            Self.verdict(forStatus: response.status, isShared: dispatchCount > 1),
            code: code ?? "HTTP \(response.status)", retryAfter: Duration(retryAfterIn: response.fields)
        )
    }

    private static func verdict(forStatus status: Int, isShared: Bool) -> Verdict {
        switch status {
        case 401, 403: Verdict(.failed, .config, .haltProvider, .authFailed)
        case 402: Verdict(.failed, .config, .haltProvider, .insufficientCredit)
        case 408, 425, 429, 503: Verdict(.failed, .transientProvider, .throttle, .throttledProvider)
        case 400..<500 where isShared: Verdict(.failed, .transientProvider, .retrySame, .configError)
        case 400..<500: Verdict(.failed, .permanentMessage, .failoverOnce, .configError)
        case 500...: Verdict(.failed, .transientProvider, .retrySame, .providerError)
        // A redirection: the base URL is not the provider's. Credentials follow no redirection.
        default: Verdict(.failed, .config, .failoverOnce, .configError)
        }
    }
}
