/// Something that a provider does wrong.
struct Fault: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        case slow, refuse, throttle, garbage
        case dropAnswer = "drop_answer"
        case closeBeforeRead = "close_before_read"
        case internalError = "http_500"
        case receiptEarly = "receipt_early"
        case receiptTwice = "receipt_twice"
        case receiptLate = "receipt_late"
        case receiptNever = "receipt_never"
        case receiptOutOfOrder = "receipt_out_of_order"
        case receiptFailed = "receipt_failed"
        case callBusy = "call_busy"
        case callUnanswered = "call_no_answer"
        case callMachine = "call_machine"
        // Of SMPP alone; elsewhere nothing happens.
        case silence, nack, unbind
        case receiptElsewhere = "receipt_elsewhere"

        /// Whether it befalls a request as a whole; otherwise it befalls each message in it.
        var isOfRequest: Bool {
            switch self {
            case .slow, .throttle, .dropAnswer, .closeBeforeRead, .internalError, .garbage, .silence, .nack, .unbind:
                true
            case .refuse, .receiptEarly, .receiptTwice, .receiptLate, .receiptNever, .receiptOutOfOrder, .receiptFailed,
                .receiptElsewhere, .callBusy, .callUnanswered, .callMachine:
                false
            }
        }

        /// For the faults that take time.
        var defaultMilliseconds: Int {
            switch self {
            case .slow: 2000
            case .throttle: 1000
            case .receiptLate: 10_000
            default: 0
            }
        }
    }

    var kind: Kind
    /// How late, or how long to wait.
    var milliseconds: Int
    /// The provider's own code for it, where there is a choice.
    var code: String?

    init(_ kind: Kind, milliseconds: Int? = nil, code: String? = nil) {
        self.kind = kind
        self.milliseconds = milliseconds ?? kind.defaultMilliseconds
        self.code = code
    }
}

extension Fault {
    /// Numbers in this prefix belong to nobody: +999 is reserved by the ITU and assigned to no country.
    static let reservedPrefix = "+999"

    /// The fault that a reserved number, or an address whose local part is one, asks for by its last four digits; see
    /// ``Carrier``.
    static func asked(by recipient: String) -> Fault? {
        let number = recipient.prefix { $0 != "@" }
        guard number.hasPrefix(Self.reservedPrefix), number.utf8.count >= 8 else { return nil }
        return Self.kind(ofSuffix: number.suffix(4)).map { Fault($0) }
    }

    private static func kind(ofSuffix suffix: Substring) -> Kind? {
        switch suffix {
        case "0001": .refuse
        case "0002": .throttle
        case "0003": .slow
        case "0004": .dropAnswer
        case "0005": .closeBeforeRead
        case "0006": .internalError
        case "0007": .garbage
        case "0011": .receiptFailed
        case "0012": .receiptNever
        case "0013": .receiptTwice
        case "0014": .receiptLate
        case "0015": .receiptEarly
        case "0016": .receiptOutOfOrder
        case "0021": .callBusy
        case "0022": .callUnanswered
        case "0023": .callMachine
        case "0041": .silence
        case "0042": .nack
        case "0043": .unbind
        case "0044": .receiptElsewhere
        default: nil
        }
    }
}
