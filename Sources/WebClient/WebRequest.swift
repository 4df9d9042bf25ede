public import HTTP

/// A request to send.
public struct WebRequest: Sendable {
    public var method: String
    /// `http` or `https`; sent as written, dots in its path included.
    public var url: String
    /// `Content-Length`, `Transfer-Encoding` and `Expect` are the client's and are dropped here.
    public var fields: HTTPFields
    public var body: [UInt8]
    /// For everything, from waiting for a connection to the last byte of the response. 1 ms at least.
    public var timeout: Duration
    /// For name look-up, connecting and the TLS handshake. 1 ms at least.
    public var connectTimeout: Duration
    /// True when the server may see the request twice: libcurl sends it again when a kept connection dies unanswered.
    /// False (the default for all methods but GET and HEAD) promises that the server sees at most one whole request.
    public var isRepeatable: Bool

    public init(
        method: String = "GET",
        url: String,
        fields: HTTPFields = [:],
        body: [UInt8] = [],
        timeout: Duration = .seconds(30),
        connectTimeout: Duration = .seconds(5)
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.isRepeatable = method == "GET" || method == "HEAD"
    }
}
