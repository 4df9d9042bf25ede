/// A telephone number in E.164: `+`, then 7 to 15 digits of which the first is not 0.
///
/// Prints with its middle hidden, because whole numbers never reach a log; ``e164`` is the number itself.
public struct PhoneNumber: Sendable, Hashable {
    public let e164: String

    /// Nil unless `text` is an E.164 number with its plus sign and nothing else.
    public init?(_ text: String) {
        let digits = text.utf8.dropFirst()
        guard
            text.utf8.first == UInt8(ascii: "+"), (7...15).contains(digits.count),
            digits.first != UInt8(ascii: "0"),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        self.e164 = text
    }

    /// The digits without the plus sign, as many providers want them.
    public var digits: Substring { self.e164.dropFirst() }
}

extension PhoneNumber: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The first three digits and the last two, as in `+417…44`.
    public var description: String { "\(self.e164.prefix(4))…\(self.e164.suffix(2))" }
    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: ["masked": self.description]) }
}

extension PhoneNumber {
    /// Whether this is what numbers may begin with, in E.164: a plus sign and 1 to 15 digits, or nothing, which all begin with.
    public static func isPrefix(_ text: String) -> Bool {
        if text.isEmpty { return true }
        let digits = text.utf8.dropFirst()
        return text.first == "+" && (1...15).contains(digits.count) && digits.first != UInt8(ascii: "0")
            && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
