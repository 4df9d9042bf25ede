import Crypto
import Messaging
import Testing
import Verification

@Suite struct CodeTests {
    @Test(arguments: CodeFormat.Alphabet.allCases, [1, 4, 8])
    func hasItsLengthAndAlphabet(alphabet: CodeFormat.Alphabet, length: Int) {
        for _ in 0..<200 {
            let code = CodeFormat(alphabet: alphabet, length: length).makeCode().text
            #expect(code.utf8.count == length)
            #expect(code.allSatisfy { alphabet.characters.contains($0) })
        }
    }

    /// Chi-square with 9 degrees of freedom: 27.9 is passed once in a thousand; the generator is seeded, so never here.
    @Test func favoursNoDigitInNoPlace() {
        var generator = Seeded(state: 2026)
        var counts = [[Int]](repeating: [Int](repeating: 0, count: 10), count: 6)
        let draws = 100_000
        for _ in 0..<draws {
            let code = CodeFormat(length: 6).makeCode(using: &generator).text.utf8
            for (place, digit) in code.enumerated() { counts[place][Int(digit - 48)] += 1 }
        }
        for place in counts {
            let expected = Double(draws) / 10
            let chiSquare = place.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
            #expect(chiSquare < 27.9)
        }
        // Leading zeros are kept: about a tenth of all codes begin with one.
        #expect((9_000...11_000).contains(counts[0][0]))
    }

    @Test(arguments: [
        ("123456", "123456"), (" 1234 ", "1234"), ("ab3f", "AB3F"), ("１２３４", "１２３４"), ("12 34", "12 34"),
    ])
    func readsWhatIsTyped(typed: String, code: String) { #expect(Code(typed: typed)?.text == code) }

    @Test(arguments: ["", "   ", String(repeating: "1", count: 65)])
    func refusesWhatIsNoCode(typed: String) { #expect(Code(typed: typed) == nil) }

    @Test func neverPrints() {
        let code = Code(typed: "493817")
        var dumped = ""
        dump(code, to: &dumped)
        #expect(!"\(String(describing: code)) \(String(reflecting: code)) \(dumped)".contains("493817"))
    }
}

@Suite struct CodeMACTests {
    private let keys: (one: MasterKeys, other: MasterKeys, rotated: MasterKeys)
    private static let recipient = Recipient.phone(PhoneNumber("+41791234567")!)  // A number.
    private static let id = VerificationID("01a1fc5e-cd8d-74ec-b144-8cd5fd242a00")!  // An id.
    private static let code = Code(typed: "1234")!  // A code.

    init() throws {
        let key = Base64.encode([UInt8](repeating: 1, count: 32))
        let other = Base64.encode([UInt8](repeating: 2, count: 32))
        self.keys = (
            try MasterKeys(parsing: "1:\(key)"), try MasterKeys(parsing: "1:\(other)"),
            try MasterKeys(parsing: "2:\(other),1:\(key)")
        )
    }

    private func mac(
        _ code: Code = Self.code, of id: VerificationID = Self.id, account: Int32 = 1,
        recipient: Recipient = Self.recipient, keys: MasterKeys? = nil
    ) -> CodeMAC {
        CodeMAC(
            code, of: id, account: AccountID(rawValue: account), recipient: recipient, keys: keys ?? self.keys.one)
    }

    @Test func isBoundToEverything() throws {
        let mac = self.mac()
        #expect(mac == self.mac())
        #expect(mac != self.mac(try #require(Code(typed: "1235"))))
        #expect(mac != self.mac(of: try #require(VerificationID("01a1fc5e-cd8d-74ec-b144-8cd5fd242a01"))))
        #expect(mac != self.mac(account: 2))
        #expect(mac != self.mac(recipient: .phone(try #require(PhoneNumber("+41791234568")))))
        #expect(mac.bytes != self.mac(keys: self.keys.other).bytes)
    }

    /// The database takes the second step; a guess under either key of the ring leads to the hash that was stored.
    @Test func guessesLeadToWhatIsStoredUnderAnyKeyOfTheRing() {
        for stored in [self.mac(), self.mac(keys: self.keys.rotated)] {
            let guesses = CodeMAC.guesses(
                Self.code, at: Self.id, account: AccountID(rawValue: 1), keys: self.keys.rotated)
            #expect(guesses.count == 2)
            let guess = guesses.first { $0.keyID == stored.keyID }
            #expect(guess.map { Digest.sha256.hash($0.bytes + Array(Self.recipient.key.utf8)) } == stored.bytes)
        }
        #expect(self.mac().keyID == 1)
        #expect(self.mac(keys: self.keys.rotated).keyID == 2)
    }

    @Test func isNoPlainHash() {
        #expect(self.mac().bytes != Digest.sha256.hash(Array("1234".utf8)))
        #expect(self.mac().bytes.count == 32)
    }
}

/// SplitMix64.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
