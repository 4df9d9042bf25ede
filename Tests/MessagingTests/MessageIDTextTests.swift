import Messaging
import Testing

@Suite struct MessageIDTextTests {
    private static func ids(_ count: Int, of times: Range<Int64>) -> [MessageID] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in
            MessageID(
                lane: Lane(rawValue: .random(in: 0...255, using: &generator)),
                milliseconds: .random(in: times, using: &generator), using: &generator)
        }
    }

    @Test func aCompactIDIsAnIDLikeAnyOther() throws {
        var generator = SystemRandomNumberGenerator()
        for lane in 0...255 as ClosedRange<UInt8> {
            for milliseconds in [0, 1, 1_795_252_500_250, (1 << 42) - 1] as [Int64] {
                let id = MessageID(
                    compactIn: Lane(rawValue: lane), milliseconds: milliseconds, using: &generator)
                #expect(id.lane.rawValue == lane)
                #expect(id.milliseconds == milliseconds)
                #expect(id.high >> 12 & 0xF == 7)
                #expect(id.low >> 62 == 0b10)
                let text = try #require(id.compactText)
                #expect(text.utf8.count == 16)
                #expect(text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
                #expect(MessageID(compactText: text) == id)
            }
        }
    }

    @Test func compactIDsOfOneMomentDiffer() {
        var generator = SystemRandomNumberGenerator()
        let ids = (0..<20_000).map { _ in
            MessageID(compactIn: Lane(rawValue: 0), milliseconds: 1, using: &generator)
        }
        #expect(Set(ids.map(\.compactText)).count == ids.count)
        // Every random bit that travels is set in one and not in another.
        #expect(ids.reduce(0) { $0 | $1.high } & 0xFFF == 0xFFF)
        #expect(ids.reduce(0) { $0 | $1.low } == 0b10 << 62 | (1 << 33 - 1) << 8 as UInt64)
    }

    @Test func idsWithMoreBitsHaveNoCompactText() {
        let id = MessageID(high: 0x0000_0000_0001_7000, low: 0b10 << 62)
        #expect(id.compactText != nil)
        for bit in 41...61 as ClosedRange<UInt64> {
            #expect(MessageID(high: id.high, low: id.low | 1 << bit).compactText == nil)
        }
        #expect(MessageID(high: 1 << 58 | 0x7000, low: 0b10 << 62).compactText == nil)
        #expect(MessageID(high: 0x4000, low: 0b10 << 62).compactText == nil)
        #expect(MessageID(high: 0x7000, low: 0).compactText == nil)
    }

    @Test(arguments: [
        "", "000000000000000", "00000000000000000", "000000000000000-", "zzzzzzzzzzzzzzzz", "00000000000000é",
        "0192d1e4-7000-7000-8000-000000000001",
    ])
    func whatIsNotOfTheCompactFormIsNoID(text: String) {
        #expect(MessageID(compactText: text) == nil)
    }

    @Test func bandwidthsMessagesAreReadAsTheyAreWritten() {
        for id in Self.ids(2000, of: 0..<10_000_000_000_000) {
            let text = id.bandwidthText
            #expect(text.utf8.count == 29)
            #expect(text == text.lowercased())
            #expect(MessageID(bandwidthText: text) == id)
        }
        let id = MessageID(high: 1_589_228_074_636 << 16 | 0x7000, low: 0b10 << 62 | 35)
        #expect(id.bandwidthText == "1589228074636000000000000000z")
    }

    @Test(arguments: [
        "", "15892280746360m4k2je7j7jklbn", "15892280746360m4k2je7j7jklbn22", "158922807463Z0m4k2je7j7jklbn2",
        "158922807463a0m4k2je7j7jklbn2", "15892280746360M4k2je7j7jklbn2", "1589228074636zzzzzzzzzzzzzzzz",
        // The vendor's own example: its last 16 characters have more bits than ours.
        "1589228074636lm4k2je7j7jklbn2",
    ])
    func whatIsNotOfBandwidthsFormIsNoID(text: String) {
        #expect(MessageID(bandwidthText: text) == nil)
    }

    @Test func bandwidthsCallsAreReadAsTheyAreWritten() {
        for id in Self.ids(2000, of: 0..<1 << 48) {
            let text = id.bandwidthCallText
            #expect(text.utf8.count == 47)
            #expect(text.hasPrefix("c-"))
            #expect(text.hasSuffix("-\(id)"))
            #expect(MessageID(bandwidthCallText: text) == id)
            #expect(MessageID(bandwidthCallText: text.uppercased()) == nil)
            #expect(MessageID(bandwidthCallText: "\(id)") == nil)
        }
        #expect(MessageID(bandwidthCallText: "c-00000000-0192d1e4-7000-7abc-8000-0000000000fe") == nil)
    }
}
