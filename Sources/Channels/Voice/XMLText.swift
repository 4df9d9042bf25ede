import Messaging

/// Text as it may stand in an element or an attribute of XML 1.0: what would be markup is escaped, and characters that XML
/// cannot hold are left out.
func xmlText(_ text: String) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": escaped += "&amp;".unicodeScalars
        case "<": escaped += "&lt;".unicodeScalars
        case ">": escaped += "&gt;".unicodeScalars
        case "\"": escaped += "&quot;".unicodeScalars
        case "'": escaped += "&apos;".unicodeScalars
        case "\t", "\n", "\r", "\u{20}"..."\u{7E}", "\u{85}", "\u{A0}"..."\u{D7FF}", "\u{E000}"..."\u{FFFD}",
            "\u{10000}"..."\u{10FFFF}":
            escaped.append(scalar)
        default: break
        }
    }
    return String(escaped)
}

/// The words within markup that sets their pace, where it is not the voice's own.
func pacedXML(_ speech: Speech) -> String {
    let text = xmlText(speech.text)
    guard speech.rate != 1 else { return text }
    return "<prosody rate=\"\(Int((speech.rate * 100).rounded()))%\">\(text)</prosody>"
}
