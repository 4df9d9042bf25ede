import Alphabets
import SMPP

/// A submission's text, and its place when it is a part of a longer one.
struct SMPPPart: Hashable {
    var text = ""
    var reference: UInt16 = 0
    /// 1 for a message of its own.
    var total = 1
    var number = 1

    init(_ message: ShortMessage, alphabet: TextCoding) {
        var octets = message.payload[...]
        if message.esmClass & 0x40 != 0, let length = octets.first {
            self.readHeader(octets.dropFirst().prefix(Int(length)))
        }
        if message.esmClass & 0x40 != 0 { octets = octets.dropFirst(Int(octets.first ?? 0) + 1) }
        self.text = Self.coding(message.dataCoding, alphabet).decode(octets)
        if let reference = message.parameters.number(.segmentReference),
            let total = message.parameters.number(.segmentTotal),
            let number = message.parameters.number(.segmentNumber)
        {
            self.set(reference, total: Int(total), number: Int(number))
        }
    }

    private static func coding(_ number: UInt8, _ alphabet: TextCoding) -> TextCoding {
        switch number {
        case 0x00: alphabet
        case 0x08: .ucs2
        default: .latin1
        }
    }

    /// The elements of a user data header (3GPP TS 23.040 section 9.2.3.24): the two that join parts.
    private mutating func readHeader(_ header: ArraySlice<UInt8>) {
        var rest = header
        while let kind = rest.popFirst(), let length = rest.popFirst() {
            let value = Array(rest.prefix(Int(length)))
            rest = rest.dropFirst(Int(length))
            if kind == 0x00, value.count == 3 {
                self.set(UInt16(value[0]), total: Int(value[1]), number: Int(value[2]))
            } else if kind == 0x08, value.count == 4 {
                self.set(UInt16(value[0]) << 8 | UInt16(value[1]), total: Int(value[2]), number: Int(value[3]))
            }
        }
    }

    /// Numbers that cannot be leave it a message of its own.
    private mutating func set(_ reference: UInt16, total: Int, number: Int) {
        guard (1...max(total, 1)).contains(number), total <= 255 else { return }
        (self.reference, self.total, self.number) = (reference, max(total, 1), number)
    }
}

/// Parts whose others have not come yet, as a handset keeps them.
struct SMPPParts {
    /// Messages that are kept in part; the oldest make room.
    static let limit = 10_000

    private struct Key: Hashable {
        var from: String
        var to: String
        var reference: UInt16
        var total: Int
    }

    private var waiting: [Key: [Int: String]] = [:]
    private var order: [Key] = []

    /// The text when it is whole; nil when parts are missing. A part that comes twice takes its own place.
    mutating func add(_ part: SMPPPart, from: String, to: String) -> String? {
        guard part.total > 1 else { return part.text }
        let key = Key(from: from, to: to, reference: part.reference, total: part.total)
        if self.waiting[key] == nil {
            self.order.append(key)
            if self.order.count > Self.limit { self.waiting[self.order.removeFirst()] = nil }
        }
        self.waiting[key, default: [:]][part.number] = part.text
        guard let parts = self.waiting[key], parts.count == part.total else { return nil }
        self.waiting[key] = nil
        self.order.removeAll { $0 == key }
        return (1...part.total).compactMap { parts[$0] }.joined()
    }
}
