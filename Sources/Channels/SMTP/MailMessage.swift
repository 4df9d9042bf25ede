import Crypto
import Messaging
import Timestamps

/// A mail as it travels (RFC 5322, RFC 2045, RFC 2047): fields and a body in plain text, all of it ASCII.
///
/// Whatever its parts hold, they cannot begin another field: what breaks lines is taken out of the subject and the name, and
/// encoded in the body.
struct MailMessage {
    var from: Mailbox
    var to: EmailAddress
    var content: Mail
    var reference: MessageReference
    var date: Timestamp

    var bytes: [UInt8] {
        let body = MailBody(self.content.text)
        let fields = [
            "Date: \(self.date.mailDate)",
            "From: \(self.sender)",
            "To: <\(self.to.address)>",
            "Subject: \(MailWords.encode(self.content.subject, after: "Subject: ".count))",
            // Ours, so that whoever finds the mail finds the message.
            "Message-ID: <\(self.reference)@\(self.from.address.domain)>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: \(body.encoding)",
            // Keeps answering machines silent (RFC 3834).
            "Auto-Submitted: auto-generated",
        ]
        return Array((fields.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body.bytes
    }

    private var sender: String {
        let address = "<\(self.from.address.address)>"
        guard let name = self.from.name, !name.isEmpty else { return address }
        let isPlain =
            name.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C } && name.utf8.count <= 60
        let shown = isPlain ? "\"\(name)\"" : MailWords.encode(name, after: "From: ".count)
        // An encoded name may end a long line.
        return isPlain ? "\(shown) \(address)" : "\(shown)\r\n \(address)"
    }
}

extension Timestamp {
    /// As in `Sat, 21 Nov 2026 19:50:30 +0000`.
    var mailDate: String {
        let (date, time) = self.fields
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        // 1970-01-01 was a Thursday.
        let day = Int((self.seconds / 86_400) % 7)
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return "\(days[(day + 7) % 7]), \(date.day) \(months[date.month - 1]) \(date.year) "
            + "\(two(time.hour)):\(two(time.minute)):\(two(time.second)) +0000"
    }
}

/// Text in a field (RFC 2047).
enum MailWords {
    /// The text as it is where that is allowed, and in encoded words otherwise, folded behind `used` characters of the first
    /// line.
    static func encode(_ text: String, after used: Int) -> String {
        let line = String(String.UnicodeScalarView(text.unicodeScalars.map { Self.breaks($0) ? " " : $0 }))
        let isPlain = line.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !line.contains("=?")
        let trimmed = line.utf8.first == 0x20 || line.utf8.last == 0x20
        if isPlain, !trimmed, line.utf8.count + used <= 76 { return line }
        return Self.words(line).joined(separator: "\r\n ")
    }

    /// Bytes of text in one encoded word: with what stands around them below its 75 characters, and below 76 in a line.
    private static let wordByteLimit = 39

    /// Whole characters only: a word must not end within one.
    private static func words(_ text: String) -> [String] {
        var words: [[UInt8]] = [[]]
        for character in text {
            for piece in Self.pieces(of: character) {
                if words[words.count - 1].count + piece.count > Self.wordByteLimit { words.append([]) }
                words[words.count - 1] += piece
            }
        }
        return words.map { "=?utf-8?B?\(Base64.encode($0))?=" }
    }

    /// A character of many scalars may be longer than a word; its scalars are not.
    private static func pieces(of character: Character) -> [[UInt8]] {
        let bytes = Array(character.utf8)
        return bytes.count <= self.wordByteLimit ? [bytes] : character.unicodeScalars.map { Array(String($0).utf8) }
    }

    private static func breaks(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

/// A body in the shorter of the two encodings that any server carries.
struct MailBody {
    let encoding: String
    /// In lines of at most 76 characters, each with CRLF at its end.
    let bytes: [UInt8]

    init(_ text: String) {
        let lines = Self.lines(Array(text.utf8))
        let unprintable = lines.joined().count { !(0x20...0x7E).contains($0) || $0 == 0x3D }
        // Three characters a byte here, four for three bytes there.
        if unprintable * 6 <= lines.joined().count {
            self.encoding = "quoted-printable"
            self.bytes = lines.flatMap { Self.quoted($0) + Self.lineEnd }
        } else {
            self.encoding = "base64"
            let encoded = Array(Base64.encode(lines.flatMap { $0 + Self.lineEnd }).utf8)
            self.bytes = stride(from: 0, to: encoded.count, by: 76).flatMap { start in
                encoded[start..<min(start + 76, encoded.count)] + Self.lineEnd
            }
        }
    }

    private static let lineEnd: [UInt8] = [0x0D, 0x0A]

    /// Whatever ends lines.
    private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        var previous: UInt8 = 0
        for byte in bytes {
            if byte == 0x0D || byte == 0x0A && previous != 0x0D {
                lines.append([])
            } else if byte != 0x0A {
                lines[lines.count - 1].append(byte)
            }
            previous = byte
        }
        // A line end at the end ends the last line, and begins none.
        if lines.count > 1, lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// RFC 2045 section 6.7.
    private static func quoted(_ line: [UInt8]) -> [UInt8] {
        var quoted: [UInt8] = []
        var length = 0
        for (index, byte) in line.enumerated() {
            let isLast = index == line.count - 1
            let isPlain = (0x21...0x7E).contains(byte) && byte != 0x3D || byte == 0x20 && !isLast
            let piece = isPlain ? [byte] : Array("=\(Self.hex(byte))".utf8)
            // One place is left for the mark that the line goes on.
            if length + piece.count > 75 {
                quoted += Array("=\r\n".utf8)
                length = 0
            }
            quoted += piece
            length += piece.count
        }
        return quoted
    }

    private static func hex(_ byte: UInt8) -> String { Hex.encode([byte]).uppercased() }
}
