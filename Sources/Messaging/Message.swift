/// The way a message reaches its recipient.
public enum Channel: String, Sendable, Hashable, CaseIterable {
    case sms, voice, email
}

/// Which messages go first: a code that a person is waiting for goes ahead of a newsletter.
public enum Priority: Int16, Sendable, Hashable, CaseIterable, Comparable {
    case otp, transactional, bulk

    public var name: String {
        switch self {
        case .otp: "otp"
        case .transactional: "transactional"
        case .bulk: "bulk"
        }
    }

    public init?(name: String) {
        guard let priority = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = priority
    }

    public static func < (left: Priority, right: Priority) -> Bool { left.rawValue < right.rawValue }
}

/// Numbers of rows in `accounts`, `providers` and so on; types of their own so that they cannot be mixed up.
public struct AccountID: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
}

public struct ProviderID: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
}

public struct ApplicationID: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
}

public struct TemplateID: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// The lease of one run of a worker process. Never used twice, so a worker that lost its lease can settle nothing.
public struct WorkerID: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
}

extension MessageID {
    /// What a message's sealed body is bound to: a body moved to another message or another account does not open.
    public func sealingContext(account: AccountID) -> String { "message/\(account.rawValue)/\(self)/body" }
}
