import Messaging

/// The last that a server said of a mail.
public struct SMTPReply: Sendable, Hashable {
    /// 200...599.
    public var code: Int
    /// Its lines without the code, joined by blanks. Never logged: servers quote addresses.
    public var text: String

    public init(code: Int, text: String) {
        self.code = code
        self.text = text
    }

    /// The enhanced status code in front of the text, where the server gives one.
    var status: EnhancedStatus? { EnhancedStatus(self.text.prefix { $0 != " " }) }

    /// For the timeline: numbers alone.
    var shownCode: String { self.status.map { "\(self.code) \($0)" } ?? String(self.code) }

    /// Whether it means to see whether we come again, which says nothing against us: `4.7.1`, or the word itself.
    var isGreylisting: Bool {
        let words = self.text.lowercased()
        return (400...499).contains(self.code)
            && (self.status?.prefixes.first == "4.7.1" || words.contains("greylist") || words.contains("graylist"))
    }

    /// The server's name for the mail, which its log goes by, in the forms of the common ones: `queued as X`, `id=X`.
    var queueID: String? {
        for mark in ["queued as ", "id="] {
            guard let range = self.text.firstRange(of: mark) else { continue }
            let id = self.text[range.upperBound...].prefix {
                $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0))
            }
            if (4...64).contains(id.utf8.count) { return String(id) }
        }
        return nil
    }
}

/// A class, a subject and a detail, as in `5.1.1` (RFC 3463).
struct EnhancedStatus: Sendable, Hashable, CustomStringConvertible {
    let description: String

    init?(_ text: some StringProtocol) {
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, ["2", "4", "5"].contains(numbers[0]) else { return nil }
        guard
            numbers.dropFirst().allSatisfy({ number in
                (1...3).contains(number.utf8.count) && number.utf8.allSatisfy { (0x30...0x39).contains($0) }
            })
        else { return nil }
        self.description = String(text)
    }

    /// `5.1.1`, `5.1` and `5`.
    var prefixes: [String] {
        let numbers = self.description.split(separator: ".")
        return (1...3).reversed().map { numbers.prefix($0).joined(separator: ".") }
    }
}
