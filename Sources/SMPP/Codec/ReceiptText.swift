/// The text of a receipt, as most SMSCs write it (SMPP 3.4 appendix B):
///
///     id:IIIIIIIIII sub:SSS dlvrd:DDD submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DDDDDDD err:E Text:…
///
/// Any field may be missing or stand elsewhere, and names are read in any case. Of a field that comes twice the first
/// counts, and a value ends at its first blank. What follows `text:` is the message's own text, which its sender or whoever
/// answers it writes: nothing behind it is looked at.
public struct ReceiptText: Sendable, Hashable {
    public var id: String?
    public var state: String?
    public var error: String?
    /// How many parts were submitted, and how many of them arrived; as they stand.
    public var submitted: String?
    public var delivered: String?
    public var submitDate: String?
    public var doneDate: String?

    /// Octets that are looked at.
    static let lengthLimit = 4096

    /// Nil when it names neither a message nor a state. Never traps, whatever the octets are.
    public init?(_ octets: some Collection<UInt8>) {
        let octets = Self.beforeText(Array(octets.prefix(Self.lengthLimit)))
        let marks = Self.marks(in: octets)
        var values: [Key: String] = [:]
        for (index, mark) in marks.enumerated() {
            let end = index + 1 < marks.count ? marks[index + 1].start : octets.count
            values[mark.key] = Self.value(octets[mark.end..<end])
        }
        self.id = values[.id]
        self.state = values[.stat]
        self.error = values[.err]
        self.submitted = values[.sub]
        self.delivered = values[.delivered]
        self.submitDate = values[.submitDate]
        self.doneDate = values[.doneDate]
        if self.id == nil, self.state == nil { return nil }
    }

    // MARK: - Private

    private enum Key: String, CaseIterable {
        case id = "id:"
        case sub = "sub:"
        case delivered = "dlvrd:"
        case submitDate = "submit date:"
        case doneDate = "done date:"
        case stat = "stat:"
        case err = "err:"
    }

    /// What the message itself said stands behind it, whatever stands in front: some SMSCs leave no blank.
    private static let textName = Array("text:".utf8)

    private static func beforeText(_ octets: [UInt8]) -> [UInt8] {
        let lowercased = octets.map(Self.lowercased)
        let end = octets.indices.first { lowercased[$0...].starts(with: Self.textName) }
        return Array(octets[..<(end ?? octets.endIndex)])
    }

    private struct Mark {
        var key: Key
        var start: Int
        /// Where its value begins.
        var end: Int
    }

    private static let keys = Key.allCases.map { (key: $0, octets: Array($0.rawValue.utf8)) }

    /// Where each name stands first, in their order. A name stands at the beginning or behind a blank.
    private static func marks(in octets: [UInt8]) -> [Mark] {
        var marks: [Mark] = []
        var isBoundary = true
        var index = 0
        while index < octets.count {
            if isBoundary, let mark = self.mark(at: index, in: octets), !marks.contains(where: { $0.key == mark.key }) {
                marks.append(mark)
                index = mark.end
                isBoundary = true
            } else {
                isBoundary = octets[index] <= 0x20
                index += 1
            }
        }
        return marks
    }

    private static func mark(at index: Int, in octets: [UInt8]) -> Mark? {
        for (key, name) in self.keys where octets.count - index >= name.count {
            let stands = zip(name, octets[index...]).allSatisfy { $0 == self.lowercased($1) }
            if stands { return Mark(key: key, start: index, end: index + name.count) }
        }
        return nil
    }

    private static func lowercased(_ octet: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(octet) ? octet | 0x20 : octet
    }

    /// What a value ends at: NUL and blanks, of lines too.
    private static let ends: [UInt8] = [0x00, 0x09, 0x0A, 0x0D, 0x20]

    /// Up to the first of those behind it; nil when nothing is left.
    private static func value(_ octets: ArraySlice<UInt8>) -> String? {
        let value = octets.drop { $0 <= 0x20 }.prefix { !Self.ends.contains($0) }
        return value.isEmpty ? nil : String(latin1: value)
    }
}
