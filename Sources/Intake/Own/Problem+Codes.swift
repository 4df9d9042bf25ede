import Guard
import JSON

extension Problem {
    /// One answer, whatever the reason: whether a code is unknown, someone else's, or ended is nobody's business.
    static let verificationEnded = Problem(
        404, "verification_ended", "There is no verification of this id that can be checked.")

    /// For what has no idempotency key to ask again with.
    static let effectUnknown = Self.unavailable(
        "outcome_unknown",
        "The answer of the database was lost, so the request may or may not have taken effect. "
            + "Look before you try again.")

    static func noApplication(at path: String) -> Problem {
        .invalid([.init(path, "is no application of this account")])
    }

    static func tooMany(_ what: String, _ limit: Int) -> Problem {
        Problem(409, "too_many", "There are \(limit) \(what), and no more may be made.")
    }

    /// Why a code was not sent, in our own words.
    init(_ refusal: VerifierRefusal) {
        self =
            switch refusal {
            case .noApplication: .noApplication(at: "/application")
            case .noTemplate: .invalid([.init("/template", "is no template of this application")])
            case .disabled: .invalid([.init("/application", "is disabled and starts no verifications")])
            case .wrongTemplate: .invalid([.init("/channel", "does not go with the template and the recipient")])
            case .invalid(let problems): .invalid(problems)
            case .noRoute: .invalid([.init("/channel", "has no route to this recipient")])
            case .applicationLimited(let wait):
                .limited("application_limit", "The application has sent as many codes as it may for now.", wait)
            case .recipientLimited(let wait):
                .limited("recipient_limit", "The recipient has got as many codes as it may for now.", wait)
            case .locked: .locked(wait: nil)
            case .outOfBalance: .outOfBalance
            case .ended: .verificationEnded
            case .sendsSpent: .limited("sends_spent", "This code has been sent as often as it may.", nil)
            case .tooEarly(let wait):
                .limited("resend_too_early", "This code was sent too short a time ago to be sent again.", wait)
            case .guarded(let refusal): Problem(refusal)
            case .keyInFlight: .requestInFlight
            case .keyReused: .keyReused
            case .unavailable: .unavailable
            case .outcomeUnknown: .outcomeUnknown
            }
    }

    static func checksLimited(wait: Duration) -> Problem {
        .limited(
            "too_many_checks", "This recipient's codes are being guessed at too fast; nothing was evaluated.", wait)
    }

    static func locked(wait: Duration?) -> Problem {
        .limited(
            "recipient_locked",
            wait == nil
                ? "Too many guesses have failed for this recipient; unlock it first."
                : "Too many guesses have failed for this recipient; nothing is evaluated for a while.", wait)
    }

    // MARK: - Private

    private static func limited(_ code: String, _ detail: String, _ wait: Duration?) -> Problem {
        var problem = Problem(429, code, detail)
        // Rounded up: whoever comes back then is not too early.
        problem.retryAfterSeconds = wait.map { Int($0.secondsRoundedUp) }
        return problem
    }
}
