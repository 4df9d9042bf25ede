/// Whose API a customer's programs speak with us, unchanged but for the address.
public enum Vendor: String, Sendable, Hashable, CaseIterable {
    case infobip, bandwidth, nexmo, bind

    /// What the sealed secrets of a credential are bound to: those moved to another row do not open.
    public func sealingContext(of name: String) -> String { "credential/\(self.rawValue)/\(name)" }
}
