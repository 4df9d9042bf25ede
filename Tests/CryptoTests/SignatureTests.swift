import Crypto
import TestKeys
import Testing

@Suite struct SignatureTests {
    /// providers.md section 2.7.
    @Test func ed25519VerifiesAsTheVectorOfTelnyx() throws {
        let bytes = try #require(Base64.decode("2ZxdBwGXtf9bu4oZutRQo+6QUPCPKc98BJIinJIw4kg="))
        let key = try #require(Ed25519PublicKey(rawRepresentation: bytes))
        let message = Array(#"1700000000|{"data":{"event_type":"message.finalized"}}"#.utf8)
        let signature = try #require(
            Base64.decode("FUpl6uvLiMo9STQHfwcHhGDndZ9F8osEkaHZTkmje/zhfgX/Rti2ddmj75yMRdfWeuHStc74+SHee7X4IlLiAg=="))
        #expect(key.verifies(signature: signature, of: message))
        for mutant in Self.mutants(of: signature) { #expect(!key.verifies(signature: mutant, of: message)) }
        for mutant in Self.mutants(of: message) { #expect(!key.verifies(signature: signature, of: mutant)) }
    }

    @Test(arguments: [0, 31, 33, 64])
    func ed25519KeysHaveThirtyTwoBytes(_ count: Int) {
        #expect(Ed25519PublicKey(rawRepresentation: [UInt8](repeating: 1, count: count)) == nil)
    }

    /// providers.md section 4.4.
    @Test func ecdsaVerifiesAsTheVectorOfSendGrid() throws {
        let key = try #require(ECDSAPublicKey(subjectPublicKeyInfo: Self.p256))
        let message = Array(#"1700000000[{"event":"delivered"}]"#.utf8)
        let signature = try #require(
            Base64.decode(
                "MEUCIQDs32ea5vsAJYByUu99WgH6hN5KpH33EJkPRocE4p3BnAIgA4442u1lLIc8yT23LarPpDyzCyFDAAvR9fxEieIOvBM="))
        #expect(key.verifies(signature: signature, of: message))
        for mutant in Self.mutants(of: signature) { #expect(!key.verifies(signature: mutant, of: message)) }
        for mutant in Self.mutants(of: message) { #expect(!key.verifies(signature: signature, of: mutant)) }
    }

    @Test func ecdsaSignsWhatItsOtherHalfVerifies() throws {
        let key = try #require(ECDSAPrivateKey(pem: Secret(TestKey.p256)))
        let other = try #require(Base64.decode(TestKey.p256Public).flatMap { ECDSAPublicKey(subjectPublicKeyInfo: $0) })
        let signature = key.signature(of: [1, 2, 3])
        #expect(other.verifies(signature: signature, of: [1, 2, 3]))
        #expect(!other.verifies(signature: signature, of: [1, 2]))
        #expect("\(key)" == "an ECDSA key")
        #expect(ECDSAPrivateKey(pem: Secret(TestKey.pem)) == nil)
    }

    @Test func anotherCurveIsRefused() throws {
        let p384 = try #require(
            Base64.decode(
                "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEsEAP0bmtJ67XKGwJ5Pj71tAOHJFo4Ywl4tbW/18JEaLT0NIebXcX2PGvLbEQ"
                    + "b8rj7/iKV8PCizx7MWTemIeYrSGNjzB0HX1MNAi1iUfI4VVWcV1rJfOYEntIRHc45/bs"))
        #expect(ECDSAPublicKey(subjectPublicKeyInfo: p384) == nil)
    }

    @Test func aCutOrLongerKeyIsRefused() {
        #expect(ECDSAPublicKey(subjectPublicKeyInfo: []) == nil)
        #expect(ECDSAPublicKey(subjectPublicKeyInfo: Self.p256.dropLast()) == nil)
        #expect(ECDSAPublicKey(subjectPublicKeyInfo: Self.p256 + [0]) == nil)
    }

    /// The signature is what OpenSSL's own tool makes of the same key.
    @Test(arguments: [TestKey.pem, TestKey.pkcs1, "\n  \(TestKey.pem.replacing("\n", with: "\r\n"))\n"])
    func rsaSignsAsOpenSSLDoes(_ pem: String) throws {
        let key = try #require(RSAPrivateKey(pem: Secret(pem)))
        #expect(
            Base64.encode(key.signature(of: Array("abc".utf8)))
                == "WGmXir84wJgnrYn1VzXfOkUqCwtsyKDxpi4XdDNx6GEKs4djDmkvWiPYD1Qo28pehq6kWvnZ3jahu1L6efWK+WCaeaeYwAY6CKdR"
                + "obrPph+3sDw1vt8VkDocYy0MlPbEsYbc7c0N5MGTbosDYrt3ilYkeoBk3f/dTUMjNF7H2GeidXWKdn5+Xplw4xtUP3kmE9UojGMy"
                + "0Vva7U7SiWWXwmfDx+OqcLAh6ufQ12i9HTabbGTTXj58bG6AA4cyYOu3xCadAcMCqYJJ+na45a5TNA2LSF6RGemLt1Qce33KTxbe"
                + "bUpysV3xSqb6PIZSEuaBddPsCI3lDsqhkjR4mk8F7w==")
    }

    @Test(arguments: [
        "", "no key", TestKey.short, String(TestKey.pem.dropLast(30)),
        TestKey.pem.replacing("PRIVATE KEY", with: "PUBLIC KEY"),
        TestKey.pem.replacing("PRIVATE KEY", with: "ENCRYPTED PRIVATE KEY"),
        TestKey.pem.replacing("MIIEvg", with: "MIIEvh"),
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
    ])
    func whatIsNoRSAKeyOfGoodLengthIsRefused(_ pem: String) { #expect(RSAPrivateKey(pem: Secret(pem)) == nil) }

    @Test func aKeyNeverPrints() throws {
        let key = try #require(RSAPrivateKey(pem: Secret(TestKey.pem)))
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key)" == "an RSA key")
        #expect(!dumped.contains("KeyHandle"))
    }

    // MARK: - Private

    private static let p256 = Base64.decode(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZoki8jDyoR1NyWbDvP0R33zyVGRS6thCa5iVHz/8oWh0WqCDP9wHSGDcyoCwu/GWIVqM"
            + "sWovRS15VztEKftQ7g==")!  // A literal.

    /// The bytes with each one changed, without the last, with one more, and none.
    private static func mutants(of bytes: [UInt8]) -> [[UInt8]] {
        let changed = bytes.indices.map { index in
            var mutant = bytes
            mutant[index] ^= 1
            return mutant
        }
        return changed + [bytes.dropLast(), bytes + [0], []]
    }
}
