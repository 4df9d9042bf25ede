import CPhoneNumber

/// What a number is for, by its range. A number that was taken to another network keeps its range.
public enum PhoneNumberType: String, Sendable, Hashable, CaseIterable {
    case fixedLine
    case mobile
    /// The country's ranges do not tell, as in North America.
    case fixedLineOrMobile
    case tollFree
    case premiumRate
    /// The caller pays a part, less than for ``premiumRate``.
    case sharedCost
    case voip
    /// Follows a person, to a telephone of any type.
    case personal
    case pager
    /// A company's number for all of its offices ("universal access number").
    case uan
    case voicemail
    case unknown

    init(_ type: cphonenumber_type) {
        self =
            switch type {
            case CPHONENUMBER_TYPE_FIXED_LINE: .fixedLine
            case CPHONENUMBER_TYPE_MOBILE: .mobile
            case CPHONENUMBER_TYPE_FIXED_LINE_OR_MOBILE: .fixedLineOrMobile
            case CPHONENUMBER_TYPE_TOLL_FREE: .tollFree
            case CPHONENUMBER_TYPE_PREMIUM_RATE: .premiumRate
            case CPHONENUMBER_TYPE_SHARED_COST: .sharedCost
            case CPHONENUMBER_TYPE_VOIP: .voip
            case CPHONENUMBER_TYPE_PERSONAL: .personal
            case CPHONENUMBER_TYPE_PAGER: .pager
            case CPHONENUMBER_TYPE_UAN: .uan
            case CPHONENUMBER_TYPE_VOICEMAIL: .voicemail
            default: .unknown
            }
    }
}
