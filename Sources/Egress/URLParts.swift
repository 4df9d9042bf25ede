/// The parts of an absolute http URL, none of which is judged yet (RFC 3986 section 3).
struct URLParts {
    let isSecure: Bool
    let host: String
    /// True for a host in square brackets, which are not in ``host``.
    let isBracketed: Bool
    let port: UInt16?
    /// Path and query, as they were given; may be empty.
    let rest: String

    var scheme: String { self.isSecure ? "https" : "http" }

    init(_ text: String) throws(CallbackURLProblem) {
        try Self.checkCharacters(text)
        let (isSecure, remains) = try Self.scheme(of: text)
        let end = remains.firstIndex { $0 == "/" || $0 == "?" } ?? remains.endIndex
        let authority = remains[..<end]
        guard !authority.contains("@") else { throw .userInfo }
        (self.host, self.isBracketed, self.port) = try Self.hostAndPort(authority)
        self.isSecure = isSecure
        self.rest = String(remains[end...])
        guard hasWholeEncodings(self.rest.utf8) else { throw .badPercentEncoding }
    }

    // MARK: - Private

    private static func checkCharacters(_ text: String) throws(CallbackURLProblem) {
        guard text.utf8.count <= CallbackURL.byteLimit else { throw .tooLong }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw .notASCII }
        guard text.utf8.allSatisfy(isAllowed) else { throw .forbiddenCharacter }
        guard !text.utf8.contains(UInt8(ascii: "#")) else { throw .fragment }
    }

    private static func scheme(of text: String) throws(CallbackURLProblem) -> (isSecure: Bool, remains: Substring) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { throw .notAbsolute }
        let remains = text[colon...].dropFirst(3)
        switch text[..<colon].lowercased() {
        case "https": return (true, remains)
        case "http": return (false, remains)
        default: throw .scheme
        }
    }

    private static func hostAndPort(
        _ authority: Substring
    ) throws(CallbackURLProblem) -> (host: String, isBracketed: Bool, port: UInt16?) {
        let isBracketed = authority.first == "["
        let behind: String.Index?
        if isBracketed {
            guard let bracket = authority.firstIndex(of: "]") else { throw .host }
            behind = authority.index(after: bracket)
        } else {
            behind = authority.firstIndex(of: ":")
        }
        let host = authority[..<(behind ?? authority.endIndex)]
        guard !host.isEmpty else { throw .notAbsolute }
        let inner = isBracketed ? host.dropFirst().dropLast() : host
        return (String(inner), isBracketed, try Self.port(authority[host.endIndex...]))
    }

    /// Of what stands behind the host: nothing, or a colon and a number.
    private static func port(_ text: Substring) throws(CallbackURLProblem) -> UInt16? {
        guard !text.isEmpty else { return nil }
        guard text.first == ":" else { throw .host }
        guard let port = number(text.dropFirst().utf8, radix: 10, digitLimit: 5), (1...65535).contains(port) else {
            throw .port
        }
        return UInt16(port)
    }
}

/// What a URL may be made of, brackets in a query included, because many programs write them.
private func isAllowed(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) && !forbidden.contains(byte) }

private let forbidden = Set(#"\"<>^`{|}"#.utf8)

/// True when two hexadecimal digits follow every `%`.
private func hasWholeEncodings(_ text: String.UTF8View) -> Bool {
    text.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false).dropFirst().allSatisfy { piece in
        number(piece.prefix(2), radix: 16, digitLimit: 2) != nil && piece.count >= 2
    }
}
