/// A URL a customer gave for Pinpost to call, in its normal form, so that it means the same to all who read it.
///
/// Judged as far as can be without looking its name up: that is for whoever dials it. Prints without its path and query,
/// which may hold a customer's token; ``text`` is the URL itself.
public struct CallbackURL: Sendable, Hashable {
    /// The URL to call: scheme and host in lower case, no port that is the scheme's own, no empty path.
    public let text: String
    /// A name in lower case, or an address in its normal form, IPv6 without brackets.
    public let host: String
    public let port: UInt16
    /// True for https.
    public let isSecure: Bool

    /// Bytes of a URL.
    public static let byteLimit = 2048

    /// `https://` with a name, or a public address, at one of the policy's ports. Hosts on the policy's allowed networks
    /// (and `localhost`, where that is one) may also be called by http and at any port.
    public init(_ text: String, policy: EgressPolicy) throws(CallbackURLProblem) {
        let parts = try URLParts(text)
        let host = try CallbackHost(parts.host, isBracketed: parts.isBracketed)
        self.isSecure = parts.isSecure
        self.port = parts.port ?? (parts.isSecure ? 443 : 80)
        self.host = host.text
        try host.check(isSecure: self.isSecure, port: self.port, policy)
        let isUsual = self.port == (self.isSecure ? 443 : 80)
        let authority = "\(parts.scheme)://\(host.urlText)\(isUsual ? "" : ":\(self.port)")"
        self.text = authority + (parts.rest.first == "/" ? parts.rest : "/\(parts.rest)")
    }

    /// Scheme, host and port, as in `https://example.com:443`: what shares connections, limits and troubles.
    public var origin: String {
        "\(self.isSecure ? "https" : "http")://\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)"
    }

    /// The host, when it is an address.
    public var address: NetworkAddress? { NetworkAddress(self.host) }
}

extension CallbackURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { self.origin }
    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: ["origin": self.origin]) }
}
