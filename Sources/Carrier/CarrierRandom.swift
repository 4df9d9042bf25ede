/// A generator that begins where its seed says (SplitMix64, Steele, Lea and Flood 2014). No value comes twice within
/// 2⁶⁴, so an id made of one whole value is unique.
struct CarrierRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// 16 hexadecimal digits, upper case.
    mutating func nextID() -> String {
        let digits = String(self.next(), radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
