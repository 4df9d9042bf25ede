/// Why no response came back.
public struct WebClientError: Error, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The server surely has no whole request: no name, no connection, no TLS, or nothing of the body was written.
        /// It may be sent again.
        case notSent
        /// The client's ``WebClient/Configuration/egress`` forbids the URL or an address of its host; nothing was sent.
        case forbidden
        /// Something was written and no whole response came: the server may have done what was asked.
        case answerLost
        /// The response is over the limit: the server did what it did.
        case tooLarge
        /// The asking task was cancelled: the server may have done what was asked.
        case cancelled
    }

    public let kind: Kind
    /// For people; holds no URL, no field and no body.
    public let reason: String

    /// Of a response that was too large, when its head had come.
    public let status: Int?

    public init(_ kind: Kind, reason: String, status: Int? = nil) {
        self.kind = kind
        self.reason = reason
        self.status = status
    }

    public var description: String { "\(self.kind): \(self.reason)" }
}

extension WebClientError {
    static let addressForbidden = WebClientError(.forbidden, reason: "the host's address may not be called")
}
