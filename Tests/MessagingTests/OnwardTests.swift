import Messaging
import Testing

/// Whether a message goes on to another provider of its route.
@Suite struct OnwardTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var outcome: Outcome
        var priority = Priority.otp
        var attempt = 1
        var series: Int16 = 1
        var onward = Onward(sameChannel: true, otherChannel: false)
        /// Nil: it does not go on.
        var way: Settlement.Way?
        var testDescription: String { self.name }
    }

    private static func refusal(
        _ action: Verdict.Action, _ permanence: Verdict.Permanence = .transientProvider
    ) -> Outcome {
        .refused(Verdict(.failed, permanence, action, .providerError), code: "7", retryAfter: nil)
    }

    static let cases = [
        Case(name: "accepted", outcome: .accepted(parts: [])),
        Case(name: "failover", outcome: refusal(.failover), way: .any),
        Case(name: "failover of bulk", outcome: refusal(.failover), priority: .bulk, way: .any),
        Case(name: "nowhere to go", outcome: refusal(.failover), onward: .nowhere),
        Case(name: "failover_once, the first time", outcome: refusal(.failoverOnce), way: .any),
        Case(name: "failover_once, the second time", outcome: refusal(.failoverOnce), series: 2),
        Case(name: "stop", outcome: refusal(.stop)),
        Case(name: "stop_suppress", outcome: refusal(.stopSuppress)),
        Case(name: "a bad number is bad anywhere", outcome: refusal(.failover, .permanentRecipient)),
        Case(name: "a bad text is bad anywhere", outcome: refusal(.stop, .permanentMessage)),
        Case(name: "a text that would be tried again here", outcome: refusal(.retrySame, .permanentMessage)),
        Case(
            name: "what one filter caught may pass another", outcome: refusal(.failoverOnce, .permanentMessage),
            way: .any),
        Case(name: "but no third", outcome: refusal(.failoverOnce, .permanentMessage), series: 2),
        Case(name: "what one contract forbids", outcome: refusal(.failover, .permanentMessage), way: .any),
        Case(
            name: "a landline can be called", outcome: refusal(.failoverChannel, .permanentRecipient),
            onward: Onward(sameChannel: true, otherChannel: true), way: .otherChannel),
        Case(
            name: "a landline takes no short message anywhere", outcome: refusal(.failoverChannel, .permanentRecipient)),
        Case(name: "a code does not wait for a busy provider", outcome: refusal(.retrySame), way: .any),
        Case(name: "others do, once", outcome: refusal(.retrySame), priority: .transactional),
        Case(name: "but not twice", outcome: refusal(.retrySame), priority: .transactional, attempt: 2, way: .any),
        Case(name: "halt", outcome: refusal(.haltProvider, .config), priority: .bulk, way: .any),
        Case(name: "throttle", outcome: refusal(.throttle), way: .any),
        Case(name: "throttled bulk waits", outcome: refusal(.throttle), priority: .bulk),
        Case(name: "not sent", outcome: .notSent(.networkTimeout), way: .any),
        Case(name: "not sent, in no hurry", outcome: .notSent(.networkTimeout), priority: .bulk),
        Case(name: "not sent, twice", outcome: .notSent(.networkTimeout), priority: .bulk, attempt: 2, way: .any),
        Case(name: "unanswered", outcome: .unanswered(.networkTimeout), way: .any),
        Case(name: "unanswered bulk", outcome: .unanswered(.networkTimeout), priority: .bulk, attempt: 3),
        Case(name: "unanswered, in no hurry", outcome: .unanswered(.networkTimeout), priority: .transactional),
        Case(name: "the last attempt", outcome: refusal(.failover), attempt: 6),
    ]

    @Test(arguments: cases) func goesOn(_ example: Case) {
        let settlement = RetryPolicy().settle(
            example.outcome, attempt: example.attempt, series: example.series, priority: example.priority,
            remaining: .seconds(60), random: 0.5, onward: example.onward)
        var way: Settlement.Way?
        if case .moveOn(let chosen, _, _, _) = settlement { way = chosen }
        #expect(way == example.way)
    }

    @Test func whatIsOverGoesNowhere() {
        let settlement = RetryPolicy().settle(
            Self.refusal(.failover), attempt: 1, series: 1, priority: .otp, remaining: .zero, random: 0.5,
            onward: Onward(sameChannel: true, otherChannel: true))
        #expect(settlement == .expired)
    }

    @Test func aThrottleCostsNoAttempt() {
        let settlement = RetryPolicy().settle(
            Self.refusal(.throttle), attempt: 1, series: 1, priority: .otp, remaining: .seconds(60), random: 0.5,
            onward: Onward(sameChannel: true, otherChannel: false))
        #expect(settlement == .moveOn(.any, consumesAttempt: false, newSeries: true, halt: false))
    }
}
