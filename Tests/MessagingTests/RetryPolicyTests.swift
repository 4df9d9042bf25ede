import Messaging
import Testing

@Suite struct RetryPolicyTests {
    /// An attempt and what it must come to.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var outcome: Outcome
        var attempt = 1
        var series: Int16 = 1
        var priority = Priority.transactional
        var remaining = Duration.seconds(3600)
        var random = 0.5
        var expected: Settlement
        var testDescription: String { self.name }
    }

    @Test(arguments: accepted + refused + halted + notSent + unanswered + throttled + retryAfter)
    func settles(_ example: Case) {
        let settlement = RetryPolicy().settle(
            example.outcome, attempt: example.attempt, series: example.series, priority: example.priority,
            remaining: example.remaining, random: example.random
        )
        #expect(settlement == example.expected)
    }

    static let accepted = [
        Case(name: "accepted", outcome: .accepted(parts: ["a", "b"]), expected: .accepted(parts: ["a", "b"])),
        Case(
            name: "accepted by the last attempt after the expiry", outcome: .accepted(parts: []), attempt: 6,
            remaining: .seconds(-1), expected: .accepted(parts: [])
        ),
    ]

    static let refused = [
        Case(name: "retry_same", outcome: refusal(.retrySame), expected: retry(.milliseconds(500), newSeries: true)),
        Case(name: "failover", outcome: refusal(.failover), expected: retry(.milliseconds(500), newSeries: true)),
        Case(
            name: "failover_channel", outcome: refusal(.failoverChannel),
            expected: retry(.milliseconds(500), newSeries: true)
        ),
        Case(
            name: "failover_once, the first time", outcome: refusal(.failoverOnce),
            expected: retry(.milliseconds(500), newSeries: true)
        ),
        Case(
            name: "failover_once, refused before", outcome: refusal(.failoverOnce), attempt: 2, series: 2,
            expected: .failed(.providerError, code: "7")
        ),
        Case(name: "stop", outcome: refusal(.stop), expected: .failed(.providerError, code: "7")),
        Case(name: "stop_suppress", outcome: refusal(.stopSuppress), expected: .failed(.providerError, code: "7")),
        Case(name: "none", outcome: refusal(.none), expected: .failed(.providerError, code: "7")),
        Case(name: "wait", outcome: refusal(.wait), expected: .failed(.providerError, code: "7")),
        Case(
            name: "a bad number stays bad", outcome: refusal(.failover, .permanentRecipient),
            expected: .failed(.providerError, code: "7")
        ),
        Case(
            name: "a bad text stays bad", outcome: refusal(.retrySame, .permanentMessage),
            expected: .failed(.providerError, code: "7")
        ),
        Case(
            name: "the fifth attempt leaves one", outcome: refusal(.retrySame), attempt: 5,
            expected: retry(.seconds(8), newSeries: true)
        ),
        Case(
            name: "the sixth was the last", outcome: refusal(.retrySame), attempt: 6,
            expected: .failed(.attemptsSpent, code: "7")
        ),
        Case(
            name: "beyond the limit", outcome: refusal(.retrySame), attempt: 7,
            expected: .failed(.attemptsSpent, code: "7")
        ),
        Case(
            name: "stopped at the last attempt keeps its own reason", outcome: refusal(.stop), attempt: 6,
            expected: .failed(.providerError, code: "7")
        ),
        Case(
            name: "just before the expiry", outcome: refusal(.retrySame), remaining: .milliseconds(501),
            expected: retry(.milliseconds(500), newSeries: true)
        ),
        Case(
            name: "at the expiry", outcome: refusal(.retrySame), remaining: .milliseconds(500), expected: .expired
        ),
        Case(
            name: "after the expiry even without a delay", outcome: refusal(.retrySame), remaining: .zero, random: 0,
            expected: .expired
        ),
        Case(
            name: "stopped after the expiry", outcome: refusal(.stop), remaining: .zero,
            expected: .failed(.providerError, code: "7")
        ),
    ]

    static let halted = [
        Case(
            name: "halt waits 30 s at least", outcome: refusal(.haltProvider, .config),
            expected: retry(.seconds(30), newSeries: true, halt: true)
        ),
        Case(
            name: "halt keeps a longer delay", outcome: refusal(.haltProvider, .config, retryAfter: .seconds(45)),
            expected: retry(.seconds(45), newSeries: true, halt: true)
        ),
        Case(
            name: "halt with half a minute left", outcome: refusal(.haltProvider, .config), remaining: .seconds(30),
            expected: .expired
        ),
    ]

    static let notSent = [
        Case(name: "not sent", outcome: .notSent(.networkTimeout), expected: retry(.milliseconds(500))),
        Case(
            name: "not sent, bulk", outcome: .notSent(.networkTimeout), attempt: 3, priority: .bulk,
            expected: retry(.seconds(2))
        ),
        Case(
            name: "not sent, code", outcome: .notSent(.networkTimeout), priority: .otp,
            expected: retry(.milliseconds(250))
        ),
        Case(
            name: "not sent, attempts spent", outcome: .notSent(.networkTimeout), attempt: 6,
            expected: .failed(.attemptsSpent, code: "network_timeout")
        ),
        Case(
            name: "not sent, no time left", outcome: .notSent(.networkTimeout), remaining: .milliseconds(100),
            expected: .expired
        ),
    ]

    static let unanswered = [
        Case(
            name: "unanswered", outcome: .unanswered(.networkTimeout), random: 0, expected: retry(.seconds(5))
        ),
        Case(
            name: "unanswered, code, third time", outcome: .unanswered(.networkTimeout), attempt: 3, priority: .otp,
            expected: retry(.seconds(6))
        ),
        Case(
            name: "unanswered, bulk", outcome: .unanswered(.networkTimeout), priority: .bulk,
            expected: .unknown(.networkTimeout)
        ),
        Case(
            name: "unanswered, attempts spent", outcome: .unanswered(.networkTimeout), attempt: 6,
            expected: .unknown(.networkTimeout)
        ),
        Case(
            name: "unanswered, time left for the grace only", outcome: .unanswered(.networkTimeout),
            remaining: .seconds(5), random: 0, expected: .unknown(.networkTimeout)
        ),
        Case(
            name: "unanswered, just time enough", outcome: .unanswered(.networkTimeout),
            remaining: .milliseconds(5001), random: 0, expected: retry(.seconds(5))
        ),
    ]

    static let throttled = [
        Case(
            name: "throttled with a wait", outcome: refusal(.throttle, retryAfter: .seconds(10)), random: 0,
            expected: retry(.seconds(10), consumesAttempt: false)
        ),
        Case(
            name: "throttled, jittered upwards", outcome: refusal(.throttle, retryAfter: .seconds(10)),
            expected: retry(.seconds(11), consumesAttempt: false)
        ),
        Case(
            name: "throttled, too short a wait", outcome: refusal(.throttle, retryAfter: .zero), random: 0,
            expected: retry(.seconds(1), consumesAttempt: false)
        ),
        Case(
            name: "throttled, too short a wait for a code", outcome: refusal(.throttle, retryAfter: .zero),
            priority: .otp, random: 0, expected: retry(.milliseconds(500), consumesAttempt: false)
        ),
        Case(
            name: "throttled, too long a wait", outcome: refusal(.throttle, retryAfter: .seconds(3600)), random: 0,
            expected: retry(.seconds(60), consumesAttempt: false)
        ),
        Case(
            name: "throttled without a wait", outcome: refusal(.throttle), attempt: 4, random: 0.5,
            expected: retry(.milliseconds(1100), consumesAttempt: false)
        ),
        Case(
            name: "throttled beyond the limit of attempts", outcome: refusal(.throttle), attempt: 6, random: 0,
            expected: retry(.seconds(1), consumesAttempt: false)
        ),
        Case(
            name: "throttled until the expiry", outcome: refusal(.throttle, retryAfter: .seconds(10)),
            remaining: .seconds(10), random: 0, expected: .expired
        ),
        Case(
            name: "the recipient's limit costs an attempt", outcome: flooded, random: 0,
            expected: retry(.seconds(60), newSeries: true)
        ),
        Case(
            name: "the recipient's limit, attempts spent", outcome: flooded, attempt: 6,
            expected: .failed(.attemptsSpent, code: "20")
        ),
    ]

    static let retryAfter = [
        Case(
            name: "Retry-After is honoured", outcome: refusal(.retrySame, retryAfter: .seconds(120)),
            expected: retry(.seconds(120), newSeries: true)
        ),
        Case(
            name: "Retry-After below our own delay", outcome: refusal(.retrySame, retryAfter: .zero),
            expected: retry(.milliseconds(500), newSeries: true)
        ),
        Case(
            name: "Retry-After beyond 15 minutes", outcome: refusal(.retrySame, retryAfter: .seconds(86400)),
            expected: retry(.seconds(900), newSeries: true)
        ),
        Case(
            name: "Retry-After beyond the expiry", outcome: refusal(.retrySame, retryAfter: .seconds(120)),
            priority: .otp, remaining: .seconds(100), expected: .expired
        ),
    ]

    @Test(arguments: [(1, 1000), (2, 2000), (3, 4000), (9, 256_000), (10, 300_000), (60, 300_000), (Int.max, 300_000)])
    func delaysDoubleUpToFiveMinutes(attempt: Int, limit: Int) {
        let policy = RetryPolicy()
        #expect(policy.delay(attempt: attempt, priority: .bulk, random: 0) == .zero)
        #expect(policy.delay(attempt: attempt, priority: .bulk, random: 0.5) == .milliseconds(limit) / 2)
        #expect(policy.delay(attempt: attempt, priority: .transactional, random: 0.25) == .milliseconds(limit) / 4)
    }

    @Test(arguments: [(1, 500), (2, 1000), (6, 16000), (7, 30000), (40, 30000)])
    func aCodesDelaysDoubleUpToHalfAMinute(attempt: Int, limit: Int) {
        #expect(RetryPolicy().delay(attempt: attempt, priority: .otp, random: 0.5) == .milliseconds(limit) / 2)
    }

    @Test func theLimitOfAttemptsIsASetting() {
        var policy = RetryPolicy()
        policy.attemptLimit = 1
        let settlement = policy.settle(
            refusal(.retrySame), attempt: 1, series: 1, priority: .otp, remaining: .seconds(60), random: 0
        )
        #expect(settlement == .failed(.attemptsSpent, code: "7"))
    }
}

private let flooded = Outcome.refused(
    Verdict(.rejected, .transientRecipient, .throttle, .throttledRecipient), code: "20", retryAfter: nil
)

private func refusal(
    _ action: Verdict.Action, _ permanence: Verdict.Permanence = .transientProvider, retryAfter: Duration? = nil
) -> Outcome {
    .refused(Verdict(.failed, permanence, action, .providerError), code: "7", retryAfter: retryAfter)
}

private func retry(
    _ delay: Duration, consumesAttempt: Bool = true, newSeries: Bool = false, halt: Bool = false
) -> Settlement {
    .retry(after: delay, consumesAttempt: consumesAttempt, newSeries: newSeries, halt: halt)
}
