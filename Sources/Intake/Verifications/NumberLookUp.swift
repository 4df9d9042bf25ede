public import Messaging

/// What is known of a number before anything is sent to it.
public enum Reachability: Sendable, Hashable {
    /// It cannot exist, or nothing reaches it: sending would be a waste. The reason is for people.
    case unreachable(reason: String)
    /// It may exist; nobody can say whether it is reached.
    case unknown
    /// A network says that it is reached.
    case reachable
    /// There is nobody to ask.
    case notConfigured
}

/// Looks numbers up before codes are sent to them.
public protocol NumberLookUp: Sendable {
    /// What cannot be found out, in time or at all, is unknown: a look-up that fails holds no code up.
    func reachability(of number: PhoneNumber) async -> Reachability
}

/// Looks nothing up.
public struct NoLookUp: NumberLookUp {
    public init() {}
    public func reachability(of number: PhoneNumber) async -> Reachability { .notConfigured }
}
