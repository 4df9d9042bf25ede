/// Where a message may go beside the provider that it was at: whether its route has targets left that are well.
public struct Onward: Sendable, Hashable {
    /// Another provider of its own channel.
    public var sameChannel: Bool
    /// A provider of another channel. Only codes change theirs: nobody wants a newsletter read to them on the telephone.
    public var otherChannel: Bool

    public init(sameChannel: Bool, otherChannel: Bool) {
        self.sameChannel = sameChannel
        self.otherChannel = otherChannel
    }

    public static let nowhere = Onward(sameChannel: false, otherChannel: false)

    public var isSomewhere: Bool { self.sameChannel || self.otherChannel }
}

extension RetryPolicy {
    /// Attempts at one provider after which a message that is in no hurry goes on to the next.
    static let patientAttempts = 2

    /// Whether a message goes on to another provider after this outcome, at once; nil when it does not.
    ///
    /// Never for a recipient that is bad anywhere, and for a text only where the table proposes it. A code goes on whenever it can, since somebody is waiting for it; other messages
    /// give a provider that is only busy or stumbling another try, and bulk that may have been sent is never sent again.
    func moveOn(
        after outcome: Outcome, onward: Onward, attempt: Int, series: Int16, priority: Priority
    ) -> Settlement? {
        guard onward.isSomewhere, attempt < self.attemptLimit else { return nil }
        let isUrgent = priority == .otp
        let isPatient = !isUrgent && attempt < Self.patientAttempts
        switch outcome {
        case .accepted: return nil
        case .notSent: return isPatient ? nil : .moveOn(.any, consumesAttempt: true, newSeries: false, halt: false)
        case .unanswered: return isUrgent ? .moveOn(.any, consumesAttempt: true, newSeries: true, halt: false) : nil
        case .refused(let verdict, _, _):
            if verdict.action == .throttle {
                // Nobody has looked at it, so the attempt is given back.
                return priority == .bulk ? nil : .moveOn(.any, consumesAttempt: false, newSeries: true, halt: false)
            }
            guard let way = verdict.way(series: series, isPatient: isPatient) else { return nil }
            guard way == .any || onward.otherChannel else { return nil }
            return .moveOn(way, consumesAttempt: true, newSeries: true, halt: verdict.action == .haltProvider)
        }
    }
}

extension Verdict {
    /// The way on that this verdict of a refusal, or of a report of failure, allows; nil when there is none.
    public func way(series: Int16, isPatient: Bool = false) -> Settlement.Way? {
        // A number that takes no short messages may well be called.
        if self.action == .failoverChannel { return .otherChannel }
        switch self.permanence {
        case .permanentRecipient: return nil
        // Another provider may well take what this one's filter caught, or its contract forbids, where the table says so.
        case .permanentMessage: guard self.action == .failover || self.action == .failoverOnce else { return nil }
        case .none, .config, .transientRecipient, .transientProvider: break
        }
        return switch self.action {
        case .failover, .haltProvider, .throttle: .any
        case .failoverOnce: series == 1 ? .any : nil
        case .retrySame: isPatient ? nil : .any
        case .none, .wait, .stop, .stopSuppress, .failoverChannel: nil
        }
    }
}
