import HTTP
import JSON

/// What a request gives, wherever it stands (dialects.md section 4.1): in its query and in its body, which goes before it.
struct NexmoParameters {
    /// Parameters in one request.
    static let limit = 100

    private var values: [String: String] = [:]

    /// Nil when they cannot be read, hold a NUL, which PostgreSQL cannot store, or are too many.
    init?(_ request: HTTPRequest) {
        guard let query = Form(parsing: request.query ?? ""), let body = Self.pairs(in: request.body) else {
            return nil
        }
        for pair in body + query.pairs {
            guard !pair.name.utf8.contains(0), !pair.value.utf8.contains(0) else { return nil }
            if self.values[pair.name] == nil { self.values[pair.name] = pair.value }
            guard self.values.count <= Self.limit else { return nil }
        }
    }

    /// Nil for one that is empty, too.
    subscript(_ name: String) -> String? { self.values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// All of them, as they are signed.
    var form: Form { Form(self.values.map { ($0.key, $0.value) }) }

    // MARK: - Private

    /// A body is what it looks like: the vendor's SDKs send forms as `application/json`, and others JSON as forms.
    private static func pairs(in body: [UInt8]) -> [(name: String, value: String)]? {
        let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        switch first {
        case nil: return []
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard let json = try? JSON(parsing: body) else { return nil }
            // PHP writes an object without members so.
            if json.array == [] { return [] }
            return json.members?.compactMap { member in member.value.nexmoText.map { (member.name, $0) } }
        default: return Form(parsing: body)?.pairs
        }
    }
}

extension JSON {
    /// What a value is as a text; nil for null, and for what is no single value.
    fileprivate var nexmoText: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): "\(number)"
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
