/// One packet of SMPP 3.4.
///
/// Reading is lenient where real SMSCs are lax: an answer may lack its body, and a text may be longer than the
/// specification has it. Writing is strict: ``encoded()`` refuses what does not fit.
///
/// Texts are ISO 8859-1 here, which gives back any octets just as they came.
public struct PDU: Sendable, Hashable {
    public var status: CommandStatus
    /// From 1 to 0x7FFFFFFF; an answer has its request's.
    public var sequence: UInt32
    public var body: Body

    public init(_ body: Body, status: CommandStatus = .ok, sequence: UInt32) {
        self.status = status
        self.sequence = sequence
        self.body = body
    }

    /// Octets of the header, and of the largest PDU that is read.
    public static let headerLength = 16
    public static let lengthLimit = 64 << 10

    public enum Body: Sendable, Hashable {
        case bind(BindKind, Bind)
        /// Without a body when it is an error, from many.
        case bindResponse(BindKind, BindResponse?)
        case outbind(Outbind)
        case unbind
        case unbindResponse
        case enquireLink
        case enquireLinkResponse
        case genericNack
        case submit(ShortMessage)
        case submitResponse(MessageResponse?)
        case deliver(ShortMessage)
        case deliverResponse(MessageResponse?)
        case data(DataMessage)
        case dataResponse(MessageResponse?)
        case submitMulti(MultiMessage)
        case submitMultiResponse(MultiResponse?)
        case query(Query)
        case queryResponse(QueryResponse?)
        case replace(Replacement)
        case replaceResponse
        case cancel(Cancellation)
        case cancelResponse
        case alertNotification(Alert)
    }
}

/// The four numbers that every PDU begins with.
public struct PDUHeader: Sendable, Hashable {
    public var length: UInt32
    /// As it came, with its highest bit in an answer.
    public var commandID: UInt32
    public var status: CommandStatus
    public var sequence: UInt32

    public var isResponse: Bool { self.commandID & Self.responseBit != 0 }
    /// Nil for one that SMPP 3.4 does not have.
    public var command: Command? { Command(rawValue: self.commandID & ~Self.responseBit) }

    static let responseBit: UInt32 = 0x8000_0000
}

/// Why octets are no PDU.
public struct PDUError: Error, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        /// Shorter than a header, longer than the limit, or not as long as it says.
        case length
        /// No command of SMPP 3.4.
        case command
        /// The body does not hold what its command has; `field` says where.
        case body
        /// A value that does not fit into its field; when writing.
        case tooLong
    }

    public var problem: Problem
    /// The field's name, never what stood in it.
    public var field: String
    /// Nil when there was none to read.
    public var header: PDUHeader?

    public init(_ problem: Problem, field: String = "", header: PDUHeader? = nil) {
        self.problem = problem
        self.field = field
        self.header = header
    }

    public var description: String {
        switch self.problem {
        case .length: "the length is wrong"
        case .command: "no such command"
        case .body: "\(self.field) is missing or cut off"
        case .tooLong: "\(self.field) is too long"
        }
    }
}
