import SMPP
import Timestamps

/// A receipt as SMSCs send it: in the text, and in optional parameters when the settings say so.
struct SMPPReceipt {
    var receipt: CarrierReceipt
    var now: Timestamp

    func message(for account: Carrier.Configuration.SMPP) -> ShortMessage {
        let taken = self.receipt.message
        let (word, state, error) = self.words
        var message = ShortMessage()
        message.source = Address(type: 1, plan: 1, String(taken.to.dropFirst()))
        message.destination = Address(type: 0, plan: 0, taken.from)
        message.esmClass = account.marksReceipts ? (self.receipt.outcome == .onTheWay ? 0x20 : 0x04) : 0
        message.text = Array(
            """
            id:\(self.receipt.id) sub:001 dlvrd:\(word == "DELIVRD" ? "001" : "000") \
            submit date:\(Self.date(taken.takenAt)) done date:\(Self.date(self.now)) stat:\(word) err:\(error) text:
            """.utf8)
        if account.reportsByParameters {
            message.parameters.all.append(.init(.receiptedMessageID, Array(self.receipt.id.utf8) + [0]))
            message.parameters.append(.messageState, octet: state)
        }
        return message
    }

    private var words: (word: String, state: UInt8, error: String) {
        switch self.receipt.outcome {
        case .delivered: ("DELIVRD", 2, "000")
        case .onTheWay: ("ENROUTE", 1, "000")
        case .failed(let code): ("UNDELIV", 5, code ?? "001")
        }
    }

    /// `2026-11-21T09:15:…` becomes `2611210915`.
    private static func date(_ time: Timestamp) -> String {
        time.description.dropFirst(2).prefix(14).filter(\.isNumber)
    }
}
