/// What a provider's rate counts.
public enum RateUnit: String, Sendable, Hashable, CaseIterable {
    case messages, segments
}
