public import Messaging
public import SMPP
import Timestamps

extension SMPPDriver {
    /// What a `deliver_sm` reports; nil when it is no receipt, or names no message.
    public func receipt(in message: ShortMessage) -> Receipt? {
        guard self.isReceipt(message) else { return nil }
        let text = ReceiptText(message.payload)
        guard let id = message.parameters.text(.receiptedMessageID).flatMap({ $0.isEmpty ? nil : $0 }) ?? text?.id
        else {
            return nil
        }
        let state = message.parameters.number(.messageState)
        let code = Self.code(text, message.parameters)
        return Receipt(
            message: nil, part: self.receiptIDs.reported(id), coversMessage: false,
            verdict: self.verdict(of: message, state: state, word: text?.state, code: code),
            status: String(providerText: text?.state ?? state.map { "state \($0)" } ?? ""),
            code: String(providerText: code), occurredAt: text?.doneDate.flatMap { self.time($0) })
    }

    // MARK: - Private

    /// The bits of `esm_class` that tell what a message is, and two of their values.
    private static let kindMask: UInt8 = 0x3C
    private static let receipt: UInt8 = 0x04
    private static let intermediate: UInt8 = 0x20

    private func isReceipt(_ message: ShortMessage) -> Bool {
        let kind = message.esmClass & Self.kindMask
        if kind == Self.receipt || kind == Self.intermediate { return true }
        // Only a receipt has it, and some SMSCs mark theirs by nothing else.
        if message.parameters[.receiptedMessageID] != nil { return true }
        guard self.detectsByText, let text = ReceiptText(message.payload) else { return false }
        return Self.isWhole(text)
    }

    /// Whether a text that nothing marks as a receipt has all that makes one. A person might write less, and be taken at the
    /// word.
    private static func isWhole(_ text: ReceiptText) -> Bool {
        text.id != nil && text.state != nil && (text.submitted != nil || text.delivered != nil)
            && text.submitDate != nil && text.doneDate != nil
    }

    /// The text's own, or the network's where it names none.
    private static func code(_ text: ReceiptText?, _ parameters: OptionalParameters) -> String {
        if let error = text?.error { return error }
        guard let network = parameters[.networkErrorCode], network.count == 3 else { return "" }
        return "\(UInt16(network[1]) << 8 | UInt16(network[2]))"
    }

    /// A receipt on the way is that, whatever it says: the final one is still to come.
    private func verdict(of message: ShortMessage, state: UInt16?, word: String?, code: String) -> Verdict {
        let verdict = self.verdict(state: state, word: word, code: code)
        let isIntermediate = message.esmClass & Self.kindMask == Self.intermediate
        guard isIntermediate, verdict.state.messageState != nil else { return verdict }
        return Verdict(.sent, .none, .wait, .accepted)
    }

    /// The state says what happened, the error whose fault it was. A number comes before a word.
    private func verdict(state: UInt16?, word: String?, code: String) -> Verdict {
        let known =
            state.flatMap { self.table["state", "\($0)"] } ?? word.flatMap { self.table["stat", $0.uppercased()] }
        guard var verdict = known else { return Verdict(.unknown, .none, .wait, .unknown) }
        guard verdict.state == .undelivered || verdict.state == .rejected, let error = self.error(code) else {
            return verdict
        }
        (verdict.permanence, verdict.action, verdict.reason) = (error.permanence, error.action, error.reason)
        return verdict
    }

    /// As it came, or without the zeros that many write in front.
    private func error(_ code: String) -> Verdict? {
        if let verdict = self.table["err", code] { return verdict }
        let bare = code.drop { $0 == "0" }
        return self.table["err", bare.isEmpty ? "0" : String(bare)]
    }

    /// `YYMMDDhhmm`, with seconds in some, and the whole year in a few.
    private func time(_ text: String) -> Timestamp? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let digits: String
        switch text.utf8.count {
        case 10: digits = "20\(text)00"
        case 12: digits = "20\(text)"
        case 14: digits = text
        default: return nil
        }
        let pieces = [(0, 4), (4, 2), (6, 2), (8, 2), (10, 2), (12, 2)].map { digits.dropFirst($0).prefix($1) }
        let time = Timestamp("\(pieces[0])-\(pieces[1])-\(pieces[2])T\(pieces[3]):\(pieces[4]):\(pieces[5])Z")
        return time.map { $0 - self.receiptOffset }
    }
}
