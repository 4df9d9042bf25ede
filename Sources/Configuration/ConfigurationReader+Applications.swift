import JSON
import Verification

// Applications, their templates and the words of e-mails. What a file says of an application goes over what is stored, which
// only the database knows, so all but what is required is checked here, and the rest when it is applied.
extension ConfigurationReader {
    mutating func applications(_ json: JSON, at path: String) -> [ConfigurationFile.Application] {
        let known = ApplicationNames.own.all.union(["id", "templates"])
        let applications = self.elements(json, "applications", at: path, known: known) { $0.application($1, at: $2) }
        self.refuseDoubled(applications.map(\.id), "id", at: "\(path)/applications")
        self.refuseDoubledTemplates(of: applications, at: "\(path)/applications")
        return applications
    }

    mutating func emailContents(_ json: JSON, at path: String) -> [ConfigurationFile.NumberedContent] {
        let contents = self.elements(json, "email_contents", at: path, known: ["number", "subject", "text"]) {
            $0.emailContent($1, at: $2)
        }
        // Zero stands for what could not be read.
        let numbers = contents.map { $0.number > 0 ? "\($0.number)" : "" }
        self.refuseDoubled(numbers, "number", at: "\(path)/email_contents")
        return contents
    }

    // MARK: - Private

    private mutating func application(_ json: JSON, at path: String) -> ConfigurationFile.Application {
        _ = ApplicationSettings.ownDefaults(name: "")
            .updated(from: json, names: .own, nameRequired: false, at: path, reader: &self.fields)
        return .init(
            id: self.name(json, "id", at: path), fields: json,
            templates: self.elements(json, "templates", at: path) { $0.template($1, at: $2) })
    }

    private mutating func template(_ json: JSON, at path: String) -> ConfigurationFile.Template {
        let kinds = Template.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        let kind = self.fields.parsed(json, "kind", expected: "one of \(kinds)", at: path, Template.Kind.init)
        let id = self.name(json, "id", at: path)
        let isKnown = kind != nil || self.fields.value(json, "kind", at: path) == nil
        let fields = kind == .email ? json : self.withOwnMarks(json, at: path)
        // Of an unknown kind nothing more can be said.
        if isKnown, let fields { self.check(fields, kind: kind ?? .text, at: path) }
        return .init(id: id, kind: kind ?? .text, fields: fields ?? json)
    }

    /// A text template without its `syntax`, its marks written as ours. Nil when a problem was noted.
    private mutating func withOwnMarks(_ json: JSON, at path: String) -> JSON? {
        guard self.fields.value(json, "syntax", at: path) != nil else { return json }
        let syntax = self.fields.parsed(json, "syntax", expected: "bind", at: path) { $0 == "bind" ? $0 : nil }
        guard syntax != nil else { return nil }
        var members = (json.members ?? []).filter { $0.name != "syntax" }
        guard let place = members.firstIndex(where: { $0.name == "text" }), let text = members[place].value.string
        else { return .object(members) }
        guard let pattern = TextPattern(bindText: text), pattern.hasCode else {
            self.fields.fail("\(path)/text", "must contain ${code}, and no marks in braces without a dollar sign")
            return nil
        }
        members[place].value = .string(pattern.text)
        return .object(members)
    }

    private mutating func check(_ json: JSON, kind: Template.Kind, at path: String) {
        let known = TemplateNames.own.all(of: kind).union(["id", "kind"])
        _ = self.fields.isObject(json, known: known, at: path)
        _ = Template(
            json, kind: kind, over: Self.whole(kind), names: .own, defaultLength: CodeFormat.ownLength, at: path,
            reader: &self.fields)
    }

    /// A template that lacks nothing, in the place of the stored one.
    private static func whole(_ kind: Template.Kind) -> Template {
        let format = CodeFormat(length: CodeFormat.ownLength)
        switch kind {
        case .text: return .text(TextTemplate(format: format, text: EmailContent.standard.text))
        case .email: return .email(EmailTemplate(format: format))
        }
    }

    private mutating func emailContent(_ json: JSON, at path: String) -> ConfigurationFile.NumberedContent {
        let number = self.fields.integer(
            json, "number", in: TemplateLimits.contentNumbers, required: true, at: path)
        // An e-mail template with words of its own has the same two fields and rules.
        let template = EmailTemplate(
            json, names: .own, defaultLength: CodeFormat.ownLength, at: path, reader: &self.fields)
        let content = EmailContent(
            subject: template?.subject ?? TextPattern(""), text: template?.text ?? TextPattern(""))
        return .init(number: number ?? 0, content: content)
    }

    /// A template's id is the account's: no two applications may have the same.
    private mutating func refuseDoubledTemplates(of applications: [ConfigurationFile.Application], at path: String) {
        var seen: Set<String> = []
        for (index, application) in applications.enumerated() {
            for (number, template) in application.templates.enumerated() where !template.id.isEmpty {
                guard !seen.insert(template.id).inserted else { continue }
                self.fields.fail("\(path)/\(index)/templates/\(number)/id", "stands twice")
            }
        }
    }
}
