import Callbacks
import Crypto
import JSON
import Messaging
import Postgres
import Store
import Telling
import Timestamps

extension Configurator {
    /// What the file does not name of one stays as it is stored, but for what goes with a vendor's kind, which is as the file has it.
    func apply(
        _ webhook: ConfigurationFile.Webhook, of owner: Owner, at path: String,
        in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws {
        let line = "account \(owner.name), webhook \(webhook.id)"
        let stored = try await Store.endpoint(webhook.id, of: owner.id, in: transaction)
        if let stored, stored.settings.kind != webhook.kind {
            return progress.fail("\(path)/kind", "cannot change: this is a webhook of kind \(stored.settings.kind)")
        }
        guard !webhook.isRemoved else {
            let isGone = try await Store.deleteEndpoint(webhook.id, of: owner.id, in: transaction)
            if isGone { progress.changed("\(line): removed") }
            return
        }
        if stored == nil, webhook.fields.url == nil {
            return progress.fail("\(path)/url", "is required for a new webhook")
        }
        if webhook.kind == .nexmo,
            try await Store.credential(.nexmo, named: webhook.id, in: transaction)?.account != owner.id
        {
            return progress.fail("\(path)/api_key", "is that of no nexmo credential of this account")
        }
        guard let secrets = self.secrets(of: webhook, over: stored, of: owner, &progress) else {
            return progress.fail(
                "\(path)/secret", "is required: what is stored does not open with this master key")
        }
        var settings = stored?.settings ?? EndpointSettings(webhook.kind)
        settings.change(by: webhook.fields)
        settings.settings = JSON(webhook.settings).text
        let sealing = self.sealing(
            secrets.json, for: webhook.kind.sealingContext(account: owner.id, publicID: webhook.id),
            over: stored?.settings.secrets)
        settings.secrets = secrets == CallbackSecrets() ? nil : sealing.renewed ?? sealing.kept
        switch try await Store.putEndpoint(webhook.id, settings, of: owner.id, in: transaction) {
        case .none: break
        case .made, .changed: progress.changed("\(line): \(sealing.renewed == nil ? "set" : "sealed anew")")
        case .tooMany:
            let field = ConfigurationFile.Webhook.idField(of: webhook.kind)
            progress.fail(
                "\(path)/\(field)", "is one too many: an account has at most \(Store.endpointLimit) webhooks")
        }
    }

    // MARK: - Private

    /// Nil when those that are to stay do not open.
    private func secrets(
        of webhook: ConfigurationFile.Webhook, over stored: StoredEndpoint?, of owner: Owner, _ progress: inout Progress
    ) -> CallbackSecrets? {
        guard webhook.kind == .standard else { return CallbackSecrets(fields: webhook.secrets.mapValues(\.text)) }
        let context = webhook.kind.sealingContext(account: owner.id, publicID: webhook.id)
        let opened = stored?.settings.secrets.flatMap {
            CallbackSecrets(opening: $0, with: self.masterKeys, for: context)
        }
        if let key = webhook.signingKey {
            guard let opened, opened.signingKeys.first != key else {
                return opened ?? CallbackSecrets(signingKeys: [key])
            }
            // The receiver gets time to learn it, as it does when the API makes a new one.
            return opened.rotated(to: key, at: .now, overlap: CallbackSecrets.overlap)
                ?? CallbackSecrets(signingKeys: [key])
        }
        guard stored == nil else { return opened }
        let made = CallbackSecrets.SigningKey.make()
        progress.report.madeSecrets.append((owner.name, webhook.id, Secret(made.text)))
        return CallbackSecrets(signingKeys: [made])
    }
}
