public import HTTP

/// A request that tells a customer something. Holds recipients and signatures, so it prints where it goes only.
public struct CallbackRequest: Sendable, Hashable {
    public var method: String
    public var url: String
    public var fields: HTTPFields
    public var body: [UInt8]

    public init(method: String, url: String, fields: HTTPFields, body: [UInt8]) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
    }
}

extension CallbackRequest: CustomStringConvertible, CustomReflectable {
    /// The method, the scheme and the host: paths and queries of customers hold tokens.
    public var description: String {
        let pieces = self.url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let origin = pieces.prefix(3).joined(separator: "/").prefix { $0 != "?" && $0 != "#" }
        return "\(self.method) \(origin)"
    }

    public var customMirror: Mirror { Mirror(self, children: ["request": self.description]) }
}

/// What came of a try to tell a customer.
public enum CallbackVerdict: Sendable, Hashable {
    case delivered
    /// The endpoint says that it is no more, and wants nothing ever again.
    case gone
    /// Any other answer, and when it may be asked again where it says so.
    case refused(status: Int, retryAfter: Duration?)
    /// It may have arrived.
    case unanswered
    /// It never left us.
    case notSent
    /// The address is one that nobody may have us connect to.
    case forbidden
}
