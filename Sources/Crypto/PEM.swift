/// The textual encoding of keys (RFC 7468).
enum PEM {
    /// The bytes of the first block of the text, when it has one of the labels and no headers: an encrypted key has some.
    static func bytes(in text: String, labels: Set<String>) -> [UInt8]? {
        let lines = text.split(whereSeparator: \.isNewline).map { Self.trimmed($0) }
        guard
            let start = lines.firstIndex(where: { $0.hasPrefix(Self.begin) }),
            let label = labels.first(where: { lines[start] == "\(Self.begin)\($0)-----" }),
            let end = lines[start...].firstIndex(of: "-----END \(label)-----")
        else { return nil }
        return Base64.decode(lines[(start + 1)..<end].joined())
    }

    // MARK: - Private

    private static let begin = "-----BEGIN "

    private static func trimmed(_ line: Substring) -> String {
        var line = line
        while line.last?.isWhitespace == true { line.removeLast() }
        return String(line.drop(while: \.isWhitespace))
    }
}
