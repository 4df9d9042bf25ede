/// The header fields of a request or a response, in the order they came.
///
/// Names are compared without regard to ASCII case (RFC 9110 section 5.1) and kept as they were written. A name
/// may stand several times; the order of its values is kept, and two lists are equal only in the same order.
public struct HTTPFields: Sendable, ExpressibleByDictionaryLiteral {
    private var fields: [(name: String, value: String)]

    public init() { self.fields = [] }

    public init(_ fields: [(name: String, value: String)]) { self.fields = fields }

    public init(dictionaryLiteral elements: (String, String)...) {
        self.fields = elements.map { (name: $0.0, value: $0.1) }
    }

    /// Every field, in order.
    public var all: [(name: String, value: String)] { self.fields }

    public var count: Int { self.fields.count }

    public var isEmpty: Bool { self.fields.isEmpty }

    /// The first value of `name`. Setting replaces every field of that name by one, in the place of the first;
    /// setting nil removes them.
    public subscript(_ name: String) -> String? {
        get { self.fields.first { Self.same($0.name, name) }?.value }
        set { self.replace(name, with: newValue) }
    }

    /// Every value of `name`, in order.
    public func values(_ name: String) -> [String] {
        self.fields.compactMap { Self.same($0.name, name) ? $0.value : nil }
    }

    public mutating func append(_ name: String, _ value: String) {
        self.fields.append((name: name, value: value))
    }

    public mutating func reserveCapacity(_ count: Int) { self.fields.reserveCapacity(count) }

    /// False for a field that could not be sent as one field line: a name that is no token (RFC 9110 section 5.6.2),
    /// or a value with a line break, a NUL or another control character, which could smuggle a second field.
    public static func isSendable(name: String, value: String) -> Bool {
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenCharacter) else { return false }
        return value.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    }

    // MARK: - Private

    private mutating func replace(_ name: String, with value: String?) {
        let first = self.fields.firstIndex { Self.same($0.name, name) }
        self.fields.removeAll { Self.same($0.name, name) }
        guard let value else { return }
        // Nothing before the first was removed, so its index still stands.
        self.fields.insert((name: name, value: value), at: first ?? self.fields.endIndex)
    }

    private static func same(_ one: String, _ other: String) -> Bool {
        let (one, other) = (one.utf8, other.utf8)
        guard one.count == other.count else { return false }
        return zip(one, other).allSatisfy { $0 == $1 || Self.lowercased($0) == Self.lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

extension HTTPFields: Hashable {
    public static func == (one: HTTPFields, other: HTTPFields) -> Bool {
        one.count == other.count
            && zip(one.fields, other.fields).allSatisfy { Self.same($0.name, $1.name) && $0.value == $1.value }
    }

    public func hash(into hasher: inout Hasher) {
        for field in self.fields {
            for byte in field.name.utf8 { hasher.combine(Self.lowercased(byte)) }
            hasher.combine(field.value)
        }
    }
}
