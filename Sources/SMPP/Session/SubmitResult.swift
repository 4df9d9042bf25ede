/// What came of one `submit_sm`.
public enum SubmitResult: Sendable, Hashable {
    /// The SMSC took it, under an id that may be empty.
    case accepted(messageID: String)
    /// The SMSC did not take it, and said so: in an answer or in a `generic_nack`.
    case refused(CommandStatus)
    /// Nothing of it left us.
    case notSent
    /// It left us, and no answer came that could be read.
    case unanswered
    /// It does not fit into a PDU; the field's name.
    case unfit(String)
}

/// A `deliver_sm`, or a `data_sm` of the same meaning, that waits for its answer.
public struct Delivery: Sendable {
    /// The number of its PDU, by which it is answered.
    var sequence: UInt32
    var command: Command
    public var message: ShortMessage
}

/// Why a session ended.
public enum Ending: Sendable, Hashable {
    /// We wanted it so.
    case closed
    /// The SMSC did not let us in.
    case refused(CommandStatus)
    /// The SMSC sent an `unbind`.
    case unbound
    /// No answer to a bind, to an `enquire_link`, or to as many submissions as may go without; or what we say is not read.
    case unresponsive
    /// What came were no PDUs.
    case framingLost
    case lost(LinkError)
}

extension Ending: CustomStringConvertible {
    /// For log lines.
    public var description: String {
        switch self {
        case .closed: "closed"
        case .refused(let status): "bind refused with \(status)"
        case .unbound: "unbound by the provider"
        case .unresponsive: "the provider does not answer"
        case .framingLost: "the provider sent no PDUs"
        case .lost(let error): "\(error)"
        }
    }
}
