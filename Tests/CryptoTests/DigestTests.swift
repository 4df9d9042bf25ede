import Crypto
import Testing

@Suite struct DigestTests {
    /// RFC 1321 A.5, RFC 3174 section 7.3, FIPS 180-4's examples.
    @Test(arguments: [
        (Digest.md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
        (.md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
        (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (.sha1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        (.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            .sha512, "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
    ])
    func hashesAsPublished(_ digest: Digest, _ message: String, _ hash: String) {
        #expect(Hex.encode(digest.hash(message.utf8)) == hash)
    }

    /// RFC 2202 sections 2 and 3, RFC 4231 sections 4.2, 4.3 and 4.7.
    @Test(arguments: [
        (Digest.md5, Secret([UInt8](repeating: 0x0B, count: 16)), "Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
        (.md5, Secret("Jefe"), "what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
        (
            .sha1, Secret([UInt8](repeating: 0x0B, count: 20)), "Hi There",
            "b617318655057264e28bc0b6fb378c8ef146be00"
        ),
        (.sha1, Secret("Jefe"), "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            .sha256, Secret([UInt8](repeating: 0x0B, count: 20)), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            .sha256, Secret("Jefe"), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            .sha256, Secret([UInt8](repeating: 0xAA, count: 131)),
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            .sha512, Secret("Jefe"), "what do ya want for nothing?",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        ),
        (
            .sha384, Secret("Jefe"), "what do ya want for nothing?",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
        ),
        (.sha256, Secret(""), "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ])
    func authenticatesAsPublished(_ digest: Digest, _ key: Secret, _ message: String, _ code: String) {
        #expect(Hex.encode(digest.authenticate(Array(message.utf8), key: key)) == code)
    }

    @Test func oneUseLeavesNothingForTheNext() {
        let first = Digest.sha256.authenticate([1], key: Secret("a"))
        _ = Digest.sha256.authenticate([1], key: Secret("b"))
        #expect(Digest.sha256.authenticate([1], key: Secret("")) != first)
        #expect(Digest.sha256.authenticate([1], key: Secret("a")) == first)
    }

    @Test func manyTasksMayDigestAtOnce() async {
        let expected = Digest.sha1.authenticate([1, 2, 3], key: Secret("key"))
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<200).allSatisfy { _ in Digest.sha1.authenticate([1, 2, 3], key: Secret("key")) == expected }
                }
            }
            for await same in group { #expect(same) }
        }
    }
}
