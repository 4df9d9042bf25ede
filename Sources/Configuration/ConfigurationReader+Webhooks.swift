import Callbacks
import Crypto
import JSON
import Messaging
import Telling

extension ConfigurationReader {
    mutating func webhooks(_ json: JSON, at path: String) -> [ConfigurationFile.Webhook] {
        let webhooks = self.elements(json, "webhooks", at: path) { $0.webhook($1, at: $2) }
        var seen: Set<String> = []
        for (index, webhook) in webhooks.enumerated() where !webhook.id.isEmpty {
            guard !seen.insert(webhook.id).inserted else { continue }
            let field = ConfigurationFile.Webhook.idField(of: webhook.kind)
            self.fields.fail("\(path)/webhooks/\(index)/\(field)", "stands twice")
        }
        return webhooks
    }

    // MARK: - Private

    /// Those of Bandwidth's API are named by its messages.
    private static let kinds: [EndpointKind] = [.standard, .infobip, .nexmo]
    private static let methods = ["GET", "POST-FORM", "POST-JSON"]

    /// What webhooks of a kind have beside what all have.
    private static func names(of kind: EndpointKind) -> Set<String> {
        switch kind {
        case .standard: ["id", "secret"]
        case .infobip: ["id", "authorization"]
        case .nexmo: ["api_key", "method", "signature_method", "signature_secret"]
        case .bandwidth: []
        }
    }

    private mutating func webhook(_ json: JSON, at path: String) -> ConfigurationFile.Webhook {
        let known = Self.kinds.map(\.rawValue).joined(separator: ", ")
        let kind = self.fields.parsed(json, "kind", expected: "one of \(known)", at: path) { text in
            EndpointKind(rawValue: text).flatMap { Self.kinds.contains($0) ? $0 : nil }
        }
        let isKnown = kind != nil || self.fields.value(json, "kind", at: path) == nil
        // Of an unknown kind nothing more can be said.
        return self.webhook(isKnown ? json : [:], kind: kind ?? .standard, isKnown: isKnown, at: path)
    }

    private mutating func webhook(
        _ json: JSON, kind: EndpointKind, isKnown: Bool, at path: String
    ) -> ConfigurationFile.Webhook {
        let known = EndpointFields.names.union(["kind", "remove"]).union(Self.names(of: kind))
        _ = self.fields.isObject(json, known: known, at: path)
        let isRemoved = self.fields.flag(json, "remove", at: path) ?? false
        let field = ConfigurationFile.Webhook.idField(of: kind)
        let id =
            !isKnown
            ? ""
            : kind == .nexmo ? self.credentialName(json, field, at: path) : self.name(json, field, at: path)
        return .init(
            id: id, kind: kind,
            fields: EndpointFields(
                // A vendor's is as the file has it, whole; of one of our own kind it may name what changes.
                json, kind: kind, urlRequired: isKnown && !isRemoved && kind != .standard, policy: self.egress,
                at: path,
                reader: &self.fields),
            signingKey: kind == .standard ? self.signingKey(json, at: path) : nil,
            secrets: self.secrets(json, of: kind, at: path), settings: self.settings(json, of: kind, id: id, at: path),
            isRemoved: isRemoved)
    }

    private mutating func signingKey(_ json: JSON, at path: String) -> CallbackSecrets.SigningKey? {
        guard let value = self.fields.value(json, "secret", at: path),
            let secret = self.secret(value, at: "\(path)/secret")
        else { return nil }
        let key = CallbackSecrets.SigningKey(text: secret.text)
        if key == nil, !secret.isEmpty {
            self.fields.fail("\(path)/secret", "must be whsec_ and base64 of 24 to 64 bytes")
        }
        return key
    }

    private mutating func secrets(_ json: JSON, of kind: EndpointKind, at path: String) -> [String: Secret] {
        var secrets: [String: Secret] = [:]
        for name in Self.names(of: kind).intersection(["authorization", "signature_secret"]) {
            guard let value = self.fields.value(json, name, at: path) else { continue }
            secrets[name] = self.secret(value, at: "\(path)/\(name)")
        }
        // It becomes a field of a request.
        if let text = secrets["authorization"]?.text, !text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            self.fields.fail("\(path)/authorization", "must have printable ASCII characters only")
        }
        return secrets
    }

    private mutating func settings(
        _ json: JSON, of kind: EndpointKind, id: String, at path: String
    ) -> [String: String] {
        guard kind == .nexmo else { return [:] }
        var settings = ["api_key": id]
        settings["method"] = self.choice(json, "method", of: Self.methods, at: path)
        let method = self.choice(json, "signature_method", of: CredentialForm.signatureMethods, at: path)
        if self.fields.value(json, "signature_secret", at: path) != nil {
            settings["signature_method"] = method ?? CredentialForm.signatureMethods[0]
        } else if method != nil {
            self.fields.fail("\(path)/signature_method", "needs a signature_secret")
        }
        return settings
    }

    private mutating func choice(_ json: JSON, _ name: String, of words: [String], at path: String) -> String? {
        self.fields.parsed(json, name, expected: "one of \(words.joined(separator: ", "))", at: path) {
            words.contains($0) ? $0 : nil
        }
    }
}
