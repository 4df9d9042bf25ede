import Synchronization
import Testing

@testable import PhoneNumbers

@Suite struct RegionCacheTests {
    @Test(
        arguments: [
            ("+41781234567", "CH"), ("+12042345678", "CA"), ("+12125550123", "US"), ("+77710009998", "KZ"),
            ("+447400123456", "GB"), ("+441534456789", "JE"), ("+80012345678", nil), ("+999123456789", nil),
        ] as [(String, String?)])
    func agreesWithTheLookUp(number: String, region: String?) {
        let cache = RegionCache(limit: 100)
        #expect(cache.region(of: number) == region)
        #expect(cache.region(of: number) == region)
        #expect(cache.count == 1)
    }

    @Test func aBlockIsLookedUpOnce() {
        let asked = Mutex<[String]>([])
        let cache = RegionCache(limit: 100) { number in
            asked.withLock { $0.append(number) }
            return number.hasPrefix("+1") ? "US" : nil
        }
        for last in 1000...1999 { #expect(cache.region(of: "+1212555\(last)") == "US") }
        // What has no country is known too. A digit less is another block.
        for _ in 0..<2 { #expect(cache.region(of: "+999123456789") == nil) }
        #expect(cache.region(of: "+121255510") == "US")
        #expect(asked.withLock { $0 } == ["+12125551000", "+999123456789", "+121255510"])
    }

    @Test func aLeadingZeroIsADigit() {
        let cache = RegionCache(limit: 100) { $0 }
        #expect(cache.region(of: "+00123456") == "+00123456")
        #expect(cache.region(of: "+0123456") == "+0123456")
    }

    @Test(arguments: ["", "+", "+4178", "41781234567", "+4178123456a", "+4178 1234567", "+1234567890123456"])
    func whatIsNoNumberHasNoCountry(text: String) {
        let cache = RegionCache(limit: 100) { _ in "XX" }
        #expect(cache.region(of: text) == nil)
        #expect(cache.count == 0)
    }

    @Test func itIsBoundedAndKeepsWhatIsAskedFor() {
        let looked = Mutex<[String: Int]>([:])
        let cache = RegionCache(limit: 10) { number in
            looked.withLock { $0[number, default: 0] += 1 }
            return "CH"
        }
        for block in 1000..<2000 {
            _ = cache.region(of: "+41\(block)0000")
            _ = cache.region(of: "+41790000000")
            #expect(cache.count <= 10)
        }
        #expect(looked.withLock { $0["+41790000000"] } == 1)
    }
}
