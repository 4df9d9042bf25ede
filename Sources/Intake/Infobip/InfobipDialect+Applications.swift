import HTTP
import JSON
import Messaging
import Postgres
import Store
import Verification

/// Operations 1 to 4.
extension InfobipDialect {
    func listApplications(_ account: AccountID) async throws(InfobipError) -> JSON {
        let applications = try await self.ask { () async throws(PostgresError) in
            try await self.store.applications(of: account)
        }
        return .array(applications.map(\.infobip))
    }

    func showApplication(_ id: String, _ account: AccountID) async throws(InfobipError) -> JSON {
        try await self.application(id, account).infobip
    }

    func createApplication(_ request: HTTPRequest, _ account: AccountID) async throws(InfobipError) -> JSON {
        let json = Self.inVersion2(try Self.object(in: request))
        let settings = try Self.reading { reader in
            ApplicationSettings(name: "").updated(from: json, names: .infobip, nameRequired: true, reader: &reader)
        }
        for _ in 0..<Self.roundLimit {
            let made = try await self.ask(changes: true) { () async throws(PostgresError) in
                try await self.store.createApplication(PublicID.make(), settings, of: account)
            }
            switch made {
            case .created(let application): return application.infobip
            case .tooMany: throw .badRequest("There can be no more than \(Store.applicationLimit) applications.")
            case .idTaken, .noApplication: continue
            }
        }
        throw .unavailable
    }

    /// What the request does not name stays; its SDK names all members of a configuration that it sends at all.
    func updateApplication(
        _ id: String, _ request: HTTPRequest, _ account: AccountID
    ) async throws(InfobipError) -> JSON {
        let json = Self.inVersion2(try Self.object(in: request))
        // Over nothing first: what is wrong is told before what is missing.
        _ = try Self.reading { ApplicationSettings(name: "").updated(from: json, reader: &$0) }
        for _ in 0..<Self.roundLimit {
            let old = try await self.application(id, account)
            let settings = try Self.reading { old.settings.updated(from: json, reader: &$0) }
            let changed = try await self.ask(changes: true) { () async throws(PostgresError) in
                try await self.store.updateApplication(id, settings, of: account, revision: old.revision)
            }
            if let changed { return changed.infobip }
        }
        throw .unavailable
    }

    func application(_ id: String, _ account: AccountID) async throws(InfobipError) -> StoredApplication {
        let application = try await self.ask { () async throws(PostgresError) in
            try await self.store.application(id, of: account)
        }
        guard let application else { throw .notFound }
        return application
    }

    /// Version 1 counted the time to live in milliseconds.
    private static func inVersion2(_ json: JSON) -> JSON {
        guard let milliseconds = json["configuration"]?["pinTimeToLive"]?.integer else { return json }
        return json.replacing("configuration") { $0.replacing("pinTimeToLive") { _ in "\(milliseconds)ms" } }
    }
}

extension ApplicationSettings {
    fileprivate func updated(from json: JSON, reader: inout FieldReader) -> ApplicationSettings {
        self.updated(from: json, names: .infobip, nameRequired: false, reader: &reader)
    }
}

extension StoredApplication {
    fileprivate var infobip: JSON {
        let names: [JSON.Member] = [
            .init("applicationId", .string(self.publicID)), .init("name", .string(self.settings.name)),
        ]
        return .object(names + self.settings.members(names: .infobip))
    }
}

extension JSON {
    /// The object with another value in the place of a member; itself when it has none of this name.
    func replacing(_ name: String, _ change: (JSON) -> JSON) -> JSON {
        guard let members = self.members else { return self }
        return .object(members.map { $0.name == name ? Member(name, change($0.value)) : $0 })
    }
}
