/// Ids that fit into sixteen letters and digits, as long as Nexmo's may be (dialects.md section 4.1).
///
/// They are UUIDs like all others, but only 45 of their random bits are set: in one lane and one millisecond two meet once
/// in some 35 million million pairs.
extension MessageID {
    /// A new id in `lane`, at `milliseconds` since 1970, that has a ``compactText`` until the year 2109.
    public init(compactIn lane: Lane, milliseconds: Int64, using generator: inout some RandomNumberGenerator) {
        let id = MessageID(lane: lane, milliseconds: milliseconds, using: &generator)
        self.init(high: id.high, low: id.low & ~Self.spareBits)
    }

    /// Sixteen digits and letters; nil for an id that was not made for it.
    public var compactText: String? {
        guard
            self.high >> 58 == 0, self.high >> 12 & 0xF == 7, self.low >> 62 == 0b10, self.low & Self.spareBits == 0
        else { return nil }
        let random = UInt128(self.high & 0xFFF) << 33 | UInt128(self.low >> 8 & Self.lowRandomBits)
        let number = UInt128(self.milliseconds) << 53 | UInt128(self.lane.rawValue) << 45 | random
        return PositionalText.encode(number, PositionalText.base62, width: Self.compactLength)
    }

    /// Reads what ``compactText`` writes. Nil for anything else.
    public init?(compactText text: some StringProtocol) {
        guard
            text.utf8.count == Self.compactLength,
            let number = PositionalText.decode(text.utf8, PositionalText.base62), number >> 95 == 0
        else { return nil }
        let high = UInt64(number >> 53) << 16 | 0x7000 | UInt64(number >> 33 & 0xFFF)
        let random = UInt64(truncatingIfNeeded: number) & Self.lowRandomBits
        self.init(high: high, low: 0b10 << 62 | random << 8 | UInt64(number >> 45 & 0xFF))
    }

    // MARK: - Private

    private static let compactLength = 16
    private static let lowRandomBits: UInt64 = 1 << 33 - 1
    /// Of the random bits of ``low``, those that are not set.
    private static let spareBits: UInt64 = (1 << 62 - 1) & ~(1 << 41 - 1)
}
