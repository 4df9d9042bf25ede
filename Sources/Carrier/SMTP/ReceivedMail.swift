import Crypto
import Messaging

/// What a mail shows to whoever opens it; written apart from what we send mails with, so that one checks the other.
struct ReceivedMail {
    var from = ""
    var subject = ""
    var messageID = ""
    var text = ""

    init(_ message: [UInt8]) {
        let lines = message.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
        }
        let head = lines.prefix { !$0.isEmpty }
        var fields: [(name: String, value: String)] = []
        for line in head {
            if line.first == " " || line.first == "\t", !fields.isEmpty {
                fields[fields.count - 1].value += line
            } else if let colon = line.firstIndex(of: ":") {
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                fields.append((line[..<colon].lowercased(), String(value)))
            }
        }
        let field = { (name: String) in fields.first { $0.name == name }?.value ?? "" }
        self.from = Self.words(field("from"))
        self.subject = Self.words(field("subject"))
        self.messageID = field("message-id").filter { $0 != "<" && $0 != ">" }
        self.text = Self.body(Array(lines.dropFirst(head.count + 1)), field("content-transfer-encoding").lowercased())
    }

    private static func body(_ lines: [String], _ encoding: String) -> String {
        switch encoding {
        case "base64":
            let bytes = Base64.decode(lines.joined()) ?? []
            return self.withoutEnd(String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n"))
        case "quoted-printable": return self.withoutEnd(self.unquoted(lines))
        default: return self.withoutEnd(lines.joined(separator: "\n"))
        }
    }

    private static func withoutEnd(_ text: String) -> String { text.hasSuffix("\n") ? String(text.dropLast()) : text }

    private static func unquoted(_ lines: [String]) -> String {
        var bytes: [UInt8] = []
        for line in lines {
            var rest = Array(line.utf8)[...]
            var goesOn = false
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "=") else {
                    bytes.append(byte)
                    continue
                }
                goesOn = rest.isEmpty
                if let value = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self)) { bytes += value }
                rest = rest.dropFirst(2)
            }
            if !goesOn { bytes.append(0x0A) }
        }
        // The last line end is that of the split.
        return String(decoding: bytes.last == 0x0A ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }

    /// With encoded words (RFC 2047) decoded; the blanks between two of them mean nothing.
    private static func words(_ text: String) -> String {
        var bytes: [UInt8] = []
        var previousWasEncoded = false
        for word in text.split(separator: " ") {
            let pieces = word.split(separator: "?", omittingEmptySubsequences: false)
            let isEncoded = pieces.count == 5 && pieces[0] == "=" && pieces[4] == "=" && pieces[2].uppercased() == "B"
            if !bytes.isEmpty, !(isEncoded && previousWasEncoded) { bytes.append(0x20) }
            bytes += isEncoded ? Base64.decode(pieces[3]) ?? [] : Array(word.utf8)
            previousWasEncoded = isEncoded
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
