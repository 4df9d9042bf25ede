import Crypto
import JSON
import Messaging
import Verification

/// What a vendor's credentials consist of. A vendor whose keys stand alone has none: those are an account's `keys`.
struct CredentialForm {
    /// The field that says whose it is.
    var name: String
    var secret: String
    var settings: Set<String> = []
    /// A second secret, for signing, and the field that says how.
    var signature: (secret: String, method: String)?
    /// The field with the words that a code is sent in.
    var template: String?

    var fields: Set<String> {
        let fields = [self.name, self.secret, self.signature?.secret, self.signature?.method, self.template]
            .compactMap { $0 }
        return self.settings.union(fields).union(["vendor", "scopes", "revoked"])
    }

    static let all: [Vendor: CredentialForm] = [
        .infobip: CredentialForm(name: "username", secret: "password"),
        .bandwidth: CredentialForm(name: "username", secret: "password", settings: ["account"]),
        .nexmo: CredentialForm(
            name: "api_key", secret: "api_secret", signature: ("signature_secret", "signature_method"),
            template: "template"),
    ]

    /// As in the vendor's dashboard; the first is its default, and a hash and no HMAC.
    static let signatureMethods = ["md5hash", "md5", "sha1", "sha256", "sha512"]
}

extension Vendor {
    /// The field of a file that holds the name of one of its credentials, and the secret that goes with it.
    var credentialName: String { CredentialForm.all[self]?.name ?? "name" }
}

extension ConfigurationReader {
    mutating func credential(_ json: JSON, at path: String) -> ConfigurationFile.Credential {
        let known = CredentialForm.all.keys.map(\.rawValue).sorted().joined(separator: ", ")
        let expected = "one of \(known); keys that stand alone belong into keys"
        let vendor = self.fields.parsed(json, "vendor", expected: expected, required: true, at: path) { text in
            Vendor(rawValue: text).flatMap { CredentialForm.all[$0] == nil ? nil : $0 }
        }
        guard let vendor, let form = CredentialForm.all[vendor] else {
            return .init(vendor: .infobip, name: "", secrets: [:], settings: [:], scopes: [])
        }
        _ = self.fields.isObject(json, known: form.fields, at: path)
        return .init(
            vendor: vendor, name: self.credentialName(json, form.name, at: path),
            secrets: self.secrets(json, form, at: path), settings: self.settings(json, form, at: path),
            scopes: self.scopes(json, at: path), isRevoked: self.fields.flag(json, "revoked", at: path))
    }

    /// No two accounts may show the same.
    mutating func refuseDoubledCredentials(of accounts: [ConfigurationFile.Account]) {
        var seen: Set<[String]> = []
        for (index, account) in accounts.enumerated() {
            for (number, credential) in account.credentials.enumerated() where !credential.name.isEmpty {
                guard !seen.insert([credential.vendor.rawValue, credential.name]).inserted else { continue }
                let field = credential.vendor.credentialName
                self.fields.fail("/accounts/\(index)/credentials/\(number)/\(field)", "stands twice")
            }
        }
    }

    // MARK: - Private

    /// Without a colon, which ends a user name in Basic authentication (RFC 7617 section 2).
    mutating func credentialName(_ json: JSON, _ member: String, at path: String) -> String {
        self.fields.parsed(
            json, member, expected: "1 to 255 printable ASCII characters without spaces and colons", required: true,
            at: path
        ) { text in
            let isName = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }
            return isName && (1...255).contains(text.utf8.count) ? text : nil
        } ?? ""
    }

    private mutating func secrets(_ json: JSON, _ form: CredentialForm, at path: String) -> [String: Secret] {
        var secrets: [String: Secret] = [:]
        for name in [form.secret, form.signature?.secret].compactMap({ $0 }) {
            guard let value = self.fields.value(json, name, required: name == form.secret, at: path) else { continue }
            secrets[name] = self.secret(value, at: "\(path)/\(name)")
        }
        return secrets
    }

    private mutating func settings(_ json: JSON, _ form: CredentialForm, at path: String) -> [String: String] {
        var settings: [String: String] = [:]
        for name in form.settings.sorted() { settings[name] = self.name(json, name, at: path) }
        if let template = form.template { settings[template] = self.template(json, template, at: path) }
        guard let signature = form.signature else { return settings }
        let methods = CredentialForm.signatureMethods
        let method = self.fields.parsed(
            json, signature.method, expected: "one of \(methods.joined(separator: ", "))", at: path
        ) { methods.contains($0) ? $0 : nil }
        if self.fields.value(json, signature.secret, at: path) != nil {
            settings[signature.method] = method ?? methods[0]
        } else if method != nil {
            self.fields.fail("\(path)/\(signature.method)", "needs a \(signature.secret)")
        }
        return settings
    }

    /// Like the text of an application's template.
    private mutating func template(_ json: JSON, _ member: String, at path: String) -> String? {
        let limit = TemplateLimits.textCharacters
        guard let text = self.fields.string(json, member, characters: limit, at: path) else { return nil }
        if !TextPattern(text).hasCode { self.fields.fail("\(path)/\(member)", "must contain {{pin}}") }
        return text
    }
}
