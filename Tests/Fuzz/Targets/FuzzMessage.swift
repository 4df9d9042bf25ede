import HTTP

/// An input that is written as a message of HTTP is: a line, fields, an empty line and a body. What is missing is empty, so
/// every input is one, and seeds can be read.
struct FuzzMessage {
    /// The words of the first line.
    let words: [String]
    let fields: HTTPFields
    let body: [UInt8]

    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        self.words = Self.line(&rest).split(separator: " ").map { String($0) }
        var fields = HTTPFields()
        while case let line = Self.line(&rest), !line.isEmpty {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            fields.append(String(line[..<colon]), String(line[colon...].dropFirst().drop { $0 == " " }))
        }
        self.fields = fields
        self.body = Array(rest)
    }

    /// Empty when the first line has fewer.
    func word(_ index: Int) -> String { self.words.indices.contains(index) ? self.words[index] : "" }

    // MARK: - Private

    private static func line(_ rest: inout ArraySlice<UInt8>) -> Substring {
        let line = rest.prefix { $0 != 0x0A }
        rest = rest[line.endIndex...].dropFirst()
        return String(decoding: line, as: UTF8.self)[...]
    }
}
