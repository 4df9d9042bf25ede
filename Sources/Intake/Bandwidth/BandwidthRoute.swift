import HTTP

/// The three operations' paths (dialects.md section 3). An account's number is opaque.
struct BandwidthRoute: Hashable {
    enum Operation: String { case messaging, voice, verify }

    /// The vendor's word for it, as its customers know it.
    var account: String
    var operation: Operation

    /// Nil for a path that is none of them.
    init?(_ path: String) {
        let pieces = path.split(separator: "/", omittingEmptySubsequences: false)
        guard
            pieces.count == 7, pieces[0...3] == ["", "api", "v1", "accounts"], pieces[5] == "code",
            let account = PercentEncoding.decode(String(pieces[4])), !account.isEmpty,
            let operation = Operation(rawValue: String(pieces[6]))
        else { return nil }
        self.account = account
        self.operation = operation
    }
}
