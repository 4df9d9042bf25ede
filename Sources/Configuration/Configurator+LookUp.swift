import Channels
import JSON
import Messaging
import Postgres
import Store

extension Configurator {
    /// What the credentials are bound to.
    static let lookUpContext = "look_up/credentials"

    func apply(
        _ lookUp: ConfigurationFile.LookUp, in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws {
        guard !lookUp.isRemoved else {
            if try await Store.removeLookUp(in: transaction) { progress.changed("look-up: removed") }
            return try await Store.forgetLookUps(in: transaction)
        }
        var (id, kind) = (nil as ProviderID?, lookUp.kind)
        var provider: ProviderSecrets.LookUpProvider?
        if let name = lookUp.provider {
            let found = try await Store.provider(named: name, in: transaction)
            id = found?.id
            provider = found.map { .init(name: name, kind: $0.kind, url: $0.url, credentials: $0.credentials) }
            kind = found.flatMap { LookUpKind(providerKind: $0.kind)?.rawValue }
            if let problem = Self.problem(found?.kind, kind) { progress.fail("/look_up/provider", problem) }
        }
        guard let kind, let known = LookUpKind(rawValue: kind) else { return }
        let stored = try await Store.lookUp(in: transaction)
        let sealing = self.sealing(lookUp.credentials, for: Self.lookUpContext, over: stored?.credentials)
        let new = StoredLookUp(
            provider: id, kind: kind, url: lookUp.url ?? "", credentials: sealing.renewed ?? sealing.kept,
            settings: JSON(lookUp.settings).text, maxAge: lookUp.maxAge, timeLimit: lookUp.timeLimit)
        do {
            _ = try ProviderSecrets.numberDirectory(for: new, known, of: provider, masterKeys: self.masterKeys)
        } catch let error as ProviderProblems {
            for problem in error.problems { progress.fail("/look_up", problem) }
            return
        }
        // What somebody else has answered is nothing to go by.
        if stored.map({ $0.provider != new.provider || $0.kind != new.kind || $0.url != new.url }) ?? false {
            try await Store.forgetLookUps(in: transaction)
        }
        if try await Store.putLookUp(new, in: transaction) { progress.changed("look-up by \(kind): set") }
    }

    private static func problem(_ providerKind: String?, _ kind: String?) -> String? {
        guard providerKind != nil else { return "there is no such provider" }
        let known = LookUpKind.allCases.map(\.rawValue).joined(separator: ", ")
        return kind == nil ? "looks no numbers up; \(known) do" : nil
    }
}
