/// What the numbering plans say of all numbers that differ in their last four digits only.
///
/// Countries open ranges of ten thousand numbers and more, so what is true of one number is true of its neighbours; where an
/// island has a few thousand of them, its neighbours may be taken for its own.
public struct PhoneNumberRange: Sendable, Hashable {
    public let impossibility: PhoneNumberImpossibility?
    public let countryCode: Int?
    /// As ``PhoneNumberFacts/region``.
    public let region: String?
    public let type: PhoneNumberType
    /// What stands before the last four digits in the canonical form; nil when that is what was given.
    let canonicalStart: String?

    init(of e164: String) {
        let facts = PhoneNumberFacts(e164: e164)
        self.impossibility = facts.impossibility
        self.countryCode = facts.countryCode
        self.region = facts.region
        self.type = facts.type
        // A plan that changed the end of a number would change each of the range in its own way.
        let canonical = facts.canonical.flatMap { $0.suffix(4) == e164.suffix(4) ? $0 : nil }
        self.canonicalStart = canonical.flatMap { $0 == e164 ? nil : String($0.dropLast(4)) }
    }
}
