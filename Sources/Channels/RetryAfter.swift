public import HTTP
public import Timestamps

extension Duration {
    /// How long `Retry-After` asks to wait (RFC 9110 section 10.2.3): seconds, or a date. Nil when there is none or it
    /// cannot be read.
    ///
    /// A date is measured from the response's own `Date`, so that it is no matter whether our clock and the provider's
    /// agree; without one it is measured from `now`, and without that it says nothing. A moment past is no wait.
    public init?(retryAfterIn fields: HTTPFields, now: Timestamp? = nil) {
        guard let text = fields["Retry-After"] else { return nil }
        if !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            // What does not fit is very long, and callers have their own limits.
            self = .seconds(Int64(text) ?? Int64(Int32.max))
            return
        }
        guard
            let moment = Timestamp(httpDate: text),
            let sent = fields["Date"].flatMap({ Timestamp(httpDate: $0) }) ?? now
        else { return nil }
        self = max(.zero, moment - sent)
    }
}

extension Timestamp {
    /// Reads the one format that may still be written: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7). Nil
    /// for anything else.
    init?(httpDate text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard
            words.count == 6, words[0].utf8.count == 4, words[0].last == ",", words[5] == "GMT",
            let month = Self.monthNames.firstIndex(where: { $0 == words[2] })
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        self.init("\(words[3])-\(number)-\(words[1])T\(words[4])Z")
    }

    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
