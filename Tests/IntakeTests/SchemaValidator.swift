import JSON
import Messaging
import Timestamps

/// The part of JSON Schema (2020-12) that our description uses. A word that is not known is a problem: it would pass for
/// anything otherwise.
struct SchemaValidator: Sendable {
    /// What references point into.
    let document: JSON

    /// What is wrong with a value, each with its place.
    func problems(in value: JSON, schema: JSON, at path: String = "") -> [String] {
        (schema.members ?? []).flatMap { word in
            self.problems(in: value, word: word.name, argument: word.value, schema: schema, at: path)
        }
    }

    /// Of a header field, whose value is a text whatever its type.
    func problems(inText text: String, schema: JSON) -> [String] {
        let value = schema["type"] == "integer" ? Int64(text).map(JSON.integer) ?? .string(text) : .string(text)
        return self.problems(in: value, schema: schema)
    }

    /// What a reference points at; anything else is itself.
    func resolved(_ json: JSON) -> JSON {
        guard let reference = json["$ref"]?.string else { return json }
        return reference.split(separator: "/").dropFirst().reduce(self.document) { $0[String($1)] ?? .null }
    }

    // MARK: - Private

    private func problems(
        in value: JSON, word: String, argument: JSON, schema: JSON, at path: String
    ) -> [String] {
        switch word {
        case "description", "default", "examples": return []
        case "$ref":
            let target = self.resolved(schema)
            return target.isNull
                ? ["\(path): \(argument.text) points nowhere"] : self.problems(in: value, schema: target, at: path)
        case "type":
            let types = argument.array ?? [argument]
            return types.contains { value.isOf($0.string ?? "") }
                ? [] : ["\(path): is \(value.kind), not \(argument.text)"]
        case "const": return value == argument ? [] : ["\(path): is not \(argument.text)"]
        case "enum": return argument.array?.contains(value) == true ? [] : ["\(path): is none of \(argument.text)"]
        case "oneOf", "anyOf": return self.problems(in: value, of: argument, exactlyOne: word == "oneOf", at: path)
        case "properties", "required", "additionalProperties", "maxProperties":
            return self.problems(inMembers: value, word: word, argument: argument, schema: schema, at: path)
        case "items":
            return (value.array ?? []).enumerated().flatMap {
                self.problems(in: $0.element, schema: argument, at: "\(path)/\($0.offset)")
            }
        default:
            return value.breaks(word, argument).map { $0 ? ["\(path): breaks \(word)"] : [] } ?? ["unknown: \(word)"]
        }
    }

    private func problems(in value: JSON, of schemas: JSON, exactlyOne: Bool, at path: String) -> [String] {
        let results = (schemas.array ?? []).map { self.problems(in: value, schema: $0, at: path) }
        let count = results.count(where: \.isEmpty)
        if count == 1 || (count > 1 && !exactlyOne) { return [] }
        return ["\(path): is \(count) of \(results.count): \(results.joined().joined(separator: "; "))"]
    }

    private func problems(
        inMembers value: JSON, word: String, argument: JSON, schema: JSON, at path: String
    ) -> [String] {
        guard let members = value.members else { return [] }
        switch word {
        case "properties":
            return members.flatMap { member in
                argument[member.name].map { self.problems(in: member.value, schema: $0, at: "\(path)/\(member.name)") }
                    ?? []
            }
        case "required":
            return (argument.array ?? []).compactMap(\.string).filter { value[$0] == nil }.map {
                "\(path): lacks \($0)"
            }
        case "additionalProperties":
            return members.filter { schema["properties"]?[$0.name] == nil }.flatMap { member in
                argument == false
                    ? ["\(path): has \(member.name)"]
                    : self.problems(in: member.value, schema: argument, at: "\(path)/\(member.name)")
            }
        default: return members.count > Int(argument.integer ?? 0) ? ["\(path): has too many members"] : []
        }
    }
}

extension JSON {
    fileprivate func isOf(_ type: String) -> Bool {
        switch (self, type) {
        case (.null, "null"), (.bool, "boolean"), (.integer, "integer"), (.integer, "number"), (.number, "number"),
            (.string, "string"), (.array, "array"), (.object, "object"):
            true
        default: false
        }
    }

    /// Whether the value is not as a word wants it, which says nothing of values of other kinds; nil for an unknown word.
    fileprivate func breaks(_ word: String, _ argument: JSON) -> Bool? {
        switch word {
        case "minimum": self.amount.map { $0 < argument.amount ?? .infinity } ?? false
        case "maximum": self.amount.map { $0 > argument.amount ?? -.infinity } ?? false
        case "minLength": self.string.map { $0.unicodeScalars.count < argument.integer ?? .max } ?? false
        case "maxLength": self.string.map { $0.unicodeScalars.count > argument.integer ?? 0 } ?? false
        case "minItems": self.array.map { $0.count < argument.integer ?? .max } ?? false
        case "maxItems": self.array.map { $0.count > argument.integer ?? 0 } ?? false
        case "pattern": self.string.map { !$0.matches(argument.string ?? "") } ?? false
        case "format": self.string.map { !$0.isOf(format: argument.string ?? "") } ?? false
        default: nil
        }
    }

    private var amount: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension String {
    fileprivate func matches(_ pattern: String) -> Bool {
        guard let regex = try? Regex(pattern) else { return false }
        return self.firstMatch(of: regex) != nil
    }

    fileprivate func isOf(format: String) -> Bool {
        switch format {
        case "uuid": MessageID(self) != nil && self == self.lowercased()
        case "date-time": Timestamp(self) != nil
        default: false
        }
    }
}
