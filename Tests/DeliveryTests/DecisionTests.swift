import Messaging
import Testing

@testable import Delivery
@testable import Store

/// What is decided without asking anybody.
@Suite struct DecisionTests {
    private struct End: Equatable {
        var outcome: String
        var reason: Verdict.Reason
        var state: MessageState?
    }

    private func triage(_ claim: Claim) -> End? {
        guard case .settle(let settled) = Triage(claim, attemptLimit: 6) else { return nil }
        #expect(settled.retry == nil)
        #expect(settled.id == claim.id && settled.attempt == claim.attempt && settled.series == claim.series)
        return End(outcome: settled.outcome, reason: settled.reason, state: settled.state)
    }

    @Test func whatIsInTimeIsSent() {
        for state in [MessageState.queued, .sending, .unknown, .accepted] {
            #expect(self.triage(.sample(state: state)) == nil, "\(state)")
        }
        #expect(self.triage(.sample(remaining: .microseconds(1))) == nil)
        #expect(self.triage(.sample(attempt: 6)) == nil)
    }

    @Test func whatIsFinalOnlyLeaves() {
        for state in MessageState.allCases where state.isFinal {
            #expect(self.triage(.sample(state: state))?.state == nil, "\(state)")
            #expect(self.triage(.sample(state: state)) != nil, "\(state)")
            #expect(self.triage(.sample(attempt: 9, state: state, remaining: .seconds(-5))) != nil)
        }
        #expect(self.triage(.sample(body: nil)) != nil)
        #expect(self.triage(.sample(body: nil))?.state == nil)
    }

    @Test func whatIsPastItsTimeIsNeverSent() {
        for remaining in [Duration.zero, .microseconds(-1), .seconds(-86_400)] {
            let claim = Claim.sample(remaining: remaining)
            #expect(self.triage(claim) == End(outcome: "expired", reason: .expired, state: .expired))
        }
        // It may have arrived, so it cannot be called expired.
        let unknown = self.triage(.sample(state: .unknown, remaining: .zero))
        #expect(unknown == End(outcome: "expired", reason: .expired, state: .unknown))
    }

    @Test func spentAttemptsAreNeverSent() {
        let spent = self.triage(.sample(attempt: 7))
        #expect(spent == End(outcome: "spent", reason: .attemptsSpent, state: .failed))
        #expect(self.triage(.sample(attempt: 7, state: .unknown))?.state == .unknown)
    }

    @Test func outcomesAreWrittenDown() {
        let verdict = Verdict(.failed, .transientProvider, .retrySame, .providerError)
        let table: [(Outcome, String, Verdict.Reason, String)] = [
            (.accepted(parts: ["a"]), "accepted", .accepted, ""),
            (.refused(verdict, code: "5", retryAfter: nil), "refused", .providerError, "5"),
            (.notSent(.networkTimeout), "not_sent", .networkTimeout, ""),
            (.unanswered(.networkTimeout), "unanswered", .networkTimeout, ""),
        ]
        for (outcome, name, reason, code) in table {
            let settled = Settled(
                .sample(attempt: 3, series: 2), outcome: outcome, settlement: .accepted(parts: []),
                .milliseconds(7))
            #expect(settled.outcome == name)
            #expect(settled.reason == reason)
            #expect(settled.code == code)
            #expect(settled.attempt == 3 && settled.series == 2)
            #expect(settled.duration == .milliseconds(7))
        }
    }

    @Test func settlementsBecomeStates() {
        let refused = Outcome.refused(
            Verdict(.failed, .permanentMessage, .stop, .tooLong), code: "12", retryAfter: nil)
        func settled(_ outcome: Outcome, _ settlement: Settlement) -> Settled {
            Settled(.sample(attempt: 3, series: 2), outcome: outcome, settlement: settlement, .zero)
        }
        let accepted = settled(.accepted(parts: ["a", "b"]), .accepted(parts: ["a", "b"]))
        #expect(accepted.state == .accepted && accepted.parts == ["a", "b"] && accepted.retry == nil)

        let failed = settled(refused, .failed(.attemptsSpent, code: "12"))
        #expect(failed.state == .failed && failed.reason == .attemptsSpent && failed.code == "12")

        let unknown = settled(.unanswered(.networkTimeout), .unknown(.networkTimeout))
        #expect(unknown.state == .unknown && unknown.retry == nil)

        let expired = settled(refused, .expired)
        #expect(expired.state == .expired && expired.reason == .expired && expired.retry == nil)
    }

    @Test func retriesCountAttemptsAndSeries() throws {
        let refused = Outcome.refused(
            Verdict(.failed, .transientProvider, .retrySame, .providerError), code: "5", retryAfter: nil)
        let table: [(Outcome, consumes: Bool, newSeries: Bool, attempt: Int16, series: Int16, MessageState?)] = [
            (refused, true, true, 3, 3, nil), (refused, false, false, 2, 2, nil),
            (.notSent(.networkTimeout), true, false, 3, 2, nil),
            (.unanswered(.networkTimeout), true, false, 3, 2, .unknown),
        ]
        for (outcome, consumes, newSeries, attempt, series, state) in table {
            let settled = Settled(
                .sample(attempt: 3, series: 2), outcome: outcome,
                settlement: .retry(after: .seconds(4), consumesAttempt: consumes, newSeries: newSeries, halt: false),
                .zero)
            let retry = try #require(settled.retry)
            #expect(retry.after == .seconds(4))
            #expect(retry.attempt == attempt)
            #expect(retry.series == series)
            #expect(settled.state == state)
        }
    }

    @Test func aProviderIsLeftAloneForAsLongAsItAsks() {
        func pause(_ action: Verdict.Action, _ reason: Verdict.Reason, _ wait: Duration? = nil) -> Duration? {
            let verdict = Verdict(.failed, .transientProvider, action, reason)
            return Outcome.refused(verdict, code: "1", retryAfter: wait).pause
        }
        #expect(pause(.throttle, .throttledProvider) == .milliseconds(200))
        #expect(pause(.throttle, .throttledProvider, .milliseconds(250)) == .milliseconds(250))
        #expect(pause(.throttle, .throttledProvider, .zero) == .milliseconds(50))
        #expect(pause(.throttle, .throttledProvider, .seconds(86_400)) == .seconds(5))
        #expect(pause(.throttle, .throttledCarrier) == .milliseconds(200))
        #expect(pause(.retrySame, .providerError, .seconds(1)) == nil)
        #expect(pause(.stop, .tooLong) == nil)
        // One number's limit is nothing that the others have to wait for.
        #expect(pause(.throttle, .throttledRecipient, .seconds(1)) == nil)
        #expect(Outcome.accepted(parts: []).pause == nil)
        #expect(Outcome.unanswered(.networkTimeout).pause == nil)
    }
}
