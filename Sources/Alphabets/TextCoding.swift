/// How a short message's characters become octets, where each has at least one: the forms that SMPP carries.
public enum TextCoding: String, Sendable, Hashable, CaseIterable {
    /// The alphabet of ``GSMAlphabet``, a septet in each octet.
    case gsm7
    /// ISO 8859-1.
    case latin1
    /// UTF-16, the higher octet first.
    case ucs2

    /// The octets of each character, so that no cut goes through one; nil when the coding lacks a character.
    public func characters(of text: String) -> [[UInt8]]? {
        var characters: [[UInt8]] = []
        characters.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard let octets = self.octets(of: scalar) else { return nil }
            characters.append(octets)
        }
        return characters
    }

    /// Nil when the coding lacks a character.
    public func encode(_ text: String) -> [UInt8]? { self.characters(of: text).map { Array($0.joined()) } }

    /// What stands for no character becomes U+FFFD; half a character at the end of UCS-2 does too.
    public func decode(_ octets: some Collection<UInt8>) -> String {
        switch self {
        case .gsm7: return GSMAlphabet.decode(octets)
        case .latin1: return String(String.UnicodeScalarView(octets.map { Unicode.Scalar($0) }))
        case .ucs2:
            let octets = Array(octets)
            let units = stride(from: 0, to: octets.count - 1, by: 2).map {
                UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1])
            }
            return String(decoding: units, as: UTF16.self) + (octets.count % 2 == 1 ? "\u{FFFD}" : "")
        }
    }

    private func octets(of scalar: Unicode.Scalar) -> [UInt8]? {
        switch self {
        case .gsm7: GSMAlphabet.code(of: scalar).map { $0.isExtended ? [GSMAlphabet.escape, $0.code] : [$0.code] }
        case .latin1: scalar.value <= 0xFF ? [UInt8(scalar.value)] : nil
        case .ucs2: UTF16.encode(scalar).map { $0.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } }
        }
    }
}

/// Where a text is cut when it does not go into one message.
public enum Cuts {
    /// The ranges of characters, by their widths, that go into one part each. A character stands in one part whole, so a
    /// part may end short. At least one, which may be empty; one for all that does not exceed `single`.
    public static func ranges(of widths: [Int], single: Int, part: Int) -> [Range<Int>] {
        guard widths.reduce(0, +) > single else { return [widths.indices] }
        var ranges: [Range<Int>] = []
        var first = 0
        var used = 0
        for (index, width) in widths.enumerated() {
            if used + width > part {
                ranges.append(first..<index)
                first = index
                used = 0
            }
            used += width
        }
        return ranges + [first..<widths.count]
    }
}
