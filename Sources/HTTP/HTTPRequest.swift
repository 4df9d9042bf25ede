/// A request as its receiver sees it: received whole, and nothing in it decoded.
public struct HTTPRequest: Sendable, Hashable {
    /// As it was sent; methods are case-sensitive (RFC 9110 section 9.1).
    public var method: String
    /// The path, still percent-encoded, without the query.
    public var path: String
    /// What follows the first "?", still percent-encoded; nil when there is no "?".
    public var query: String?
    public var fields: HTTPFields
    public var body: [UInt8]
    /// The numeric address of the client's end of the connection, without a port; nil when unknown.
    public var peer: String?

    public init(
        method: String = "GET",
        path: String = "/",
        query: String? = nil,
        fields: HTTPFields = [:],
        body: [UInt8] = [],
        peer: String? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
        self.body = body
        self.peer = peer
    }

    /// The path and the query as they stood in the request line: what signatures over the URL are made of.
    public var target: String {
        guard let query = self.query else { return self.path }
        return "\(self.path)?\(query)"
    }
}
