import Messaging

// What prints without the recipients that it holds: a whole number or address has no place in a log.

extension Sending: CustomStringConvertible, CustomReflectable {
    public var description: String { "sending of verification \(self.verification)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension StoredVerification: CustomStringConvertible, CustomReflectable {
    public var description: String { "verification \(self.id), \(self.state.rawValue)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension CheckResult.End: CustomStringConvertible, CustomReflectable {
    public var description: String { self.cause.rawValue }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension OptOut: CustomStringConvertible, CustomReflectable {
    public var description: String { "an opt-out" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension EventClaim: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(self.event), try \(self.attempt)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension EventFacts: CustomStringConvertible, CustomReflectable {
    public var description: String { self.type.rawValue }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension EventFacts.Message: CustomStringConvertible, CustomReflectable {
    public var description: String { "a message" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension StoredEndpoint: CustomStringConvertible, CustomReflectable {
    public var description: String { "endpoint \(self.id.rawValue)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension EndpointSettings: CustomReflectable {
    public var customMirror: Mirror { Mirror(self, children: []) }
}
