/// A text with marks, as in `Hello {{name}}, your code is {{pin}}`.
///
/// A mark is two opening braces, a name of letters, digits, `_`, `-` and `.`, and two closing braces; spaces around the name
/// are allowed. Braces that enclose anything else are text.
public struct TextPattern: Sendable, Hashable {
    public let text: String
    private let pieces: [Piece]

    private enum Piece: Sendable, Hashable {
        case text(String)
        case mark(String)
    }

    /// The mark that the code takes the place of.
    public static let codeName = "pin"

    public init(_ text: String) {
        self.text = text
        self.pieces = Self.pieces(of: text)
    }

    /// The names of the marks, the code's not among them, each once and in their order.
    public var placeholders: [String] {
        var names: [String] = []
        for case .mark(let name) in self.pieces where name != Self.codeName && !names.contains(name) {
            names.append(name)
        }
        return names
    }

    public var hasCode: Bool { self.pieces.contains(.mark(Self.codeName)) }

    /// The text with the code and the values in the places of their marks. A value is put in as it is and not read for marks
    /// again. Marks without a value stay; see ``placeholders``.
    public func rendered(code: String, values: [String: String]) -> String {
        var rendered = ""
        for piece in self.pieces {
            switch piece {
            case .text(let text): rendered += text
            case .mark(Self.codeName): rendered += code
            case .mark(let name): rendered += values[name] ?? "{{\(name)}}"
            }
        }
        return rendered
    }

    // MARK: - Private

    private static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var literal = ""
        var rest = text[...]
        while let brace = rest.firstIndex(of: "{") {
            literal += rest[..<brace]
            rest = rest[brace...]
            if let (name, end) = Self.mark(at: rest) {
                if !literal.isEmpty { pieces.append(.text(literal)) }
                pieces.append(.mark(name))
                literal = ""
                rest = rest[end...]
            } else {
                literal.append(rest.removeFirst())
            }
        }
        literal += rest
        if !literal.isEmpty { pieces.append(.text(literal)) }
        return pieces
    }

    /// The name of the mark that `text` begins with, and where the mark ends.
    private static func mark(at text: Substring) -> (name: String, end: String.Index)? {
        let opened = text.dropFirst(2)
        guard text.hasPrefix("{{"), let close = opened.firstIndex(of: "}") else { return nil }
        guard opened[close...].hasPrefix("}}") else { return nil }
        let name = String(opened[..<close].drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        guard Self.isName(name) else { return nil }
        return (name, text.index(close, offsetBy: 2))
    }

    static let nameCharacters = 1...64

    /// Whether a placeholder may be called so.
    public static func isName(_ name: String) -> Bool {
        self.nameCharacters.contains(name.utf8.count)
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
