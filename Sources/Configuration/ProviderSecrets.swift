public import Channels
public import Crypto
import JSON
import Messaging
public import Store

/// Why a stored provider cannot be used.
public enum ProviderSecretsError: Error, CustomStringConvertible {
    case unknownKind(String)
    /// The credentials were sealed under another master key, or for another provider.
    case sealed

    public var description: String {
        switch self {
        case .unknownKind(let kind): "this version knows no providers of the kind \(kind)"
        case .sealed: "its credentials do not open with this master key; apply the file again, or give the right key"
        }
    }
}

/// Turns what is stored of a provider into its driver.
public enum ProviderSecrets {
    /// What a provider's credentials are bound to.
    static func context(of name: String) -> String { "provider/\(name)/credentials" }

    /// The driver of a stored provider. `receiptBaseURL` is where providers reach the receiver.
    public static func driver(
        for provider: StoredProvider, masterKeys: MasterKeys, receiptBaseURL: String?
    ) throws -> any Driver {
        guard let kind = ProviderKind(rawValue: provider.kind) else {
            throw ProviderSecretsError.unknownKind(provider.kind)
        }
        return try Drivers.make(
            ProviderAccount(
                id: provider.id, name: provider.name, kind: kind, baseURL: provider.url,
                credentials: try Self.credentials(of: provider, masterKeys: masterKeys),
                receiptURL: receiptBaseURL.map { "\($0)/receipts/\(provider.name)" }, defaultSender: provider.sender,
                settings: Self.texts(in: Array(provider.settings.utf8)), codes: provider.codes))
    }

    /// Whom a stored look-up asks.
    public static func numberDirectory(
        for lookUp: StoredLookUp, among providers: [StoredProvider], masterKeys: MasterKeys
    ) throws -> any NumberDirectory {
        guard let kind = LookUpKind(rawValue: lookUp.kind) else {
            throw ProviderSecretsError.unknownKind(lookUp.kind)
        }
        let provider = providers.first { $0.id == lookUp.provider }.map {
            LookUpProvider(name: $0.name, kind: $0.kind, url: $0.url, credentials: $0.credentials)
        }
        return try Self.numberDirectory(for: lookUp, kind, of: provider, masterKeys: masterKeys)
    }

    /// The provider whose account is used to look numbers up.
    struct LookUpProvider {
        var name: String
        var kind: String
        var url: String
        var credentials: [UInt8]

        /// Nil where the usual one, which may be another than that of look-ups.
        var ownURL: String? { self.url == ProviderKind(rawValue: self.kind)?.defaultBaseURL ? nil : self.url }
    }

    static func numberDirectory(
        for lookUp: StoredLookUp, _ kind: LookUpKind, of provider: LookUpProvider?, masterKeys: MasterKeys
    ) throws -> any NumberDirectory {
        let credentials = try Self.credentials(of: lookUp, provider, kind, masterKeys)
        let url = lookUp.url.isEmpty ? provider?.ownURL ?? kind.defaultBaseURL ?? "" : lookUp.url
        return try kind.make(
            ProviderAccount(
                id: ProviderID(rawValue: 0), name: "look_up", kind: .discard, baseURL: url, credentials: credentials,
                settings: Self.texts(in: Array(lookUp.settings.utf8))))
    }

    /// Its own, or those of the provider that are of use.
    private static func credentials(
        of lookUp: StoredLookUp, _ provider: LookUpProvider?, _ kind: LookUpKind, _ masterKeys: MasterKeys
    ) throws -> Credentials {
        if let provider {
            let theirs = try Self.credentials(provider.credentials, of: provider.name, masterKeys: masterKeys)
            let used = theirs.names.filter(kind.credentialNames.contains)
            return Credentials(
                Dictionary(uniqueKeysWithValues: used.compactMap { name in theirs[name].map { (name, $0) } }))
        }
        guard let plain = try? masterKeys.open(lookUp.credentials, for: Configurator.lookUpContext) else {
            throw ProviderSecretsError.sealed
        }
        return Credentials(Self.texts(in: plain).mapValues { Secret($0) })
    }

    private static func credentials(of provider: StoredProvider, masterKeys: MasterKeys) throws -> Credentials {
        try Self.credentials(provider.credentials, of: provider.name, masterKeys: masterKeys)
    }

    private static func credentials(
        _ sealed: [UInt8], of name: String, masterKeys: MasterKeys
    ) throws -> Credentials {
        guard let plain = try? masterKeys.open(sealed, for: Self.context(of: name)) else {
            throw ProviderSecretsError.sealed
        }
        return Credentials(Self.texts(in: plain).mapValues { Secret($0) })
    }

    private static func texts(in bytes: [UInt8]) -> [String: String] {
        let members = (try? JSON(parsing: bytes))?.members ?? []
        return Dictionary(members.map { ($0.name, $0.value.string ?? "") }) { $1 }
    }
}
