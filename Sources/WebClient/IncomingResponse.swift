import HTTP

/// A response as it arrives, line by line and piece by piece.
struct IncomingResponse {
    private(set) var fields = HTTPFields()
    private(set) var body: [UInt8] = []
    private(set) var isTooLarge = false
    private var byteCount = 0
    private let byteLimit: Int

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Takes a status line or a field line; false when the response is over its limit.
    mutating func takeLine(_ line: UnsafeRawBufferPointer) -> Bool {
        guard self.count(line) else { return false }
        // An interim response (100, 103) has a head of its own before the real one.
        if line.starts(with: "HTTP/".utf8) {
            self.fields = HTTPFields()
        } else if self.body.isEmpty, let colon = line.firstIndex(of: UInt8(ascii: ":")) {
            self.fields.append(Self.text(line[..<colon]), Self.text(line[(colon + 1)...]))
        }
        return true
    }

    /// Takes a piece of the body; false when the response is over its limit.
    mutating func takeBody(_ piece: UnsafeRawBufferPointer) -> Bool {
        guard self.count(piece) else { return false }
        self.body.append(contentsOf: piece)
        return true
    }

    // MARK: - Private

    private mutating func count(_ bytes: UnsafeRawBufferPointer) -> Bool {
        self.byteCount += bytes.count
        if self.byteCount > self.byteLimit { self.isTooLarge = true }
        return !self.isTooLarge
    }

    /// The text without the spaces and line ends around it.
    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        let trimmed = bytes.drop(while: isSpace)
        let end = trimmed.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? trimmed.startIndex
        return String(decoding: trimmed[..<end], as: UTF8.self)
    }
}
