/// The faults that were asked for, oldest first.
struct FaultRules {
    /// Rules at the same time.
    static let limit = 1000

    private(set) var rules: [FaultRule] = []

    /// False when there are as many as may be.
    mutating func add(_ rule: FaultRule) -> Bool {
        guard self.rules.count < Self.limit else { return false }
        self.rules.append(rule)
        return true
    }

    mutating func clear() { self.rules = [] }

    /// The fault of a whole request to these recipients, if any: by the first rule that fits one of them, or else by what
    /// one of them asks for. Counts against the rule once.
    mutating func takeForRequest(to recipients: [String], of provider: Provider) -> Fault? {
        if let index = self.rules.firstIndex(where: { rule in
            rule.fault.kind.isOfRequest && recipients.contains { rule.befalls($0, of: provider) }
        }) {
            return self.take(index)
        }
        return recipients.lazy.compactMap(Fault.asked(by:)).first { $0.kind.isOfRequest }
    }

    /// The fault of one message, if any.
    mutating func takeForMessage(to recipient: String, of provider: Provider) -> Fault? {
        let index = self.rules.firstIndex { !$0.fault.kind.isOfRequest && $0.befalls(recipient, of: provider) }
        if let index {
            return self.take(index)
        }
        return Fault.asked(by: recipient).flatMap { $0.kind.isOfRequest ? nil : $0 }
    }

    private mutating func take(_ index: Int) -> Fault {
        let fault = self.rules[index].fault
        if let remaining = self.rules[index].remaining {
            if remaining > 1 { self.rules[index].remaining = remaining - 1 } else { self.rules.remove(at: index) }
        }
        return fault
    }
}
