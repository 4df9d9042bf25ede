public import Messaging
import PhoneNumbers

/// Looks numbers up in the numbering plans: what cannot exist is known at once and costs nothing.
public struct OfflineLookUp: NumberLookUp {
    public init() {}

    public func reachability(of number: PhoneNumber) async -> Reachability {
        let facts = PhoneNumberFacts(e164: number.e164)
        return facts.impossibility.map { .unreachable(reason: "\($0)") } ?? .unknown
    }
}
