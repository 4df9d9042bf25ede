import HTTP
import JSON
import Messaging
import Verification

/// Reads templates as our own API has them, and finds every problem at once.
enum TemplateReader {
    /// An application's id and its new template.
    static func new(_ json: JSON) throws(Problem) -> (application: String, template: Template) {
        var reader = FieldReader()
        let kind = Self.kind(json, &reader)
        guard reader.isObject(json, known: TemplateNames.own.all(of: kind).union(["application", "kind"]), at: "")
        else {
            throw .invalid(reader.problems)
        }
        let application = reader.string(json, "application", required: true, at: "")
        let template = Self.template(kind, json, lengths: CodeFormat.ownLengths, &reader)
        guard let application, let template, reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return (application, template)
    }

    /// `old` with what `json` names in its place, and without what is null there (RFC 7396).
    static func changed(_ old: Template, by json: JSON) throws(Problem) -> Template {
        var reader = FieldReader()
        guard reader.isObject(json, known: TemplateNames.own.all(of: old.kind), at: "") else {
            throw .invalid(reader.problems)
        }
        // A vendor's API may have made it with a length that ours would not.
        let lengths = json["code_length"] == nil ? CodeFormat.lengths : CodeFormat.ownLengths
        let merged = JSON.object(old.members.filter { $0.name != "kind" }).merged(with: json)
        let template = Self.template(old.kind, merged, lengths: lengths, &reader)
        guard let template, reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return template
    }

    /// The application whose templates are asked for.
    static func application(of query: Form) throws(Problem) -> String {
        let problems = Set(query.pairs.map(\.name)).subtracting(["application"]).sorted()
            .map { JSONProblem($0, "is no parameter of this list") }
        guard problems.isEmpty else { throw .invalid(problems) }
        let values = query.values("application")
        guard values.count == 1, !values[0].utf8.contains(0) else {
            throw .invalid([.init("application", values.isEmpty ? "is required" : "must be given once, as an id")])
        }
        return values[0]
    }

    // MARK: - Private

    private static func kind(_ json: JSON, _ reader: inout FieldReader) -> Template.Kind {
        let known = Template.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        return reader.parsed(json, "kind", expected: "one of \(known)", at: "", Template.Kind.init) ?? .text
    }

    private static func template(
        _ kind: Template.Kind, _ json: JSON, lengths: ClosedRange<Int64>, _ reader: inout FieldReader
    ) -> Template? {
        if let register = json[TemplateNames.own.indiaDLT] { Self.refuseUnknown(register, &reader) }
        return Template(
            json, kind: kind, names: .own, defaultLength: CodeFormat.ownLength, lengths: lengths, reader: &reader)
    }

    private static func refuseUnknown(_ register: JSON, _ reader: inout FieldReader) {
        // What is no object is told of by whoever reads it.
        guard register.members != nil else { return }
        _ = reader.isObject(
            register, known: TemplateNames.own.indiaDLTFields, at: "/\(TemplateNames.own.indiaDLT)")
    }
}

extension Template {
    /// As our own API has them.
    var members: [JSON.Member] { [.init("kind", .string(self.kind.rawValue))] + self.members(names: .own) }
}

extension JSON {
    /// JSON Merge Patch (RFC 7396 section 2).
    func merged(with patch: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var members = self.members ?? []
        for change in changes {
            let place = members.firstIndex { $0.name == change.name }
            let value = (place.map { members[$0].value } ?? .null).merged(with: change.value)
            switch (place, change.value.isNull) {
            case (let place?, true): members.remove(at: place)
            case (let place?, false): members[place].value = value
            case (nil, true): break
            case (nil, false): members.append(.init(change.name, value))
            }
        }
        return .object(members)
    }
}
