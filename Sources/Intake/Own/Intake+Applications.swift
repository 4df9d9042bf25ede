import HTTP
import JSON
import Messaging
import Postgres
import Store
import Verification

extension Intake {
    func answerApplications(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch request.method {
        case "POST": try await self.createApplication(request, for: self.principal(of: request, with: .manage))
        case "GET", "HEAD": try await self.applications(of: self.principal(of: request, with: .read, .manage))
        default: throw .methodNotAllowed("GET, POST")
        }
    }

    func answerApplication(_ id: String?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch request.method {
        case "GET", "HEAD":
            let principal = try self.principal(of: request, with: .read, .manage)
            return Self.ok(try await self.application(id, of: principal).json)
        case "PATCH": return try await self.updateApplication(id, request)
        default: throw .methodNotAllowed("GET, PATCH")
        }
    }

    /// How often a change that others got ahead of is begun anew.
    static let changeLimit = 20

    // MARK: - Private

    private func applications(of principal: Principal) async throws(Problem) -> HTTPResponse {
        let applications = try await self.ask { () async throws(PostgresError) in
            try await self.store.applications(of: principal.account)
        }
        return Self.ok(["applications": .array(applications.map(\.json))])
    }

    private func application(_ id: String?, of principal: Principal) async throws(Problem) -> StoredApplication {
        guard let id else { throw .notFound }
        let found = try await self.ask { () async throws(PostgresError) in
            try await self.store.application(id, of: principal.account)
        }
        guard let found else { throw .notFound }
        return found
    }

    private func createApplication(
        _ request: HTTPRequest, for principal: Principal
    ) async throws(Problem) -> HTTPResponse {
        let settings = try ApplicationSettings.ownDefaults(name: "").changed(by: request.json, isNew: true)
        while true {
            let result = try await self.ask(changes: true) { () async throws(PostgresError) in
                try await self.store.createApplication(PublicID.make(), settings, of: principal.account)
            }
            switch result {
            case .created(let made): return Self.created(made.json, at: "/v1/applications/\(made.publicID)")
            case .idTaken: continue
            case .tooMany: throw .tooMany("applications in this account", Store.applicationLimit)
            case .noApplication: throw .notFound
            }
        }
    }

    private func updateApplication(_ id: String?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        let principal = try self.principal(of: request, with: .manage)
        let json = try request.json
        for _ in 0..<Self.changeLimit {
            let old = try await self.application(id, of: principal)
            let settings = try old.settings.changed(by: json, isNew: false)
            let changed = try await self.ask(changes: true) { () async throws(PostgresError) in
                try await self.store.updateApplication(
                    old.publicID, settings, of: principal.account, revision: old.revision)
            }
            if let changed { return Self.ok(changed.json) }
        }
        throw .unavailable
    }
}

extension ApplicationSettings {
    fileprivate func changed(by json: JSON, isNew: Bool) throws(Problem) -> ApplicationSettings {
        var reader = FieldReader()
        guard reader.isObject(json, known: ApplicationNames.own.all, at: "") else { throw .invalid(reader.problems) }
        let settings = self.updated(from: json, names: .own, nameRequired: isNew, reader: &reader)
        guard reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return settings
    }
}

extension StoredApplication {
    fileprivate var json: JSON {
        .object(
            [.init("id", .string(self.publicID)), .init("name", .string(self.settings.name))]
                + self.settings.members(names: .own))
    }
}
