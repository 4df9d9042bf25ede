import Testing

@testable import Crypto

/// The AES-256 cases of the specification of GCM that was submitted to NIST (McGrew and Viega, appendix B, 13 to 16).
@Suite struct SealingCipherTests {
    struct Case: CustomTestStringConvertible {
        let number: Int
        let key: String
        let plain: String
        let context: String
        let nonce: String
        let sealed: String
        var testDescription: String { "case \(self.number)" }
    }

    static let zeroKey = String(repeating: "00", count: 32)
    static let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    static let plain =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    static let cipher =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

    static let cases = [
        Case(
            number: 13, key: zeroKey, plain: "", context: "", nonce: "000000000000000000000000",
            sealed: "530f8afbc74536b9a963b4f1c4cb738b"
        ),
        Case(
            number: 14, key: zeroKey, plain: "00000000000000000000000000000000", context: "",
            nonce: "000000000000000000000000",
            sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        ),
        Case(
            number: 15, key: key, plain: plain + "1aafd255", context: "", nonce: "cafebabefacedbaddecaf888",
            sealed: cipher + "898015ad" + "b094dac5d93471bdec1a502270e3cc6c"
        ),
        Case(
            number: 16, key: key, plain: plain, context: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            nonce: "cafebabefacedbaddecaf888", sealed: cipher + "76fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ]

    @Test(arguments: cases)
    func sealsAndOpensAsPublished(_ vector: Case) throws {
        let key = try #require(Hex.decode(vector.key))
        let nonce = try #require(Hex.decode(vector.nonce))
        let context = try #require(Hex.decode(vector.context))
        let plain = try #require(Hex.decode(vector.plain))
        let sealed = SealingCipher.encrypt(plain, key: key, nonce: nonce, context: context)
        #expect(Hex.encode(sealed) == vector.sealed)
        #expect(SealingCipher.decrypt(sealed[...], key: key, nonce: nonce, context: context) == plain)
    }

    @Test func nothingShorterThanATagOpens() throws {
        let key = try #require(Hex.decode(Self.key))
        let nonce = [UInt8](repeating: 0, count: 12)
        #expect(SealingCipher.decrypt([], key: key, nonce: nonce, context: []) == nil)
        #expect(SealingCipher.decrypt(ArraySlice(repeating: 0, count: 15), key: key, nonce: nonce, context: []) == nil)
    }
}
