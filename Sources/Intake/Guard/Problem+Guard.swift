import Guard
import JSON

extension Problem {
    /// Why the guard is against a message, at a place of the request, or against a guess.
    init(_ refusal: GuardRefusal, at path: String? = "/to") {
        let reason = refusal.reason
        self.init(refusal.status, reason.rawValue, reason.sentence)
        if let path { self.errors = [JSONProblem(path, "is refused: \(reason.rawValue)")] }
        self.retryAfterSeconds = refusal.retryAfter.map { Int($0.secondsRoundedUp) }
    }
}

extension GuardRefusal {
    fileprivate var status: Int {
        switch self.reason {
        case .numberImpossible, .numberType: 422
        // The guard's own trouble, which passes.
        case .signalsMissing: 503
        default: self.isLimit ? 429 : 403
        }
    }
}

extension GuardReason {
    /// For people. It tells nobody who pumps how to go about it better.
    fileprivate var sentence: String {
        switch self {
        case .countryOff: "This account does not send to this country."
        case .numberType: "Nothing is sent to numbers of this type."
        case .numberImpossible: "Nobody can have this number."
        case .blocked: "This recipient, or what it is part of, is blocked."
        case .velocityNumber: "The recipient has got as many codes as it may for now."
        case .velocityBlock: "Too many codes to neighbouring numbers were not used."
        case .velocityCountry: "As many codes were sent to this country as may be for now."
        case .velocityAccount: "The account has sent as many codes as it may today."
        case .velocityAddress: "As many codes were sent for this address as may be for now."
        case .velocityDevice: "As many codes were sent for this device as may be for now."
        case .wrongGuesses: "Too many guesses from there were wrong."
        case .pumpingScore: "Too few codes to such numbers are used."
        case .signalsMissing: "It cannot be judged now whether this may be sent."
        case .spendCap: "As much has been spent on this country, or by this account, as may be today."
        }
    }
}
