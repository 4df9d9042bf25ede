import Crypto
import Testing

@Suite struct MasterKeysTests {
    static let key1 = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    static let key2 = "2:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="

    @Test func whatIsSealedOpensInTheSameContextOnly() throws {
        let keys = try MasterKeys(parsing: Self.key1)
        let sealed = keys.seal(Array("123456".utf8), for: "code:1")
        #expect(try keys.open(sealed, for: "code:1") == Array("123456".utf8))
        #expect(throws: SealError.notGenuine) { try keys.open(sealed, for: "code:2") }
        #expect(throws: SealError.notGenuine) { try keys.open(sealed, for: "") }
    }

    @Test(arguments: [0, 1, 15, 16, 17, 1600])
    func theFormatIsVersionKeyNonceCiphertextTag(count: Int) throws {
        let keys = try MasterKeys(parsing: "\(Self.key2),\(Self.key1)")
        let plain = [UInt8](repeating: 7, count: count)
        let sealed = keys.seal(plain, for: "c")
        #expect(sealed.count == 1 + 1 + 12 + count + 16)
        #expect(sealed.count == count + MasterKeys.overheadByteCount)
        #expect(sealed[0...1] == [1, 2])
        #expect(try keys.open(sealed, for: "c") == plain)
    }

    /// Also where pieces of several sizes are taken, and more of them than are fetched at once.
    @Test func aReserveGivesNothingTwice() throws {
        let keys = try MasterKeys(parsing: Self.key1)
        let random = RandomReserve(byteCount: 100)
        var pieces: [[UInt8]] = []
        for _ in 0..<1000 {
            pieces.append(Array(keys.seal([1], for: "c", using: random)[2..<14]))
            let number = random.next()
            pieces.append((0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) })
            let other = random
            pieces.append(Array(other.take(13)))
        }
        let starts = Set(pieces.map { Array($0.prefix(8)) })
        #expect(starts.count == 3000)
        #expect(random.take(250).count == 250)
    }

    @Test func sealingTwiceGivesDifferentBytes() throws {
        let keys = try MasterKeys(parsing: Self.key1)
        let sealed = (0..<100).map { _ in keys.seal([1], for: "c") }
        #expect(Set(sealed).count == 100)
    }

    @Test func aRotatedRingOpensWhatTheOldKeySealed() throws {
        let old = try MasterKeys(parsing: Self.key1)
        let rotated = try MasterKeys(parsing: "\(Self.key2)\n\(Self.key1)\n")
        #expect(try rotated.open(old.seal([1], for: "c"), for: "c") == [1])
        #expect(throws: SealError.unknownKey(id: 2)) { try old.open(rotated.seal([1], for: "c"), for: "c") }
    }

    @Test func anotherKeyOfTheSameIDOpensNothing() throws {
        let sealed = try MasterKeys(parsing: Self.key1).seal([1], for: "c")
        let impostor = try MasterKeys(parsing: MasterKeys.generate(id: 1))
        #expect(throws: SealError.notGenuine) { try impostor.open(sealed, for: "c") }
    }

    @Test func everyChangedByteIsNoticed() throws {
        let keys = try MasterKeys(parsing: Self.key1)
        let sealed = keys.seal(Array("body".utf8), for: "c")
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: SealError.self) { try keys.open(changed, for: "c") }
        }
        for count in 0..<sealed.count {
            #expect(throws: SealError.self) { try keys.open(Array(sealed.prefix(count)), for: "c") }
        }
        #expect(throws: SealError.self) { try keys.open(sealed + [0], for: "c") }
    }

    @Test(arguments: ["1:", " 1:", "\r\n1:", ",1:", "255:", "\n\n7:"])
    func spaceAndEmptyEntriesAreIgnored(front: String) throws {
        let keys = try MasterKeys(parsing: front + Self.key1.dropFirst(2) + " \n")
        #expect(try keys.open(keys.seal([9], for: "c"), for: "c") == [9])
    }

    @Test(arguments: [
        ("", MasterKeysError.empty),
        (" ,\n", .empty),
        ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", .malformed(position: 1)),
        ("1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", .malformed(position: 1)),
        ("\(key1),2:?", .malformed(position: 2)),
        ("\(key1) \(key2)", .malformed(position: 1)),
        ("0:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", .idOutOfRange(position: 1)),
        ("256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", .idOutOfRange(position: 1)),
        ("+1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", .idOutOfRange(position: 1)),
        ("\(key1),\(key1)", .idTwice(id: 1)),
        ("1:AAECAwQFBgcICQoLDA0ODw==", .wrongLength(id: 1, byteCount: 16)),
        ("1:", .wrongLength(id: 1, byteCount: 0)),
    ])
    func badRingsAreRefused(_ text: String, _ error: MasterKeysError) {
        #expect(throws: error) { try MasterKeys(parsing: text) }
    }

    @Test func neitherRingNorErrorPrintsAKey() throws {
        let keys = try MasterKeys(parsing: "\(Self.key1),\(Self.key2)")
        var dumped = ""
        dump(keys, to: &dumped)
        #expect("\(keys)" == "master keys 1, 2")
        #expect(!dumped.contains("Key("))
        #expect(!MasterKeysError.malformed(position: 1).description.contains("AAEC"))
    }
}
