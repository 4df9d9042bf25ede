extension HTTPResponse {
    /// No answer at all: the server closes the connection without having said anything. For simulating a provider that
    /// breaks, and for nothing else.
    public static let dropConnection = HTTPResponse(status: 0)

    /// Whether this is ``dropConnection``.
    public var dropsConnection: Bool { self.status == 0 }
}
