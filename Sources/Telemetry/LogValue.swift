public import Timestamps

/// A value that may stand in a log line.
///
/// Types conform one by one, so that nothing is logged because it happened to be printable. Ids, counts and durations
/// do; whole recipients, codes, bodies and secrets must not.
public protocol LogValue: Sendable {
    /// The value as text, unescaped.
    var logged: String { get }
}

extension LogValue where Self: CustomStringConvertible {
    public var logged: String { self.description }
}

extension String: LogValue {}
extension Substring: LogValue {}
extension StaticString: LogValue {}
extension Bool: LogValue {}
extension Int: LogValue {}
extension Int16: LogValue {}
extension Int32: LogValue {}
extension Int64: LogValue {}
extension UInt8: LogValue {}
extension UInt16: LogValue {}
extension UInt32: LogValue {}
extension UInt64: LogValue {}
extension Double: LogValue {}
extension Timestamp: LogValue {}

extension Duration: LogValue {
    /// Milliseconds with three decimals, as in `12.345ms`.
    public var logged: String {
        let microseconds = self.microseconds
        let fraction = String(abs(microseconds % 1000) + 1000).dropFirst()
        let sign = microseconds < 0 && microseconds > -1000 ? "-" : ""
        return "\(sign)\(microseconds / 1000).\(fraction)ms"
    }
}

extension Optional: LogValue where Wrapped: LogValue {
    public var logged: String { self?.logged ?? "none" }
}

/// An error, or another value of a type that knows nothing of logging, by its description. The caller vouches that the
/// description holds nothing secret.
public struct Described: LogValue {
    public let logged: String

    public init(_ value: any Sendable) { self.logged = "\(value)" }
}
