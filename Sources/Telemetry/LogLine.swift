import Timestamps

/// Builds one line. Values are escaped, so that no value can end a line or pass for another field.
struct LogLine {
    /// Bytes of one value; what is longer is cut and marked.
    static let valueByteLimit = 2048

    private let format: Logger.Format
    private var bytes: [UInt8] = []

    init(format: Logger.Format) {
        self.format = format
        self.bytes.reserveCapacity(256)
    }

    mutating func begin(time: Timestamp, level: Logger.Level, label: String, message: StaticString) {
        switch self.format {
        case .text:
            self.bytes.append(contentsOf: "\(time) \(level.name) \(label) ".utf8)
            self.bytes.append(contentsOf: message.description.utf8)
        case .json:
            self.bytes.append(contentsOf: #"{"time":"\#(time)","level":"\#(level.name)""#.utf8)
            self.append("label", label)
            self.append("message", message.description)
        }
    }

    mutating func append(_ name: StaticString, _ value: String) {
        switch self.format {
        case .text:
            self.bytes.append(UInt8(ascii: " "))
            self.bytes.append(contentsOf: name.description.utf8)
            self.bytes.append(UInt8(ascii: "="))
            if Self.needsQuotes(value) { self.quote(value) } else { self.bytes.append(contentsOf: value.utf8) }
        case .json:
            self.bytes.append(UInt8(ascii: ","))
            self.quote(name.description)
            self.bytes.append(UInt8(ascii: ":"))
            self.quote(value)
        }
    }

    func finished() -> [UInt8] {
        self.bytes + (self.format == .json ? "}\n" : "\n").utf8
    }

    // MARK: - Private

    private static func needsQuotes(_ value: String) -> Bool {
        value.isEmpty || value.utf8.count > Self.valueByteLimit
            || value.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == 0xC2 || $0 == 0xE2 || isSpecial($0) }
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "=")
    }

    /// A JSON string (RFC 8259 section 7), which serves the text form too. Control characters of every kind are escaped,
    /// among them U+0085, U+2028 and U+2029, which some viewers take for the end of a line.
    private mutating func quote(_ value: String) {
        self.bytes.append(UInt8(ascii: "\""))
        var room = Self.valueByteLimit
        for scalar in value.unicodeScalars {
            room -= UTF8.width(scalar)
            guard room >= 0 else {
                self.bytes.append(contentsOf: "…".utf8)
                break
            }
            self.quote(scalar)
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    private mutating func quote(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"", "\\":
            self.bytes.append(UInt8(ascii: "\\"))
            self.bytes.append(UInt8(ascii: scalar))
        case "\n": self.bytes.append(contentsOf: #"\n"#.utf8)
        case "\r": self.bytes.append(contentsOf: #"\r"#.utf8)
        case "\t": self.bytes.append(contentsOf: #"\t"#.utf8)
        case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
            let digits = String(scalar.value, radix: 16)
            self.bytes.append(contentsOf: #"\u"#.utf8)
            self.bytes.append(contentsOf: String(repeating: "0", count: 4 - digits.count).utf8)
            self.bytes.append(contentsOf: digits.utf8)
        default: UTF8.encode(scalar).map { self.bytes.append(contentsOf: $0) }
        }
    }
}
