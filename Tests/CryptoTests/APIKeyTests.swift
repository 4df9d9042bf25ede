import Testing

@testable import Crypto

@Suite struct APIKeyTests {
    @Test func aNewKeyIsWellFormedAndUnlikeAnyOther() {
        let keys = (0..<200).map { _ in APIKey.make().text }
        #expect(Set(keys).count == keys.count)
        #expect(keys.allSatisfy { $0.hasPrefix("pinpost_") && $0.utf8.count == 57 && APIKey.isWellFormed($0) })
    }

    @Test func anyOneWrongCharacterIsNoticed() {
        let key = Array(APIKey.make().text)
        for index in key.indices.dropFirst(8) {
            var changed = key
            changed[index] = key[index] == "x" ? "y" : "x"
            #expect(!APIKey.isWellFormed(String(changed)))
        }
    }

    @Test func theChecksumIsOverAllBeforeIt() {
        // zlib gives 0x396F8E97 for these 51 characters.
        let body = "pinpost_" + String(repeating: "0", count: 43)
        let checksum = "13DDa3"
        #expect(APIKey.isWellFormed(body + checksum))
        #expect(!APIKey.isWellFormed(body + checksum + "0"))
        #expect(!APIKey.isWellFormed(body.dropLast() + checksum))
        #expect(!APIKey.isWellFormed("pinpost_"))
    }

    @Test func theCRCIsThePublishedOne() {
        // The check value of CRC-32/ISO-HDLC.
        #expect(CRC32.checksum("123456789".utf8) == 0xCBF4_3926)
        #expect(String(decoding: Base62.encode(61, width: 6), as: UTF8.self) == "00000z")
        #expect(String(decoding: Base62.encode(.max, width: 6), as: UTF8.self) == "4gfFC3")
    }

    @Test(arguments: [
        ("01234567890123456789", true),
        (String(repeating: "~", count: 128), true),
        ("0123456789012345678", false),
        (String(repeating: "a", count: 129), false),
        ("0123456789 0123456789", false),
        ("0123456789\u{7F}0123456789", false),
        ("0123456789é0123456789", false),
        ("", false),
    ])
    func operatorsKeysHaveALengthAndNoSpaces(_ text: String, _ accepted: Bool) {
        #expect(APIKey.isWellFormed(text) == accepted)
    }

    @Test func theDigestIsSHA256() {
        #expect(Hex.encode(APIKey.digest("abc")).hasPrefix("ba7816bf8f01cfea"))
    }
}
