import HTTP
import JSON
import Messaging
import Postgres
import Store
import Verification

/// Operations 5 to 10.
extension InfobipDialect {
    /// Those of every channel, as they were made.
    func listTemplates(of application: String, _ account: AccountID) async throws(InfobipError) -> JSON {
        let templates = try await self.ask { () async throws(PostgresError) in
            try await self.store.templates(of: application, account: account)
        }
        if templates.isEmpty { _ = try await self.application(application, account) }
        return .array(templates.map(\.infobip))
    }

    func showTemplate(
        _ id: String, of application: String, _ account: AccountID
    ) async throws(InfobipError) -> JSON {
        try await self.template(id, of: application, account).infobip
    }

    func createTemplate(
        _ kind: Template.Kind, of application: String, _ request: HTTPRequest, _ account: AccountID
    ) async throws(InfobipError) -> JSON {
        let template = try Self.template(Self.inVersion2(try Self.object(in: request)), kind, over: nil)
        for _ in 0..<Self.roundLimit {
            let made = try await self.ask(changes: true) { () async throws(PostgresError) in
                try await self.store.createTemplate(PublicID.make(), template, of: application, account: account)
            }
            switch made {
            case .created(let template): return template.infobip
            case .noApplication: throw .notFound
            case .tooMany:
                throw .badRequest("An application can have no more than \(Store.templateLimit) messages.")
            case .idTaken: continue
            }
        }
        throw .unavailable
    }

    /// What the request does not name stays. One of the other kind is not found.
    func updateTemplate(
        _ id: String, _ kind: Template.Kind, of application: String, _ request: HTTPRequest, _ account: AccountID
    ) async throws(InfobipError) -> JSON {
        let json = Self.inVersion2(try Self.object(in: request))
        // Over a blank one first: what is wrong is told before what is missing.
        _ = try Self.template(json, kind, over: kind.blank)
        for _ in 0..<Self.roundLimit {
            let old = try await self.template(id, of: application, account).template
            guard old.kind == kind else { throw .notFound }
            let template = try Self.template(json, kind, over: old)
            let changed = try await self.ask(changes: true) { () async throws(PostgresError) in
                try await self.store.updateTemplate(id, from: old, to: template, of: application, account: account)
            }
            if let changed { return changed.infobip }
        }
        throw .unavailable
    }

    // MARK: - Private

    private func template(
        _ id: String, of application: String, _ account: AccountID
    ) async throws(InfobipError) -> StoredTemplate {
        let template = try await self.ask { () async throws(PostgresError) in
            try await self.store.template(id, of: application, account: account)
        }
        guard let template else { throw .notFound }
        return template
    }

    private static func template(
        _ json: JSON, _ kind: Template.Kind, over old: Template?
    ) throws(InfobipError) -> Template {
        let template = try Self.reading { reader in
            Template(
                json, kind: kind, over: old, names: .infobip, defaultLength: CodeFormat.vendorLength, reader: &reader)
        }
        // It is nil only when a problem was noted, and then `reading` has thrown.
        guard let template else { throw .general }
        return template
    }

    /// Version 1 said `sender`, and let the caller choose what the code takes the place of.
    private static func inVersion2(_ json: JSON) -> JSON {
        guard var members = json.members else { return json }
        if json["senderId"]?.isNull ?? true, let sender = json["sender"] {
            members.removeAll { $0.name == "senderId" }
            members.append(.init("senderId", sender))
        }
        let mark = json["pinPlaceholder"]?.string ?? Self.placeholder
        guard mark != Self.placeholder, (1...Self.markBytes).contains(mark.utf8.count) else { return .object(members) }
        return JSON.object(members).replacing("messageText") { text in
            text.string.map { .string(Self.replacing(mark, in: $0)) } ?? text
        }
    }

    /// Of a mark that the caller chose.
    private static let markBytes = 64

    fileprivate static let placeholder = "{{pin}}"

    private static func replacing(_ mark: String, in text: String) -> String {
        // A longer one is refused, so it is not worth the time.
        guard text.utf8.count <= 4 * TemplateLimits.textCharacters.upperBound else { return text }
        var replaced: [UInt8] = []
        var rest = Array(text.utf8)[...]
        let mark = Array(mark.utf8)
        while let first = rest.first {
            if rest.starts(with: mark) {
                replaced += Self.placeholder.utf8
                rest = rest.dropFirst(mark.count)
            } else {
                replaced.append(first)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: replaced, as: UTF8.self)
    }
}

extension Template.Kind {
    fileprivate var blank: Template {
        let format = CodeFormat(length: CodeFormat.vendorLength)
        return switch self {
        case .text: .text(TextTemplate(format: format, text: TextPattern(InfobipDialect.placeholder)))
        case .email: .email(EmailTemplate(format: format))
        }
    }
}

extension StoredTemplate {
    fileprivate var infobip: JSON {
        let names: [JSON.Member] = [
            .init("messageId", .string(self.publicID)), .init("applicationId", .string(self.applicationPublicID)),
        ]
        switch self.template {
        case .text(let template):
            let placeholder = JSON.Member("pinPlaceholder", .string(InfobipDialect.placeholder))
            return .object(names + [placeholder] + template.members(names: .infobip))
        case .email(let template): return .object(names + template.members(names: .infobip))
        }
    }
}
