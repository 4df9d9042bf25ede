extension String {
    /// A provider's word as it may be stored: without control characters, of which PostgreSQL refuses NUL in a text
    /// and with it the whole batch, and no longer than any id or status that a provider documents.
    init(providerText text: String) {
        let scalars = text.unicodeScalars.lazy.filter { $0.properties.generalCategory != .control }
        self = String(String.UnicodeScalarView(scalars.prefix(Self.providerTextLimit)))
    }

    /// In Unicode scalars.
    static let providerTextLimit = 128
}

/// A phone number as most providers want it: digits alone. Names and short codes stay as they are.
func senderWithoutPlus(_ sender: String) -> Substring {
    sender.hasPrefix("+") ? sender.dropFirst() : sender[...]
}
