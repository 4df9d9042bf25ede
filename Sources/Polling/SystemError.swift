public import Glibc

/// A failed system call: its name and what `errno` said.
public struct SystemError: Error, Hashable, CustomStringConvertible {
    public let call: String
    public let code: Int32

    /// The default takes `errno`, so make this the first thing after the call that failed.
    public init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    public var description: String { "\(self.call): \(String(cString: strerror(self.code)))" }
}
