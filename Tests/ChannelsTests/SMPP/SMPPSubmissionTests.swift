import Messaging
import SMPP
import Testing

@testable import Channels

/// Messages to PDUs.
@Suite struct SMPPSubmissionTests {
    @Test func aMessageBecomesItsOctets() throws {
        let message = try Sample.smpp().submissions(of: Sample.dispatch())[0]
        var text: [UInt8] = []
        // service_type, source 5/0 ACME, destination 1/1, esm_class, protocol_id, priority, no schedule, three minutes,
        // registered_delivery, replace, data_coding, default message.
        text += [0x00, 0x05, 0x00] + Array("ACME\0".utf8) + [0x01, 0x01] + Array("447700900000\0".utf8)
        text += [0x00, 0x00, 0x00, 0x00] + Array("000000000300000R\0".utf8) + [0x01, 0x00, 0x00, 0x00]
        text += [19] + Array("Your code is 123456".utf8)
        let header: [UInt8] = [0, 0, 0, UInt8(16 + text.count), 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 7]
        #expect(try PDU(.submit(message), sequence: 7).encoded() == header + text)
    }

    @Test(
        arguments: [
            ("ACME", 5, 0, "ACME"), ("+41791234567", 1, 1, "41791234567"), ("41791234567", 1, 1, "41791234567"),
            ("12345", 3, 0, "12345"), ("+12345", 1, 1, "12345"), ("My Shop 24", 5, 0, "My Shop 24"),
        ] as [(String, UInt8, UInt8, String)])
    func aSenderHasItsType(_ sender: String, _ type: UInt8, _ plan: UInt8, _ text: String) throws {
        let message = try Sample.smpp().submissions(of: Sample.dispatch(sender: sender))[0]
        #expect(message.source == Address(type: type, plan: plan, text))
    }

    /// M in the contract: some want other types, so each is a setting.
    @Test func addressTypesAreSettings() throws {
        let settings = [
            "number_address": "2/1", "short_code_address": "6/0", "name_address": "5/1", "destination_address": "0/1",
        ]
        let driver = try Sample.smpp(settings)
        for (sender, type, plan) in [("+41791234567", 2, 1), ("12345", 6, 0), ("ACME", 5, 1)]
            as [(String, UInt8, UInt8)]
        {
            let message = try driver.submissions(of: Sample.dispatch(sender: sender))[0]
            #expect((message.source.type, message.source.plan) == (type, plan))
            #expect((message.destination.type, message.destination.plan) == (0, 1))
        }
    }

    @Test(arguments: ["Twelve chars", "Zürich", "+4179123456789012", ""]) func aSenderThatCannotBeIsRefused(
        _ sender: String
    ) {
        #expect {
            try Sample.smpp().submissions(of: Sample.dispatch(sender: sender))
        } throws: { error in
            guard case .refused(let verdict, _, _) = (error as? SMPPRefusal)?.outcome else { return false }
            return verdict.reason == .senderInvalid && verdict.action == .stop
        }
    }

    @Test func noSenderLeavesItToTheSMSC() throws {
        let message = try Sample.smpp(sender: nil).submissions(of: Sample.dispatch())[0]
        #expect(message.source == Address())
    }

    // MARK: - Alphabets and parts

    typealias Case = (text: String, settings: [String: String], coding: UInt8, sizes: [Int])

    static let cases: [Case] = [
        (String(repeating: "a", count: 160), [:], 0, [160]),
        (String(repeating: "a", count: 161), [:], 0, [159, 14]),
        (String(repeating: "€", count: 80), [:], 0, [160]),
        // 76 pairs of the extension and a header of six octets: no pair is torn.
        (String(repeating: "€", count: 81), [:], 0, [158, 16]),
        (String(repeating: "ж", count: 70), [:], 8, [140]),
        (String(repeating: "ж", count: 71), [:], 8, [140, 14]),
        (String(repeating: "😀", count: 35), [:], 8, [140]),
        // 33 whole characters of four octets.
        (String(repeating: "😀", count: 36), [:], 8, [138, 18]),
        (String(repeating: "a", count: 161), ["concatenation": "udh16"], 0, [159, 16]),
        (String(repeating: "ж", count: 71), ["concatenation": "udh16"], 8, [139, 17]),
        (String(repeating: "a", count: 161), ["concatenation": "sar"], 0, [153, 8]),
        (String(repeating: "a", count: 161), ["concatenation": "payload"], 0, [0]),
        ("çé", ["alphabet": "latin1"], 3, [2]),
        ("çé", ["alphabet": "latin1", "data_coding": "0"], 0, [2]),
        ("€", ["alphabet": "latin1"], 8, [2]),
        (String(repeating: "ç", count: 141), ["alphabet": "latin1"], 3, [140, 13]),
        ("ç", [:], 8, [2]),
        ("", [:], 0, [0]),
    ]

    @Test(arguments: cases) func aTextIsCutWhereItsAlphabetAllows(_ sample: Case) throws {
        let parts = try Sample.smpp(sample.settings).submissions(of: Sample.dispatch(text: sample.text))
        #expect(parts.map(\.dataCoding) == sample.sizes.map { _ in sample.coding })
        #expect(parts.map(\.text.count) == sample.sizes)
    }

    @Test func partsAreJoinedByAHeader() throws {
        let text = String(repeating: "a", count: 400)
        let low = UInt8(truncatingIfNeeded: Sample.reference.id.low >> 8)
        let high = UInt8(truncatingIfNeeded: Sample.reference.id.low >> 16)
        let parts = try Sample.smpp().submissions(of: Sample.dispatch(text: text))
        #expect(parts.map { Array($0.text.prefix(6)) } == (1...3).map { [5, 0, 3, low, 3, $0] })
        #expect(parts.allSatisfy { $0.esmClass == 0x40 })
        let wide = try Sample.smpp(["concatenation": "udh16"]).submissions(of: Sample.dispatch(text: text))
        #expect(wide.map { Array($0.text.prefix(7)) } == (1...3).map { [6, 8, 4, high, low, 3, $0] })
    }

    @Test func partsAreJoinedByParameters() throws {
        let parts = try Sample.smpp(["concatenation": "sar"]).submissions(
            of: Sample.dispatch(text: String(repeating: "a", count: 161)))
        #expect(parts.map { $0.parameters.number(.segmentNumber) } == [1, 2])
        #expect(parts.allSatisfy { $0.parameters.number(.segmentTotal) == 2 && $0.esmClass == 0 })
        #expect(Set(parts.map { $0.parameters.number(.segmentReference) }).count == 1)
    }

    @Test func aLongTextGoesAsAPayload() throws {
        let message = try Sample.smpp(["concatenation": "payload"]).submissions(
            of: Sample.dispatch(text: String(repeating: "a", count: 161)))[0]
        #expect(message.parameters[.messagePayload] == [UInt8](repeating: 0x61, count: 161))
    }

    @Test func moreThan255PartsAreRefused() {
        #expect(throws: SMPPRefusal.self) {
            try Sample.smpp().submissions(of: Sample.dispatch(text: String(repeating: "a", count: 255 * 153 + 1)))
        }
    }

    // MARK: - Times and receipts

    @Test(arguments: [
        (0, "000000000001000R"), (1, "000000000001000R"), (300, "000000000500000R"), (3661, "000000010101000R"),
        (172_800, "000002000000000R"), (10_000_000, "000030000000000R"),
    ]) func validityIsRelative(_ seconds: Int, _ text: String) throws {
        let message = try Sample.smpp().submissions(of: Sample.dispatch(validity: .seconds(seconds)))[0]
        #expect(message.validityPeriod == text)
        let without = try Sample.smpp(["validity": "none"]).submissions(of: Sample.dispatch())[0]
        #expect(without.validityPeriod == "")
    }

    @Test(arguments: [("final", 0x01), ("all", 0x11), ("failures", 0x02), ("none", 0x00)] as [(String, UInt8)])
    func receiptsAreAskedFor(_ setting: String, _ flags: UInt8) throws {
        let message = try Sample.smpp(["receipts": setting]).submissions(of: Sample.dispatch())[0]
        #expect(message.registeredDelivery == flags)
    }
}
