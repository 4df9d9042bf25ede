import Guard
import JSON

/// Why a code was not sent, sent again or looked at; each dialect has its own words for it. Nothing was stored, except where
/// ``outcomeUnknown`` says that nobody knows.
enum VerifierRefusal: Error {
    case noApplication
    case noTemplate
    /// The application starts no verifications.
    case disabled
    /// The template is for another channel.
    case wrongTemplate
    /// What is wrong with the request, with JSON Pointers by the names `to`, `from` and `placeholders`.
    case invalid([JSONProblem])
    /// No provider takes messages to this recipient on this channel.
    case noRoute
    /// The application has sent as many codes as it may in this period.
    case applicationLimited(wait: Duration)
    /// The recipient has got as many codes of this application as it may in this period.
    case recipientLimited(wait: Duration)
    /// Too many guesses have failed for this recipient.
    case locked
    /// The account has no credit for it.
    case outOfBalance
    /// There is no code to send again: it is unknown, someone else's, or its use has ended.
    case ended
    /// The code was sent as often as its application allows.
    case sendsSpent
    case tooEarly(wait: Duration)
    /// The guard is against it.
    case guarded(GuardRefusal)
    case keyInFlight
    case keyReused
    case unavailable
    case outcomeUnknown
}

extension VerifierRefusal {
    var mayHaveBeenSent: Bool {
        if case .outcomeUnknown = self { true } else { false }
    }

    /// Whether it may be otherwise once the application or the template has changed.
    var followsFromPlan: Bool {
        switch self {
        case .disabled, .wrongTemplate, .invalid: true
        default: false
        }
    }
}
