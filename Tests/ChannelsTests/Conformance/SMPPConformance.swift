import Messaging
import SMPP
import Testing
import Timestamps

@testable import Channels

/// What the contract says of SMSCs, as data: statuses and receipts, and what they mean (providers.md sections 5.4 and 5.5).
@Suite struct SMPPConformance {
    private static let misfit = Verdict(.failed, .permanentMessage, .stop, .configError)
    private static let nobody = Verdict(.rejected, .permanentRecipient, .stop, .invalidDestination)
    private static let sender = Verdict(.failed, .config, .failover, .senderInvalid)
    private static let bound = Verdict(.failed, .config, .haltProvider, .configError)
    private static let refused = Verdict(.rejected, .transientProvider, .failover, .providerError)
    private static let vendors = Verdict(.failed, .transientProvider, .failover, .providerError)

    static let statuses: [([UInt32], Verdict)] = [
        ([0x14, 0x58], .throttled), ([0x08, 0x45, 0x64, 0xFE, 0xFF], .broken), ([0x0B, 0x50, 0x51], Self.nobody),
        ([0x0A, 0x48, 0x49], Self.sender), ([0x01], Verdict(.failed, .permanentMessage, .stop, .tooLong)),
        ([0x104], Verdict(.failed, .permanentMessage, .stop, .encodingError)),
        ([0x15, 0x43, 0x61, 0x62, 0xC0, 0xC4], Self.misfit), ([0x04, 0x05, 0x53], Self.bound),
        ([0x0D, 0x0E, 0x0F], .unauthorized), ([0x65, 0x66], Self.refused), ([0x400, 0x4FF, 0x777], Self.vendors),
    ]

    @Test(arguments: statuses) func statusesMeanTheseOutcomes(_ item: ([UInt32], Verdict)) throws {
        let driver = try Sample.smpp()
        for number in item.0 {
            let status = CommandStatus(rawValue: number)
            let wait = item.1.action == .throttle ? Duration.seconds(1) : nil
            #expect(
                driver.outcome(of: [.refused(status)]) == .refused(item.1, status.description, after: wait), "\(status)"
            )
        }
    }

    static let receipts: [(String, Verdict)] = [
        ("ENROUTE", .sent), ("ACCEPTD", .sent), ("BUFFERED", .sent), ("DELIVRD", .delivered), ("EXPIRED", .expired),
        ("DELETED", Verdict(.failed, .none, .none, .canceled)),
        ("UNDELIV", Verdict(.undelivered, .transientProvider, .failover, .unknown)),
        ("REJECTD", Verdict(.rejected, .transientProvider, .failoverOnce, .unknown)), ("UNKNOWN", .silent),
        ("SCHEDULED", .submitted), ("SKIPPED", Self.vendors), ("FAILED", Self.vendors), ("TELEPORT", .strange),
    ]

    @Test(arguments: receipts) func deliveriesBecomeTheseReceipts(_ item: (String, Verdict)) throws {
        let text =
            "id:4F sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:\(item.0) err:000 text:Your code"
        #expect(
            try Sample.smpp().receipt(in: Sample.smppReceipt(text))
                == Receipt(
                    message: nil, part: "4F", coversMessage: false, verdict: item.1, status: item.0, code: "000",
                    occurredAt: Timestamp("2026-11-21T12:01:00Z")))
    }

    @Test func whatIsNoReceiptIsNone() throws {
        #expect(try Sample.smpp().receipt(in: Sample.smppReceipt("Hello", esmClass: 0)) == nil)
        #expect(try Sample.smpp().receipt(in: Sample.smppReceipt("Hello")) == nil)
    }
}
