/// How far a request has got, and what that means when it ends without a response.
///
/// A message must not be sent twice because an answer was lost, and must not be given up because a connection was
/// refused. So the rule is conservative: a request is "not sent" only where the server surely has no whole request.
struct Sending: Hashable {
    /// How often libcurl had a connection ready and was about to write the request.
    var begunCount = 0
    /// Bytes of the request line and fields that were written.
    var headByteCount = 0
    /// Bytes of the body in all, and those libcurl has taken in order to write them.
    var bodyByteCount = 0
    var takenByteCount = 0
    var isRepeatable = false

    /// True when the server surely has no whole request: none was begun, none of it was written, or a body is
    /// announced of which nothing was written.
    var isSurelyIncomplete: Bool {
        self.begunCount == 0 || self.headByteCount == 0 || (self.bodyByteCount > 0 && self.takenByteCount == 0)
    }

    /// Whether libcurl may write the request once more on another connection, as it does when a kept connection died
    /// before the first byte of a response. Asked before ``begunCount`` is raised.
    var mayBeginAgain: Bool { self.isRepeatable || self.isSurelyIncomplete }

    /// What a failure is to whoever asked.
    var failure: WebClientError.Kind { self.isSurelyIncomplete ? .notSent : .answerLost }
}
