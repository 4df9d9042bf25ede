import Alphabets
import Messaging
import SMPP

/// How one SMSC wants its messages written.
struct SMPPForm: Sendable {
    enum Alphabet: String, CaseIterable {
        case gsm7, latin1

        var coding: TextCoding { self == .gsm7 ? .gsm7 : .latin1 }
        /// Characters of a message, and of a part with a header of six octets and of seven.
        var limits: (single: Int, part8: Int, part16: Int) { self == .gsm7 ? (160, 153, 152) : (140, 134, 133) }
    }

    enum Concatenation: String, CaseIterable {
        case udh8, udh16, sar, payload
    }

    enum Receipts: String, CaseIterable {
        case final, all, failures, none

        /// As in `registered_delivery`.
        var flags: UInt8 {
            switch self {
            case .none: 0x00
            case .final: 0x01
            case .failures: 0x02
            case .all: 0x11
            }
        }
    }

    enum Validity: String, CaseIterable {
        case relative, none
    }

    let alphabet: Alphabet
    let dataCoding: UInt8
    let concatenation: Concatenation
    let receipts: Receipts
    let validity: Validity
    let serviceType: String
    let number: AddressKind
    let shortCode: AddressKind
    let name: AddressKind
    let destination: AddressKind
    let defaultSender: String?

    /// Type of number and numbering plan.
    struct AddressKind: Sendable, Hashable {
        var type: UInt8
        var plan: UInt8

        init(_ type: UInt8, _ plan: UInt8) {
            self.type = type
            self.plan = plan
        }

        init?(_ text: String) {
            let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { UInt8($0) }
            guard numbers.count == 2, let type = numbers[0], let plan = numbers[1] else { return nil }
            self.init(type, plan)
        }
    }

    init(_ reader: inout AccountReader, defaultSender: String?) {
        self.alphabet = reader.choice("alphabet", default: .gsm7)
        self.dataCoding = UInt8(reader.number("data_coding", default: self.alphabet == .gsm7 ? 0 : 3, in: 0...255))
        self.concatenation = reader.choice("concatenation", default: .udh8)
        self.receipts = reader.choice("receipts", default: .final)
        self.validity = reader.choice("validity", default: .relative)
        self.serviceType = reader.octets("service_type", limit: 5)
        self.number = Self.address("number_address", .init(1, 1), &reader)
        self.shortCode = Self.address("short_code_address", .init(3, 0), &reader)
        self.name = Self.address("name_address", .init(5, 0), &reader)
        self.destination = Self.address("destination_address", .init(1, 1), &reader)
        self.defaultSender = defaultSender
    }

    private static func address(_ name: String, _ value: AddressKind, _ reader: inout AccountReader) -> AddressKind {
        reader.setting(name, default: value, expected: "TON/NPI, as in 1/1") { AddressKind($0) }
    }
}

extension SMPPForm {
    /// The PDUs of a message, one a part, or why there are none.
    func messages(for dispatch: Dispatch) throws(SMPPMisfit) -> [ShortMessage] {
        let (recipient, content) = dispatch.shortMessage
        var message = ShortMessage()
        message.serviceType = self.serviceType
        if let sender = dispatch.sender ?? self.defaultSender { message.source = try self.source(sender) }
        message.destination = Address(
            type: self.destination.type, plan: self.destination.plan, String(recipient.digits))
        message.registeredDelivery = self.receipts.flags
        if self.validity == .relative { message.validityPeriod = Self.relative(dispatch.validity) }
        return try self.parts(of: content.text, as: message, reference: Self.reference(dispatch.reference))
    }

    // MARK: - Addresses and times

    /// Digits that no number has, being too few, are a short code.
    private static let shortCodeLimit = 8
    /// Characters of a name (3GPP TS 23.040 section 9.1.2.5).
    private static let nameLimit = 11
    /// Digits of a number (E.164).
    private static let numberLimit = 15

    private func source(_ sender: String) throws(SMPPMisfit) -> Address {
        let digits = senderWithoutPlus(sender)
        guard !digits.utf8.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            guard (1...Self.nameLimit).contains(sender.utf8.count),
                sender.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
            else {
                throw .sender
            }
            return Address(type: self.name.type, plan: self.name.plan, sender)
        }
        guard digits.utf8.count <= Self.numberLimit else { throw .sender }
        let isShort = digits.utf8.count <= Self.shortCodeLimit && !sender.hasPrefix("+")
        let kind = isShort ? self.shortCode : self.number
        return Address(type: kind.type, plan: kind.plan, String(digits))
    }

    /// `YYMMDDhhmmss000R`, from a second to thirty days.
    static func relative(_ validity: Duration) -> String {
        let seconds = min(max(validity.components.seconds, 1), 30 * 86_400)
        let fields = [0, 0, seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60]
        return fields.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined() + "000R"
    }

    /// What joins the parts of one message at the handset. Another attempt at the same message has the same, so parts
    /// that arrive twice are put in one place.
    private static func reference(_ reference: MessageReference) -> UInt16 {
        UInt16(truncatingIfNeeded: reference.id.low >> 8)
    }

    // MARK: - Text

    private static let ucs2Coding: UInt8 = 0x08
    private static let headerFlag: UInt8 = 0x40
    /// Parts that a header can count.
    private static let partLimit = 255

    private func parts(
        of text: String, as message: ShortMessage, reference: UInt16
    ) throws(SMPPMisfit) -> [ShortMessage] {
        var message = message
        let own = self.alphabet.coding.characters(of: text)
        message.dataCoding = own == nil ? Self.ucs2Coding : self.dataCoding
        guard let characters = own ?? TextCoding.ucs2.characters(of: text) else { throw .text }
        let limits =
            own == nil ? (single: 140, part8: 134, part16: 132) : self.alphabet.limits
        let part = self.concatenation == .udh16 ? limits.part16 : limits.part8
        let cuts = Cuts.ranges(of: characters.map(\.count), single: limits.single, part: part)
        let pieces = cuts.map { Array(characters[$0].joined()) }
        guard pieces.count > 1 else {
            message.text = pieces[0]
            return [message]
        }
        guard self.concatenation != .payload else {
            message.parameters.all.append(.init(.messagePayload, Array(pieces.joined())))
            return [message]
        }
        guard pieces.count <= Self.partLimit else { throw .text }
        return pieces.enumerated().map { index, piece in
            self.part(piece, of: message, number: UInt8(index + 1), total: UInt8(pieces.count), reference)
        }
    }

    private func part(
        _ text: [UInt8], of message: ShortMessage, number: UInt8, total: UInt8, _ reference: UInt16
    ) -> ShortMessage {
        var part = message
        part.text = text
        let (high, low) = (UInt8(reference >> 8), UInt8(reference & 0xFF))
        switch self.concatenation {
        case .udh8:
            part.esmClass |= Self.headerFlag
            part.text = [0x05, 0x00, 0x03, low, total, number] + text
        case .udh16:
            part.esmClass |= Self.headerFlag
            part.text = [0x06, 0x08, 0x04, high, low, total, number] + text
        case .sar:
            part.parameters.append(.segmentReference, number: reference)
            part.parameters.append(.segmentTotal, octet: total)
            part.parameters.append(.segmentNumber, octet: number)
        case .payload: break
        }
        return part
    }
}

/// Why a message cannot be written as PDUs.
enum SMPPMisfit: Error, Hashable {
    /// The sender is no number and no name.
    case sender
    /// The text is longer than any number of parts.
    case text
}
