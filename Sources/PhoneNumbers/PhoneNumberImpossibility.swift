import CPhoneNumber

/// Why nobody can have a number.
public enum PhoneNumberImpossibility: String, Sendable, Hashable, CaseIterable {
    /// No `+` with digits behind it, or only one or two of them.
    case notANumber
    /// No country or network has its country code.
    case invalidCountryCode
    /// Shorter than any number of its country.
    case tooShort
    /// Longer than any number of its country, or than E.164 allows.
    case tooLong
    /// Between the lengths that numbers of its country have.
    case invalidLength
    /// So short that it can be dialled only from within its own area.
    case localOnly

    /// Nil when the number was read.
    init?(_ parsing: cphonenumber_parsing) {
        switch parsing {
        case CPHONENUMBER_PARSED: return nil
        case CPHONENUMBER_PARSING_INVALID_COUNTRY_CODE: self = .invalidCountryCode
        case CPHONENUMBER_PARSING_TOO_SHORT_AFTER_IDD, CPHONENUMBER_PARSING_TOO_SHORT: self = .tooShort
        case CPHONENUMBER_PARSING_TOO_LONG: self = .tooLong
        default: self = .notANumber
        }
    }

    /// Nil when the number can be dialled from abroad.
    init?(_ length: cphonenumber_length) {
        switch length {
        case CPHONENUMBER_LENGTH_POSSIBLE_LOCALLY: self = .localOnly
        case CPHONENUMBER_LENGTH_INVALID_COUNTRY_CODE: self = .invalidCountryCode
        case CPHONENUMBER_LENGTH_TOO_SHORT: self = .tooShort
        case CPHONENUMBER_LENGTH_INVALID: self = .invalidLength
        case CPHONENUMBER_LENGTH_TOO_LONG: self = .tooLong
        default: return nil
        }
    }
}

extension PhoneNumberImpossibility: CustomStringConvertible {
    /// For people, after "the number cannot exist:".
    public var description: String {
        switch self {
        case .notANumber: "it is no number"
        case .invalidCountryCode: "no country has its country code"
        case .tooShort: "it is shorter than any number of its country"
        case .tooLong: "it is longer than any number of its country"
        case .invalidLength: "no number of its country has its length"
        case .localOnly: "it can be dialled only from within its own area"
        }
    }
}
