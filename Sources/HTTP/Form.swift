/// The pairs of an `application/x-www-form-urlencoded` text: a form's body, or a query.
///
/// Read and written by the rules of the URL standard (WHATWG, section 5), but for one thing: where the standard
/// carries on past a broken percent-encoding or broken UTF-8, this reader refuses the whole text, because a number
/// or a signature read half is worse than none. Order and repeated names are kept.
public struct Form: Sendable {
    public var pairs: [(name: String, value: String)]

    public init(_ pairs: [(String, String)]) {
        self.pairs = pairs.map { (name: $0.0, value: $0.1) }
    }

    /// Nil when a percent-encoding is broken or a name or value is no UTF-8.
    public init?(parsing bytes: [UInt8]) {
        self.pairs = []
        for piece in bytes.split(separator: UInt8(ascii: "&")) {
            let equals = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.endIndex
            guard let name = PercentEncoding.decode(piece[..<equals], plusAsSpace: true),
                let value = PercentEncoding.decode(piece[equals...].dropFirst(), plusAsSpace: true)
            else { return nil }
            self.pairs.append((name: name, value: value))
        }
    }

    /// Nil when a percent-encoding is broken or a name or value is no UTF-8.
    public init?(parsing text: String) {
        self.init(parsing: Array(text.utf8))
    }

    /// The first value of `name`; names are case-sensitive.
    public subscript(_ name: String) -> String? {
        self.pairs.first { $0.name == name }?.value
    }

    /// Every value of `name`, in order.
    public func values(_ name: String) -> [String] {
        self.pairs.compactMap { $0.name == name ? $0.value : nil }
    }

    public func serialized() -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, pair) in self.pairs.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "&")) }
            Self.append(pair.name, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            Self.append(pair.value, to: &bytes)
        }
        return bytes
    }

    // MARK: - Private

    /// Encodes all but letters, digits and "*-._", a space as "+".
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
            case UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): bytes.append(byte)
            case _ where PercentEncoding.isAlphanumeric(byte): bytes.append(byte)
            default: PercentEncoding.append(byte, to: &bytes)
            }
        }
    }
}

extension Form: Hashable {
    public static func == (one: Form, other: Form) -> Bool {
        one.pairs.count == other.pairs.count && zip(one.pairs, other.pairs).allSatisfy { $0 == $1 }
    }

    public func hash(into hasher: inout Hasher) {
        for pair in self.pairs {
            hasher.combine(pair.name)
            hasher.combine(pair.value)
        }
    }
}
