/// Ids in the forms of Bandwidth's (dialects.md section 3.1), which its SDKs take as they come and its tests measure.
extension MessageID {
    /// As `1589228074636lm4k2je7j7jklbn2`: the time in milliseconds, and 16 characters of the rest. The bits that make it a
    /// UUID are the same in all and left out.
    ///
    /// The time has 13 digits until the year 2286; a longer one is written, and not read.
    public var bandwidthText: String {
        let time = String(self.milliseconds)
        let rest = UInt128(self.high & 0xFFF) << 62 | UInt128(self.low & (1 << 62 - 1))
        return String(repeating: "0", count: max(0, Self.timeLength - time.utf8.count)) + time
            + PositionalText.encode(rest, PositionalText.base36, width: Self.restLength)
    }

    /// Reads what ``bandwidthText`` writes. Nil for anything else.
    public init?(bandwidthText text: some StringProtocol) {
        let digits = PositionalText.base36.prefix(10)
        guard
            text.utf8.count == Self.timeLength + Self.restLength,
            let time = PositionalText.decode(text.utf8.prefix(Self.timeLength), Array(digits)),
            let rest = PositionalText.decode(text.utf8.suffix(Self.restLength), PositionalText.base36), rest >> 74 == 0
        else { return nil }
        let high = UInt64(time) << 16 | 0x7000 | UInt64(rest >> 62)
        self.init(high: high, low: 0b10 << 62 | UInt64(truncatingIfNeeded: rest) & (1 << 62 - 1))
    }

    /// As `c-15ac29a2-1331029c-2cb0-4a07-b215-b22865662d85`: a call's id is the UUID behind a number of the vendor's own, which
    /// here is made of the UUID.
    public var bandwidthCallText: String {
        let number = UInt32(truncatingIfNeeded: self.high >> 32 ^ self.high ^ self.low >> 32 ^ self.low)
        let digits = String(number, radix: 16)
        return "c-" + String(repeating: "0", count: 8 - digits.utf8.count) + "\(digits)-\(self)"
    }

    /// Reads what ``bandwidthCallText`` writes. Nil for anything else.
    public init?(bandwidthCallText text: some StringProtocol) {
        guard text.utf8.count == 47, let id = MessageID(text.suffix(36)), id.bandwidthCallText == text else {
            return nil
        }
        self = id
    }

    // MARK: - Private

    private static let timeLength = 13
    private static let restLength = 16
}
