/// What a PDU asks for, or answers: the `command_id` without its highest bit (SMPP 3.4 section 5.1.2.1).
public enum Command: UInt32, Sendable, Hashable, CaseIterable {
    /// Only ever an answer.
    case genericNack = 0x00
    case bindReceiver = 0x01
    case bindTransmitter = 0x02
    case query = 0x03
    case submit = 0x04
    case deliver = 0x05
    case unbind = 0x06
    case replace = 0x07
    case cancel = 0x08
    case bindTransceiver = 0x09
    /// Never answered.
    case outbind = 0x0B
    case enquireLink = 0x15
    case submitMulti = 0x21
    /// Never answered.
    case alertNotification = 0x102
    case data = 0x103
}

/// The `command_status` of an answer: 0, or why not. What has no name here has its number all the same.
public struct CommandStatus: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let ok = Self(rawValue: 0x00)
    public static let invalidMessageLength = Self(rawValue: 0x01)
    public static let invalidCommandLength = Self(rawValue: 0x02)
    public static let invalidCommand = Self(rawValue: 0x03)
    public static let wrongBindState = Self(rawValue: 0x04)
    public static let alreadyBound = Self(rawValue: 0x05)
    public static let systemError = Self(rawValue: 0x08)
    public static let invalidSource = Self(rawValue: 0x0A)
    public static let invalidDestination = Self(rawValue: 0x0B)
    public static let bindFailed = Self(rawValue: 0x0D)
    public static let invalidPassword = Self(rawValue: 0x0E)
    public static let invalidSystemID = Self(rawValue: 0x0F)
    public static let queueFull = Self(rawValue: 0x14)
    public static let throttled = Self(rawValue: 0x58)
    /// Come again: a failure of the receiver that may pass.
    public static let temporaryReceiverError = Self(rawValue: 0x64)

    /// As in the tables of codes: `0x58`.
    public var description: String { "0x" + String(self.rawValue, radix: 16, uppercase: true) }

    /// True for what asks the client to be slower, and says nothing of the message.
    public var isThrottle: Bool { self == .throttled || self == .queueFull }
}

/// Which way messages go through a session.
public enum BindKind: Sendable, Hashable, CaseIterable {
    case receiver, transmitter, transceiver

    public var command: Command {
        switch self {
        case .receiver: .bindReceiver
        case .transmitter: .bindTransmitter
        case .transceiver: .bindTransceiver
        }
    }

    init?(_ command: Command) {
        switch command {
        case .bindReceiver: self = .receiver
        case .bindTransmitter: self = .transmitter
        case .bindTransceiver: self = .transceiver
        default: return nil
        }
    }
}
