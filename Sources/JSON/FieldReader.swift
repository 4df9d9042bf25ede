/// What is wrong in one place of a JSON text. Never a value from it: it may be a secret or a number.
public struct JSONProblem: Sendable, Hashable {
    /// A JSON Pointer (RFC 6901).
    public var path: String
    public var problem: String

    public init(_ path: String, _ problem: String) {
        self.path = path
        self.problem = problem
    }
}

/// Reads the members of objects and finds every problem on the way: a read never fails, it notes what is wrong and returns
/// nil, and whoever asked uses nothing before it has looked at ``problems``. Null counts as absent.
public struct FieldReader {
    public private(set) var problems: [JSONProblem] = []

    /// Problems told in one answer.
    public static let problemLimit = 50

    public init() {}

    public mutating func fail(_ path: String, _ problem: String) {
        guard self.problems.count < Self.problemLimit else { return }
        self.problems.append(JSONProblem(path, problem))
    }

    /// Whether `json` is an object; notes when it is not, and each member that is not `known`. Nil lets all pass.
    public mutating func isObject(_ json: JSON, known: Set<String>? = nil, at path: String) -> Bool {
        guard let members = json.members else {
            self.fail(path, "must be an object, not \(json.kind)")
            return false
        }
        guard let known else { return true }
        for member in members where !known.contains(member.name) {
            self.fail("\(path)/\(Self.escaped(member.name))", "is not a field here")
        }
        return true
    }

    /// A string without NUL, which PostgreSQL cannot store, of so many characters.
    public mutating func string(
        _ json: JSON, _ name: String, characters: ClosedRange<Int>? = nil, required: Bool = false, at path: String
    ) -> String? {
        guard let value = self.value(json, name, required: required, at: path) else { return nil }
        guard let text = value.string else {
            self.fail("\(path)/\(name)", "must be a string, not \(value.kind)")
            return nil
        }
        guard !text.utf8.contains(0) else {
            self.fail("\(path)/\(name)", "must not hold a NUL")
            return nil
        }
        guard characters?.contains(text.unicodeScalars.count) ?? true else {
            let range = characters ?? 0...0
            self.fail("\(path)/\(name)", "must have \(range.lowerBound) to \(range.upperBound) characters")
            return nil
        }
        return text
    }

    /// A string that `parse` makes something of; `expected` says what it must be.
    public mutating func parsed<Value>(
        _ json: JSON, _ name: String, expected: String, required: Bool = false, at path: String,
        _ parse: (String) -> Value?
    ) -> Value? {
        guard let text = self.string(json, name, required: required, at: path) else { return nil }
        let value = parse(text)
        if value == nil { self.fail("\(path)/\(name)", "must be \(expected)") }
        return value
    }

    public mutating func flag(_ json: JSON, _ name: String, at path: String) -> Bool? {
        guard let value = self.value(json, name, at: path) else { return nil }
        if value.bool == nil { self.fail("\(path)/\(name)", "must be true or false, not \(value.kind)") }
        return value.bool
    }

    public mutating func integer(
        _ json: JSON, _ name: String, in range: ClosedRange<Int64>, required: Bool = false, at path: String
    ) -> Int64? {
        guard let value = self.value(json, name, required: required, at: path) else { return nil }
        guard let number = value.integer else {
            self.fail("\(path)/\(name)", "must be an integer, not \(value.kind)")
            return nil
        }
        guard range.contains(number) else {
            self.fail("\(path)/\(name)", "must be between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return number
    }

    public mutating func number(
        _ json: JSON, _ name: String, in range: ClosedRange<Double>, at path: String
    ) -> Double? {
        guard let value = self.value(json, name, at: path) else { return nil }
        let number: Double? =
            switch value {
            case .integer(let number): Double(number)
            case .number(let number): number
            default: nil
            }
        guard let number, range.contains(number) else {
            self.fail("\(path)/\(name)", "must be a number between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return number
    }

    /// A member that is there and not null.
    public mutating func value(_ json: JSON, _ name: String, required: Bool = false, at path: String) -> JSON? {
        if let value = json[name], !value.isNull { return value }
        if required { self.fail("\(path)/\(name)", "is required") }
        return nil
    }

    /// A name as a reference token of a JSON Pointer (RFC 6901 section 3), cut where a stranger's name is long.
    public static func escaped(_ name: String) -> String {
        var escaped = String.UnicodeScalarView()
        // Scalars: one Character may be a whole body of accents.
        for scalar in name.unicodeScalars.prefix(64) {
            switch scalar {
            case "~": escaped += "~0".unicodeScalars
            case "/": escaped += "~1".unicodeScalars
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
