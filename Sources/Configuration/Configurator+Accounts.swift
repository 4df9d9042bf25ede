import JSON
import Messaging
import Postgres
import Store
import Verification

// What an account has besides its keys.
extension Configurator {
    func apply(
        _ credential: ConfigurationFile.Credential, of owner: Owner, at path: String,
        in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws {
        let stored = try await Store.credential(credential.vendor, named: credential.name, in: transaction)
        if let stored, stored.account != owner.id {
            return progress.fail("\(path)/\(credential.vendor.credentialName)", "is in use already, by another account")
        }
        let sealing = self.sealing(
            credential.secrets, for: credential.vendor.sealingContext(of: credential.name), over: stored?.secrets)
        let new = NewCredential(
            vendor: credential.vendor, name: credential.name, secrets: sealing.kept,
            settings: JSON(credential.settings).text, scopes: credential.scopes, revoked: credential.isRevoked)
        let line = "account \(owner.name), \(credential.vendor.rawValue) credential \(credential.name)"
        let change = try await Store.putCredential(new, of: owner.id, in: transaction)
        if let words = Self.words(for: change, asked: credential.isRevoked) { progress.changed("\(line): \(words)") }
        guard let renewed = sealing.renewed else { return }
        let secrets = SealedSecrets(owner: .credential(credential.vendor, credential.name), sealed: renewed)
        try await Store.putSealed(secrets, in: transaction)
        progress.changed("\(line): sealed anew")
    }

    func apply(
        _ content: ConfigurationFile.NumberedContent, of owner: Owner, in transaction: borrowing Transaction,
        _ progress: inout Progress
    ) async throws {
        if try await Store.putEmailContent(content.number, content.content, of: owner.id, in: transaction) {
            progress.changed("account \(owner.name), e-mail content \(content.number): set")
        }
    }

    /// What the file does not name stays as it is stored, or is as our own API has it.
    func apply(
        _ application: ConfigurationFile.Application, of owner: Owner, at path: String,
        in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws {
        let stored = try await Store.application(application.id, of: owner.id, in: transaction)
        var reader = FieldReader()
        let settings = (stored?.settings ?? .ownDefaults(name: "")).updated(
            from: application.fields, names: .own, nameRequired: stored == nil, at: path, reader: &reader)
        guard reader.problems.isEmpty else { return progress.problems += reader.problems }
        if stored?.settings != settings {
            let problem = try await Self.put(application.id, settings, over: stored, of: owner.id, in: transaction)
            if let problem { return progress.fail("\(path)/id", problem) }
            progress.changed("account \(owner.name), application \(application.id): set")
        }
        for (index, template) in application.templates.enumerated() {
            let place = "\(path)/templates/\(index)"
            try await self.apply(template, of: application.id, owner, at: place, in: transaction, &progress)
        }
    }

    // MARK: - Private

    /// What was in the way, or nil.
    private static func put(
        _ id: String, _ settings: ApplicationSettings, over stored: StoredApplication?, of account: AccountID,
        in transaction: borrowing Transaction
    ) async throws -> String? {
        if let stored {
            let changed = try await Store.updateApplication(
                id, settings, of: account, revision: stored.revision, in: transaction)
            return changed == nil ? Self.overtaken : nil
        }
        switch try await Store.createApplication(id, settings, of: account, in: transaction) {
        case .created: return nil
        case .tooMany: return "is one too many: an account has at most \(Store.applicationLimit) applications"
        case .idTaken, .noApplication: return Self.overtaken
        }
    }

    /// The customer's own programs make and change applications and templates too.
    private static let overtaken = "was changed by somebody else at the same time: apply the file again"

    private func apply(
        _ template: ConfigurationFile.Template, of application: String, _ owner: Owner, at path: String,
        in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws {
        let stored = try await Store.template(template.id, of: application, account: owner.id, in: transaction)
        if let stored, stored.template.kind != template.kind {
            return progress.fail("\(path)/kind", "cannot change: this is a template of kind \(stored.template.kind)")
        }
        var reader = FieldReader()
        let new = Template(
            template.fields, kind: template.kind, over: stored?.template, names: .own,
            defaultLength: CodeFormat.ownLength, at: path, reader: &reader)
        guard let new else { return progress.problems += reader.problems }
        guard stored?.template != new else { return }
        let problem = try await Self.put(
            template.id, new, over: stored, of: application, owner.id, in: transaction)
        if let problem { return progress.fail("\(path)/id", problem) }
        progress.changed("account \(owner.name), application \(application), template \(template.id): set")
    }

    /// What was in the way, or nil.
    private static func put(
        _ id: String, _ new: Template, over stored: StoredTemplate?, of application: String, _ account: AccountID,
        in transaction: borrowing Transaction
    ) async throws -> String? {
        if let stored {
            let changed = try await Store.updateTemplate(
                id, from: stored.template, to: new, of: application, account: account, in: transaction)
            return changed == nil ? Self.overtaken : nil
        }
        switch try await Store.createTemplate(id, new, of: application, account: account, in: transaction) {
        case .created: return nil
        case .idTaken: return "is in use already, in another application"
        case .tooMany: return "is one too many: an application has at most \(Store.templateLimit) templates"
        case .noApplication: return Self.overtaken
        }
    }
}
