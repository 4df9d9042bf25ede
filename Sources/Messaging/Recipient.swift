/// Whom a message is for, in the form that its channel wants. Prints masked.
public enum Recipient: Sendable, Hashable {
    case phone(PhoneNumber)
    case email(EmailAddress)

    /// Reads what stands for a recipient on a channel; nil when it is none.
    public init?(_ text: String, channel: Channel) {
        switch channel {
        case .sms, .voice:
            guard let number = PhoneNumber(text) else { return nil }
            self = .phone(number)
        case .email:
            guard let address = EmailAddress(text) else { return nil }
            self = .email(address)
        }
    }

    /// The whole number or address, as it is stored and shown to its owner.
    public var text: String {
        switch self {
        case .phone(let number): number.e164
        case .email(let address): address.address
        }
    }

    /// What counters and limits go by: one person has one, however the address is written.
    public var key: String {
        switch self {
        case .phone(let number): number.e164
        case .email(let address): address.address.lowercased()
        }
    }
}

extension Recipient: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        switch self {
        case .phone(let number): number.description
        case .email(let address): address.description
        }
    }

    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: ["masked": self.description]) }
}
