import JSON

extension JSON {
    /// A string, an integer or a boolean as text: providers that document strings have been seen to write numbers, and
    /// the other way round. Nil for anything else.
    var scalarText: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): "\(number)"
        case .bool(let value): value ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
