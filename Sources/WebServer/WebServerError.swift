import Glibc

/// Why a server could not begin to serve.
public enum WebServerError: Error, Hashable, CustomStringConvertible {
    /// Not a numeric IPv4 or IPv6 address.
    case badAddress(String)
    /// The address and port could not be bound; `code` is what `errno` said.
    case cannotListen(address: String, port: UInt16, code: Int32)
    /// libmicrohttpd refused to start: threads, memory or descriptors are exhausted.
    case cannotStart

    public var description: String {
        switch self {
        case .badAddress(let address): "\"\(address)\" is no numeric address to listen on"
        case .cannotListen(let address, let port, let code):
            "cannot listen on \(Self.endpoint(address, port)): \(String(cString: strerror(code)))"
        case .cannotStart: "the HTTP server could not start its threads"
        }
    }

    private static func endpoint(_ address: String, _ port: UInt16) -> String {
        address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
