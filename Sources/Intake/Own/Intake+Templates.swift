import HTTP
import JSON
import Messaging
import Postgres
import Store
import Verification

extension Intake {
    func answerTemplates(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch request.method {
        case "POST": try await self.createTemplate(request, for: self.principal(of: request, with: .manage))
        case "GET", "HEAD": try await self.templates(request, of: self.principal(of: request, with: .read, .manage))
        default: throw .methodNotAllowed("GET, POST")
        }
    }

    func answerTemplate(_ id: String?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch request.method {
        case "GET", "HEAD":
            let principal = try self.principal(of: request, with: .read, .manage)
            return Self.ok(try await self.template(id, of: principal).json)
        case "PATCH": return try await self.updateTemplate(id, request)
        default: throw .methodNotAllowed("GET, PATCH")
        }
    }

    // MARK: - Private

    private func templates(_ request: HTTPRequest, of principal: Principal) async throws(Problem) -> HTTPResponse {
        let application = try TemplateReader.application(of: request.parameters)
        let (found, templates) = try await self.ask { () async throws(PostgresError) in
            (
                try await self.store.application(application, of: principal.account),
                try await self.store.templates(of: application, account: principal.account)
            )
        }
        guard found != nil else { throw .noApplication(at: "application") }
        return Self.ok(["templates": .array(templates.map(\.json))])
    }

    private func template(_ id: String?, of principal: Principal) async throws(Problem) -> StoredTemplate {
        guard let id else { throw .notFound }
        let found = try await self.ask { () async throws(PostgresError) in
            try await self.store.template(id, account: principal.account)
        }
        guard let found else { throw .notFound }
        return found
    }

    private func createTemplate(_ request: HTTPRequest, for principal: Principal) async throws(Problem) -> HTTPResponse
    {
        let (application, template) = try TemplateReader.new(request.json)
        while true {
            let result = try await self.ask(changes: true) { () async throws(PostgresError) in
                try await self.store.createTemplate(
                    PublicID.make(), template, of: application, account: principal.account)
            }
            switch result {
            case .created(let made): return Self.created(made.json, at: "/v1/templates/\(made.publicID)")
            case .idTaken: continue
            case .tooMany: throw .tooMany("templates in this application", Store.templateLimit)
            case .noApplication: throw .noApplication(at: "/application")
            }
        }
    }

    private func updateTemplate(_ id: String?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        let principal = try self.principal(of: request, with: .manage)
        let json = try request.json
        for _ in 0..<Self.changeLimit {
            let old = try await self.template(id, of: principal)
            let template = try TemplateReader.changed(old.template, by: json)
            let changed = try await self.ask(changes: true) { () async throws(PostgresError) in
                try await self.store.updateTemplate(
                    old.publicID, from: old.template, to: template, of: old.applicationPublicID,
                    account: principal.account)
            }
            if let changed { return Self.ok(changed.json) }
        }
        throw .unavailable
    }
}

extension StoredTemplate {
    fileprivate var json: JSON {
        let place: [JSON.Member] = [
            .init("id", .string(self.publicID)), .init("application", .string(self.applicationPublicID)),
        ]
        return .object(place + self.template.members)
    }
}
