import Alphabets
import Channels
import Messaging

@testable import SMPP

extension FuzzTarget {
    /// PDUs and what stands in them: what is read and can be written is read the same again, however a connection cuts it, and
    /// a receipt has nothing that cannot be stored.
    static let smpp = FuzzTarget(name: "smpp") { bytes in
        let pdu = try? PDU.decode(bytes)
        if let pdu { try Self.check(pdu) }
        try Self.checkFramer(bytes)
        try Self.checkReceiptText(bytes)
        try Self.checkCodings(bytes)
    }

    // MARK: - Private

    private static func check(_ pdu: PDU) throws {
        do throws(PDUError) {
            let written = try pdu.encoded()
            try Self.checkWritten(written, of: pdu)
        } catch {
            try promise("what was read can be written unless it is too long", error.problem == .tooLong)
        }
        guard let driver = FuzzAccounts.driver("smpp") as? SMPPDriver else { return }
        switch pdu.body {
        case .deliver(let message), .submit(let message): try Self.check(driver.receipt(in: message))
        case .data(let data): try Self.check(driver.receipt(in: data.shortMessage))
        case .submitResponse(let response?):
            let outcome = driver.outcome(of: [.accepted(messageID: response.messageID), .refused(pdu.status)])
            if case .refused(_, let code, _) = outcome { try Self.checkStored(code) }
            guard case .accepted(let parts) = driver.outcome(of: [.accepted(messageID: response.messageID)]) else {
                return
            }
            for part in parts { try Self.checkStored(part) }
        default: break
        }
    }

    private static func checkWritten(_ written: [UInt8], of pdu: PDU) throws(PDUError) {
        let again = try PDU.decode(written)
        guard again == pdu, try again.encoded() == written else { throw PDUError(.body, field: "the PDU") }
    }

    private static func check(_ receipt: Receipt?) throws {
        guard let receipt else { return }
        for text in [receipt.part, receipt.status, receipt.code] { try Self.checkStored(text) }
    }

    /// In pieces of the sizes that the input itself names.
    private static func checkFramer(_ bytes: [UInt8]) throws {
        var (whole, cut) = (Framer(), Framer())
        whole.append(bytes)
        let expected = Self.drain(&whole)
        var found: [Result<PDU, PDUError>] = []
        var rest = bytes[...]
        while let first = rest.first {
            cut.append(rest.prefix(1 + Int(first) % 64))
            rest = rest.dropFirst(1 + Int(first) % 64)
            let some = Self.drain(&cut)
            found += some.pdus
            if some.isBroken { break }
        }
        try promise("cuts change nothing", found == expected.pdus)
    }

    private static func drain(_ framer: inout Framer) -> (pdus: [Result<PDU, PDUError>], isBroken: Bool) {
        var pdus: [Result<PDU, PDUError>] = []
        do throws(PDUError) {
            while let pdu = try framer.next() { pdus.append(pdu) }
        } catch {
            return (pdus, true)
        }
        return (pdus, false)
    }

    private static func checkReceiptText(_ bytes: [UInt8]) throws {
        guard let text = ReceiptText(bytes) else { return }
        try promise("a receipt names something", text.id != nil || text.state != nil)
        for value in [text.id, text.state, text.error, text.submitDate, text.doneDate] {
            guard let value else { continue }
            try promise("a value is not empty", !value.isEmpty && value.unicodeScalars.count <= 4096)
            try promise("a value has no blanks around it", value.first != " " && value.last != " ")
        }
        let written = Array("id:\(text.id ?? "") stat:\(text.state ?? "")".unicodeScalars.map { UInt8($0.value) })
        if let id = text.id, !id.contains(" "), !id.contains(":"), text.state?.contains(":") != true {
            try promise("an id is read as it was written", ReceiptText(written)?.id == id)
        }
    }

    private static func checkCodings(_ bytes: [UInt8]) throws {
        for coding in TextCoding.allCases {
            let text = coding.decode(bytes)
            guard let written = coding.encode(text) else { continue }
            try promise("\(coding) is the same again", coding.decode(written) == text)
        }
    }
}
