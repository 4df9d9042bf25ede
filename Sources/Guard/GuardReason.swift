/// Why the guard refuses, in words for programs: the same in answers, in metrics and in tables.
public enum GuardReason: String, Sendable, Hashable, CaseIterable {
    /// The account sends to this country only when its operator says so.
    case countryOff = "country_off"
    /// Calls and texts to such numbers cost their sender more than they are worth: premium rate, shared cost, pagers.
    case numberType = "number_type"
    case numberImpossible = "number_impossible"
    /// A block is in force, made by the guard or by an operator.
    case blocked
    case velocityNumber = "velocity_number"
    /// Too many codes that nobody used, to numbers next to each other.
    case velocityBlock = "velocity_block"
    case velocityCountry = "velocity_country"
    case velocityAccount = "velocity_account"
    case velocityAddress = "velocity_address"
    case velocityDevice = "velocity_device"
    /// Too many wrong guesses came from there.
    case wrongGuesses = "wrong_guesses"
    /// Too few codes to such numbers are used.
    case pumpingScore = "pumping_score"
    /// What the guard needs to judge a guarded country is not to be had.
    case signalsMissing = "signals_missing"
    case spendCap = "spend_cap"
}

/// What the guard answers to a message that it does not let pass.
public struct GuardRefusal: Error, Sendable, Hashable {
    public var reason: GuardReason
    /// When it may be otherwise; nil: when an operator says so.
    public var retryAfter: Duration?

    /// Whether waiting helps, so that the answer is that it comes too often.
    public var isLimit: Bool {
        switch self.reason {
        case .velocityNumber, .velocityBlock, .velocityCountry, .velocityAccount, .velocityAddress, .velocityDevice,
            .wrongGuesses, .spendCap:
            true
        case .pumpingScore: self.retryAfter != nil
        case .countryOff, .numberType, .numberImpossible, .blocked, .signalsMissing: false
        }
    }

    public init(_ reason: GuardReason, retryAfter: Duration? = nil) {
        self.reason = reason
        self.retryAfter = retryAfter
    }
}

extension GuardReason {
    /// Whether it follows from what the operator has said, and not from what the guard has seen: it holds for accounts that are only
    /// watched, too.
    public var isOperators: Bool { [.countryOff, .blocked, .spendCap].contains(self) }
}
