public import Polling

/// Why there is no connection, or no longer one.
public enum LinkError: Error, Hashable, CustomStringConvertible {
    /// The name has no address; what the resolver says.
    case unresolved(String)
    case system(SystemError)
    /// What OpenSSL says: the certificate is not the host's, or no TLS is spoken there.
    case tls(String)
    /// The other side closed it.
    case closed
    case timedOut
    case cancelled

    public var description: String {
        switch self {
        case .unresolved(let reason): "no address: \(reason)"
        case .system(let error): "\(error)"
        case .tls(let reason): "TLS: \(reason)"
        case .closed: "closed by the other side"
        case .timedOut: "took too long"
        case .cancelled: "cancelled"
        }
    }

    init(_ error: WaitError) {
        switch error {
        case .cancelled: self = .cancelled
        case .timedOut: self = .timedOut
        case .refused(let error): self = .system(error)
        }
    }
}
