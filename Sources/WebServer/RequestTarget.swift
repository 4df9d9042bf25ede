import HTTP

/// The target of a request line, taken before libmicrohttpd splits and decodes it.
struct RequestTarget {
    /// Where it stands in libmicrohttpd's memory; compared, never followed.
    let start: UInt
    let byteCount: Int
    /// Raw; nil when the target may not stand in a request line.
    let path: String?
    let query: String?

    /// Reads the target and then ends its query after the "?": libmicrohttpd would parse it into as many values as a
    /// client likes, and loses the error when they do not fit its memory.
    init(cutting text: UnsafeMutablePointer<CChar>) {
        var count = 0
        var question: Int?
        var isVisible = true
        while text[count] != 0 {
            let byte = UInt8(bitPattern: text[count])
            if byte <= 0x20 || byte >= 0x7F { isVisible = false }
            if byte == UInt8(ascii: "?"), question == nil { question = count }
            count += 1
        }
        self.start = UInt(bitPattern: text)
        self.byteCount = count
        let path = Self.string(text, question ?? count)
        self.path = isVisible ? Self.originForm(path) : nil
        self.query = question.map { Self.string(text + $0 + 1, count - $0 - 1) }
        if let question { text[question + 1] = 0 }
    }

    /// The path of a target in any form a server must take (RFC 9112 section 3.2): "/path", "http://host/path", "*".
    private static func originForm(_ path: String) -> String? {
        if path.utf8.first == UInt8(ascii: "/") || path == "*" { return path }
        for scheme in ["http://", "https://"] where path.prefix(scheme.count).lowercased() == scheme {
            let rest = path.dropFirst(scheme.count)
            guard let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) else { return "/" }
            return String(rest[slash...])
        }
        return nil
    }

    private static func string(_ start: UnsafePointer<CChar>, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
