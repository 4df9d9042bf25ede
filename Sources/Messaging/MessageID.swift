/// A message's name: a UUID of version 7 (RFC 9562 section 5.7) whose last byte is the message's lane.
///
/// The time in front keeps index inserts together and lets a look-up find the partition; the lane at the end is what
/// every hot table leads with, so no statement has to look it up. Raising the number of lanes later changes no old id.
public struct MessageID: Sendable, Hashable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new id in `lane`, at `milliseconds` since 1970, with 66 random bits.
    public init(lane: Lane, milliseconds: Int64, using generator: inout some RandomNumberGenerator) {
        let random = generator.next() as UInt64
        self.high = UInt64(milliseconds) << 16 | 0x7000 | random >> 52
        let variant: UInt64 = 0b10 << 62
        self.low = variant | (generator.next() as UInt64) >> 2 & ~0xFF | UInt64(lane.rawValue)
    }

    public var lane: Lane { Lane(rawValue: UInt8(truncatingIfNeeded: self.low)) }
    public var milliseconds: Int64 { Int64(self.high >> 16) }
}

/// A shard of the queue's tables. One is the default; a cluster uses up to 256.
public struct Lane: RawRepresentable, Sendable, Hashable, Comparable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static func < (left: Lane, right: Lane) -> Bool { left.rawValue < right.rawValue }
}

extension MessageID: Comparable {
    /// PostgreSQL's order of `uuid`: bytes from the left.
    public static func < (left: MessageID, right: MessageID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension MessageID: CustomStringConvertible {
    /// Lower-case hexadecimal in groups of 8-4-4-4-12 (RFC 9562 section 4).
    public var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var next = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    buffer[next] = UInt8(ascii: "-")
                    next += 1
                }
                let word = digit < 16 ? self.high : self.low
                let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - digit % 16 * 4)) & 15
                buffer[next] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
                next += 1
            }
            return 36
        }
    }

    /// Reads the canonical form, in either case. Nil for anything else.
    public init?(_ text: some StringProtocol) {
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var position = 0
        for byte in text.utf8 {
            defer { position += 1 }
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let value = hexValue(byte), digits < 32 else { return nil }
            if digits < 16 { words.0 = words.0 << 4 | value } else { words.1 = words.1 << 4 | value }
            digits += 1
        }
        guard digits == 32, position == 36 else { return nil }
        self.init(high: words.0, low: words.1)
    }
}

private func hexValue(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}

/// A verification's name: made as a message's is, and in the lane of its recipient.
public struct VerificationID: RawRepresentable, Sendable, Hashable {
    public let rawValue: MessageID
    public init(rawValue: MessageID) { self.rawValue = rawValue }

    public var lane: Lane { self.rawValue.lane }
}

extension VerificationID: CustomStringConvertible {
    /// Canonical, as ``MessageID`` prints.
    public var description: String { self.rawValue.description }

    /// 32 upper-case hexadecimal digits, as vendors write ids.
    public var hexadecimal: String { self.rawValue.description.filter { $0 != "-" }.uppercased() }

    /// Reads the canonical form, in either case. Nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard let id = MessageID(text) else { return nil }
        self.init(rawValue: id)
    }

    /// Reads 32 hexadecimal digits in upper case. Nil for anything else.
    public init?(hexadecimal text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 32, !digits.contains(where: { (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) })
        else { return nil }
        var canonical = digits
        for position in [20, 16, 12, 8] { canonical.insert(UInt8(ascii: "-"), at: position) }
        self.init(String(decoding: canonical, as: UTF8.self))
    }
}
