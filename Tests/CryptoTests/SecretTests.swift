import Crypto
import Testing

@Suite struct SecretTests {
    @Test func neverPrints() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect("\(secret)" == "••••")
        #expect(String(reflecting: secret) == "••••")
        #expect(!dumped.contains("hunter2") && !dumped.contains("104"))
        #expect(!"\([secret])\(Optional(secret) as Any)".contains("hunter2"))
    }

    @Test func givesItsBytesWhenAsked() {
        #expect(Secret("é").reveal() == [0xC3, 0xA9])
        #expect(Secret([0xC3, 0xA9]).text == "é")
        #expect(Secret("").isEmpty)
    }

    @Test func equalityIsOfTheBytes() {
        #expect(Secret("a") == Secret([0x61]))
        #expect(Secret("a") != Secret("b"))
        #expect(Secret("a") != Secret("aa"))
        #expect(Secret("") == Secret(""))
        #expect(equalInConstantTime([], []))
        #expect(!equalInConstantTime([0], []))
    }

    @Test func randomBytesAreAsManyAsAskedAndDiffer() {
        #expect(SystemRandom.bytes(0).isEmpty)
        #expect(SystemRandom.bytes(4096).count == 4096)
        #expect(Set((0..<100).map { _ in SystemRandom.bytes(16) }).count == 100)
    }
}
