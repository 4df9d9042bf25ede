import Messaging
import SMPP
import Testing
import Timestamps

@testable import Channels

/// What `deliver_sm` reports.
@Suite struct SMPPReceiptTests {
    static let text = "id:4F sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:"

    @Test func aReceiptIsRead() throws {
        #expect(
            try Sample.smpp().receipt(in: Sample.smppReceipt(Self.text))
                == Receipt(
                    message: nil, part: "4F", coversMessage: false, verdict: Verdict(.delivered, .none, .none, .ok),
                    status: "DELIVRD", code: "000", occurredAt: Timestamp("2026-11-21T12:01:00Z")))
    }

    @Test(
        arguments: [
            ("ENROUTE", .sent), ("ACCEPTD", .sent), ("BUFFERED", .sent), ("DELIVRD", .delivered), ("EXPIRED", .expired),
            ("DELETED", .failed), ("UNDELIV", .undelivered), ("REJECTD", .rejected), ("UNKNOWN", .unknown),
            ("SCHEDUL", .submitted), ("SCHEDULED", .submitted), ("SKIPPED", .failed), ("FAILED", .failed),
            ("delivrd", .delivered), ("NONSENSE", .unknown),
        ] as [(String, Verdict.ProviderState)])
    func eachWordHasItsState(_ word: String, _ state: Verdict.ProviderState) throws {
        let receipt = try Sample.smpp().receipt(in: Sample.smppReceipt("id:1 stat:\(word) err:001"))
        #expect(receipt?.verdict.state == state)
        #expect(receipt?.status == word)
        #expect(receipt?.code == "001")
    }

    @Test(
        arguments: [
            (1, .sent), (2, .delivered), (3, .expired), (4, .failed), (5, .undelivered), (6, .sent), (7, .unknown),
            (8, .rejected),
        ] as [(UInt8, Verdict.ProviderState)])
    func parametersComeBeforeTheText(_ number: UInt8, _ state: Verdict.ProviderState) throws {
        let parameters: [OptionalParameters.Parameter] = [
            .init(.receiptedMessageID, Array("A7\0".utf8)), .init(.messageState, [number]),
        ]
        let receipt = try Sample.smpp().receipt(in: Sample.smppReceipt("id:1 stat:ENROUTE", parameters: parameters))
        #expect(receipt?.part == "A7")
        #expect(receipt?.verdict.state == state)
        // Without any text.
        #expect(try Sample.smpp().receipt(in: Sample.smppReceipt("", parameters: parameters))?.verdict.state == state)
    }

    @Test func theTextMayStandInThePayload() throws {
        let parameters: [OptionalParameters.Parameter] = [.init(.messagePayload, Array(Self.text.utf8))]
        #expect(try Sample.smpp().receipt(in: Sample.smppReceipt("", parameters: parameters))?.part == "4F")
    }

    @Test func anErrorMeansWhatTheOperatorSays() throws {
        let codes = """
            err,1,undelivered,permanent_recipient,stop,unknown_subscriber
            err,EC_9,undelivered,transient_recipient,retry_same,handset_full
            err,258,undelivered,permanent_recipient,stop,call_barred
            """
        let driver = try Sample.smpp(codes: codes)
        for (text, reason) in [
            ("id:1 stat:UNDELIV err:001", .unknownSubscriber), ("id:1 stat:REJECTD err:1", .unknownSubscriber),
            ("id:1 stat:UNDELIV err:EC_9", .handsetFull), ("id:1 stat:UNDELIV err:77", .unknown),
            // Of what arrived no error tells.
            ("id:1 stat:DELIVRD err:001", .ok),
        ] as [(String, Verdict.Reason)] {
            #expect(driver.receipt(in: Sample.smppReceipt(text))?.verdict.reason == reason)
        }
        let network: [OptionalParameters.Parameter] = [.init(.networkErrorCode, [3, 1, 2])]
        #expect(
            driver.receipt(in: Sample.smppReceipt("id:1 stat:UNDELIV", parameters: network))?.verdict.reason
                == .callBarred)
    }

    @Test func anIntermediateReceiptIsOne() throws {
        let receipt = try Sample.smpp().receipt(in: Sample.smppReceipt("id:1 stat:ENROUTE", esmClass: 0x20))
        #expect(receipt?.verdict.state == .sent)
        // Final is only what comes in a receipt that is no intermediate one.
        let early = try Sample.smpp().receipt(in: Sample.smppReceipt("id:1 stat:DELIVRD err:000", esmClass: 0x20))
        #expect(early?.verdict == .sent)
        #expect(early?.status == "DELIVRD")
    }

    @Test func aMessageIsNoReceiptUnlessItReadsAsOneAndMay() throws {
        let unmarked = Sample.smppReceipt(Self.text, esmClass: 0)
        #expect(try Sample.smpp().receipt(in: unmarked) == nil)
        let parameters: [OptionalParameters.Parameter] = [.init(.receiptedMessageID, Array("4F\0".utf8))]
        let named = Sample.smppReceipt(Self.text, esmClass: 0, parameters: parameters)
        #expect(try Sample.smpp().receipt(in: named)?.part == "4F")
        let driver = try Sample.smpp(["receipt_detection": "text"])
        #expect(driver.receipt(in: unmarked)?.part == "4F")
        #expect(driver.receipt(in: Sample.smppReceipt("STOP", esmClass: 0)) == nil)
        #expect(driver.receipt(in: Sample.smppReceipt("my id: 7", esmClass: 0)) == nil)
        #expect(driver.receipt(in: Sample.smppReceipt("id:4F stat:DELIVRD err:000", esmClass: 0)) == nil)
        let dateless = "id:4F sub:001 dlvrd:001 submit date:2611211200 stat:DELIVRD err:000"
        #expect(driver.receipt(in: Sample.smppReceipt(dateless, esmClass: 0)) == nil)
    }

    @Test(arguments: ["", "stat:DELIVRD", "\0\0\0", "Hello"]) func aReceiptThatNamesNoMessageIsNone(_ text: String)
        throws
    {
        #expect(try Sample.smpp().receipt(in: Sample.smppReceipt(text)) == nil)
    }

    @Test func nothingOfTheMessagesTextIsKept() throws {
        let receipt = try Sample.smpp().receipt(
            in: Sample.smppReceipt("id:1 stat:UNDELIV Your code is 123456 err:001text:123456"))
        #expect(receipt?.status == "UNDELIV" && receipt?.code == "001")
    }

    @Test func aHostileReceiptLeavesNothingThatADatabaseRefuses() throws {
        let receipt = try #require(
            try Sample.smpp().receipt(
                in: Sample.smppReceipt("id:\(String(repeating: "x", count: 200))\u{1} stat:A\u{7}B err:\u{0}")))
        #expect(receipt.part.unicodeScalars.count <= 128)
        #expect(receipt.status == "AB")
        #expect(receipt.code == "")
    }

    // MARK: - Ids

    /// Vonage's are hexadecimal in answers and decimal in receipts (M of the contract: a setting for each SMSC).
    @Test(arguments: [
        ("as_is", "00AF", "00AF", true), ("as_is", "00AF", "af", false), ("as_is", " 12 ", "12", true),
        ("resp_hex_receipt_dec", "00AF", "175", true), ("resp_hex_receipt_dec", "AF", "0000000175", true),
        ("resp_hex_receipt_dec", "175", "175", false),
        ("resp_dec_receipt_hex", "175", "AF", true), ("resp_dec_receipt_hex", "0175", "00af", true),
        ("both_hex_ci", "00AF", "af", true), ("both_hex_ci", "00AF", "175", false),
        // Beyond any machine word.
        ("resp_hex_receipt_dec", "FFFFFFFFFFFFFFFFFFFF", "1208925819614629174706175", true),
        // What cannot be read in its base stays as it is.
        ("resp_hex_receipt_dec", "abc-1", "abc-1", true), ("both_hex_ci", "0", "000", true),
    ]) func idsOfReceiptsFindThoseOfAnswers(_ mode: String, _ answered: String, _ reported: String, _ isSame: Bool)
        throws
    {
        let driver = try Sample.smpp(["dlr_id_mode": mode])
        guard case .accepted(let parts) = driver.outcome(of: [.accepted(messageID: answered)]) else {
            Issue.record("an answer without an error is no acceptance")
            return
        }
        let receipt = driver.receipt(in: Sample.smppReceipt("id:\(reported) stat:DELIVRD"))
        #expect((parts == [receipt?.part]) == isSame)
    }

    // MARK: - Times

    @Test(
        arguments: [
            ("2611211201", "2026-11-21T12:01:00Z"), ("261121120130", "2026-11-21T12:01:30Z"),
            ("20261121120130", "2026-11-21T12:01:30Z"), ("26112112", nil), ("2613211201", nil), ("26112112ab", nil),
        ] as [(String, String?)])
    func datesComeInThreeLengths(_ text: String, _ time: String?) throws {
        let receipt = try Sample.smpp().receipt(in: Sample.smppReceipt("id:1 stat:DELIVRD done date:\(text)"))
        #expect(receipt?.occurredAt == time.flatMap { Timestamp($0) })
    }

    @Test func theSMSCsClockIsASetting() throws {
        let receipt = try Sample.smpp(["receipt_utc_offset_minutes": "120"]).receipt(in: Sample.smppReceipt(Self.text))
        #expect(receipt?.occurredAt == Timestamp("2026-11-21T10:01:00Z"))
    }
}
