import Messaging
import Testing

@Suite struct MessageIDTests {
    private static func ids(_ count: Int) -> [MessageID] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in
            MessageID(
                lane: Lane(rawValue: .random(in: 0...255, using: &generator)),
                milliseconds: .random(in: 0..<1 << 48, using: &generator), using: &generator)
        }
    }

    @Test func itIsAUUIDOfVersionSevenThatEndsInItsLane() {
        var generator = SystemRandomNumberGenerator()
        for lane in 0...255 as ClosedRange<UInt8> {
            for milliseconds in [0, 1, 1_795_252_500_250, (1 << 48) - 1] as [Int64] {
                let id = MessageID(lane: Lane(rawValue: lane), milliseconds: milliseconds, using: &generator)
                #expect(id.lane.rawValue == lane)
                #expect(id.milliseconds == milliseconds)
                #expect(id.high >> 12 & 0xF == 7)
                #expect(id.low >> 62 == 0b10)
                let digits = Array(id.description.utf8)
                #expect(digits[14] == UInt8(ascii: "7"))
                #expect("89ab".utf8.contains(digits[19]))
            }
        }
    }

    @Test func itIsWrittenAndReadInEitherCase() {
        #expect(
            MessageID(high: 0x0192_d1e4_7000_7abc, low: 0x8000_0000_0000_00fe).description
                == "0192d1e4-7000-7abc-8000-0000000000fe")
        for id in Self.ids(2000) {
            #expect(MessageID(id.description) == id)
            #expect(MessageID(id.description.uppercased()) == id)
        }
    }

    @Test(arguments: [
        "", "0192d1e4-7000-7000-8000-00000000000", "0192d1e4-7000-7000-8000-0000000000011",
        "0192d1e470007000800000000000000001", "0192d1e470007000-8000-000000000001",
        "{0192d1e4-7000-7000-8000-000000000001}",
        "0192d1e4-7000-7000-8000-00000000000g", "0192d1e4_7000-7000-8000-000000000001",
        "-192d1e4-7000-7000-8000-000000000001", "0192d1e4-7000-7000-8000-00000000000\u{661}",
        " 192d1e4-7000-7000-8000-000000000001", "0192d1e4-7000-7000-8000-000000000001\n",
        "0192d1e4--000-7000-8000-000000000001",
    ])
    func whatIsNotOfItsFormIsNoID(text: String) {
        #expect(MessageID(text) == nil)
    }

    @Test func laterIDsAreGreaterWhateverTheirLane() {
        var generator = SystemRandomNumberGenerator()
        var last: MessageID?
        for milliseconds in 1_795_252_500_000..<1_795_252_501_000 as Range<Int64> {
            let lane = Lane(rawValue: .random(in: 0...255, using: &generator))
            let id = MessageID(lane: lane, milliseconds: milliseconds, using: &generator)
            if let last { #expect(last < id) }
            last = id
        }
    }

    @Test func idsOfOneMomentDiffer() {
        var generator = SystemRandomNumberGenerator()
        let ids = (0..<20_000).map { _ in MessageID(lane: Lane(rawValue: 0), milliseconds: 1, using: &generator) }
        #expect(Set(ids).count == ids.count)
    }

    @Test func theTextsOrderIsTheirs() {
        let ids = Self.ids(2000)
        #expect(ids.sorted().map(\.description) == ids.map(\.description).sorted())
    }
}
