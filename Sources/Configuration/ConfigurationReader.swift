import Channels
import Crypto
import Egress
import Guard
import JSON
import Messaging
import Timestamps

/// Reads a ``ConfigurationFile`` out of JSON and collects every problem on the way.
struct ConfigurationReader {
    var fields = FieldReader()
    private let environment: [String: String]

    /// Where customers may have us call.
    let egress: EgressPolicy

    init(environment: [String: String], egress: EgressPolicy) {
        self.environment = environment
        self.egress = egress
    }

    var problems: [JSONProblem] { self.fields.problems }

    mutating func read(_ json: JSON) -> ConfigurationFile {
        var file = ConfigurationFile()
        guard self.fields.isObject(json, known: Self.topFields, at: "") else {
            return file
        }
        file.accounts = self.elements(json, "accounts", known: Self.accountFields) { $0.account($1, at: $2) }
        file.providers = self.elements(json, "providers", known: Self.providerFields) { $0.provider($1, at: $2) }
        file.routes = self.elements(json, "routes", known: Self.routeFields) { $0.route($1, at: $2) }
        file.prices = self.elements(json, "prices", known: Self.priceFields) { $0.price($1, at: $2) }
        file.lookUp = self.lookUp(json)
        file.retention = self.retention(json)
        self.refuseDoubled(file.accounts.map(\.name), "name", at: "/accounts")
        self.refuseDoubled(file.providers.map(\.name), "name", at: "/providers")
        self.refuseDoubledKeys(of: file.accounts)
        self.refuseDoubledCredentials(of: file.accounts)
        self.refuseDoubled(file.routes.map(\.place), at: "/routes")
        self.refuseDoubled(file.prices.map { [$0.account, $0.channel.rawValue, $0.prefix] }, at: "/prices")
        return file
    }

    // MARK: - Parts

    private static let topFields: Set = ["accounts", "providers", "routes", "prices", "look_up", "retention"]

    private static let accountFields: Set = [
        "name", "currency", "top_ups", "keys", "credentials", "webhooks", "applications", "email_contents",
        GuardPolicy.countriesField, GuardPolicy.guardField,
    ]

    private mutating func account(_ json: JSON, at path: String) -> ConfigurationFile.Account {
        let keys = self.elements(json, "keys", at: path, known: Self.keyFields) { $0.key($1, at: $2) }
        self.refuseDoubled(keys.map(\.name), "name", at: "\(path)/keys")
        return .init(
            name: self.name(json, at: path), currency: self.currency(json, at: path),
            topUps: self.topUps(json, at: path), keys: keys,
            credentials: self.elements(json, "credentials", at: path) { $0.credential($1, at: $2) },
            webhooks: self.webhooks(json, at: path), applications: self.applications(json, at: path),
            emailContents: self.emailContents(json, at: path), guardFields: self.guardFields(json, at: path))
    }

    /// Those that are there, as they stand.
    private mutating func guardFields(_ json: JSON, at path: String) -> JSON {
        _ = GuardPolicy(json, at: path, reader: &self.fields)
        return .object(
            [GuardPolicy.countriesField, GuardPolicy.guardField].compactMap { name in
                json[name].flatMap { $0.isNull ? nil : JSON.Member(name, $0) }
            })
    }

    private static let keyFields: Set = ["name", "key", "scopes", "expires_at", "revoked"]

    private mutating func key(_ json: JSON, at path: String) -> ConfigurationFile.Key {
        let secret = json["key"].flatMap { self.secret($0, at: "\(path)/key") }
        if let secret, !APIKey.isWellFormed(secret.text) {
            self.fields.fail(
                "\(path)/key",
                "must have 20 to 128 printable ASCII characters without spaces; "
                    + "one that begins with pinpost_ must be whole")
        }
        return .init(
            name: self.name(json, at: path), secret: secret, scopes: self.scopes(json, at: path),
            expiresAt: self.time(json, "expires_at", at: path),
            isRevoked: self.fields.flag(json, "revoked", at: path))
    }

    mutating func scopes(_ json: JSON, at path: String) -> [String] {
        guard let value = json["scopes"] else { return ConfigurationFile.scopes.sorted() }
        let scopes = value.array?.compactMap(\.string) ?? []
        guard !scopes.isEmpty, scopes.count == value.array?.count,
            scopes.allSatisfy(ConfigurationFile.allScopes.contains)
        else {
            self.fields.fail(
                "\(path)/scopes", "must be an array of \(ConfigurationFile.allScopes.joined(separator: ", "))")
            return []
        }
        return Set(scopes).sorted()
    }

    private static let providerFields: Set = [
        "name", "kind", "url", "credentials", "settings", "sender", "in_flight", "per_second", "rate_unit", "timeout",
        "slow_after_ms", "receipt_window", "codes", "enabled",
    ]

    private mutating func provider(_ json: JSON, at path: String) -> ConfigurationFile.Provider {
        let known = ProviderKind.allCases.map(\.rawValue).joined(separator: ", ")
        let kind = self.fields.parsed(
            json, "kind", expected: "one of \(known)", required: true, at: path, ProviderKind.init)
        let url = self.fields.string(json, "url", at: path) ?? kind?.defaultBaseURL
        if url == nil, kind != nil { self.fields.fail("\(path)/url", "is required for this kind of provider") }
        let provider = ConfigurationFile.Provider(
            name: self.name(json, at: path), kind: kind?.rawValue ?? "", url: url ?? "",
            credentials: self.credentials(json, at: path), settings: self.settings(json, at: path),
            sender: self.fields.string(json, "sender", at: path),
            inFlight: self.number(json, "in_flight", in: 1...10_000, default: 32, at: path),
            perSecond: self.number(json, "per_second", in: 1...1_000_000, default: 30, at: path),
            rateUnit: self.fields.parsed(
                json, "rate_unit", expected: "messages or segments", at: path, RateUnit.init(rawValue:)),
            timeout: .seconds(self.number(json, "timeout", in: 1...60, default: 10, at: path)),
            slowAfter: .milliseconds(self.number(json, "slow_after_ms", in: 50...60_000, default: 1200, at: path)),
            receiptWindow: self.fields.integer(json, "receipt_window", in: 60...691_200, at: path).map { .seconds($0) },
            codes: self.codes(json, at: path),
            isEnabled: self.fields.flag(json, "enabled", at: path) ?? true)
        if let kind, url != nil { self.check(provider, kind: kind, at: path) }
        return provider
    }

    /// Lines as the built-in tables have them; the driver says what is wrong with one.
    private mutating func codes(_ json: JSON, at path: String) -> String {
        guard let value = self.fields.value(json, "codes", at: path) else { return "" }
        let lines = value.array?.compactMap(\.string) ?? []
        guard lines.count == value.array?.count, lines.count <= ConfigurationFile.codeLimit,
            !lines.contains(where: { $0.contains("\n") })
        else {
            self.fields.fail(
                "\(path)/codes",
                "must be an array of at most \(ConfigurationFile.codeLimit) lines "
                    + "\"kind,code,state,permanence,action,reason\"")
            return ""
        }
        return lines.joined(separator: "\n")
    }

    /// Has the driver say what it lacks, before anything is stored.
    private mutating func check(_ provider: ConfigurationFile.Provider, kind: ProviderKind, at path: String) {
        let account = ProviderAccount(
            id: ProviderID(rawValue: 0), name: provider.name, kind: kind, baseURL: provider.url,
            credentials: Credentials(provider.credentials), defaultSender: provider.sender, settings: provider.settings,
            codes: provider.codes)
        do throws(ProviderProblems) {
            _ = try Drivers.make(account)
        } catch {
            for problem in error.problems { self.fields.fail(path, problem) }
        }
    }

    mutating func credentials(_ json: JSON, at path: String) -> [String: Secret] {
        guard let value = json["credentials"] else { return [:] }
        guard let members = value.members else {
            self.fields.fail("\(path)/credentials", "must be an object of names and secrets")
            return [:]
        }
        var credentials: [String: Secret] = [:]
        for member in members {
            credentials[member.name] = self.secret(member.value, at: "\(path)/credentials/\(member.name)")
        }
        return credentials
    }

    mutating func settings(_ json: JSON, at path: String) -> [String: String] {
        guard let value = json["settings"] else { return [:] }
        guard let members = value.members, members.allSatisfy({ $0.value.string != nil }) else {
            self.fields.fail("\(path)/settings", "must be an object of names and texts")
            return [:]
        }
        return Dictionary(members.map { ($0.name, $0.value.string ?? "") }) { $1 }
    }

    /// Which messages something is for.
    mutating func place(_ json: JSON, what: String, at path: String) -> (channel: Channel, prefix: String) {
        let channels = Channel.allCases.map(\.rawValue).joined(separator: ", ")
        let channel = self.fields.parsed(json, "channel", expected: "one of \(channels)", at: path, Channel.init)
        let prefix = self.fields.parsed(
            json, "prefix", expected: "empty or a plus sign and 1 to 15 digits", at: path
        ) { PhoneNumber.isPrefix($0) ? $0 : nil }
        if channel == .email, prefix?.isEmpty == false {
            self.fields.fail("\(path)/prefix", "is for numbers; \(what) for email has none")
        }
        return (channel ?? .sms, prefix ?? "")
    }

    // MARK: - Values

    /// A text, or `{"env": "NAME"}` for the value of an environment variable of the process that applies the file.
    mutating func secret(_ json: JSON, at path: String) -> Secret? {
        if let text = json.string {
            if text.isEmpty { self.fields.fail(path, "must not be empty") }
            return Secret(text)
        }
        guard let members = json.members, members.count == 1, let name = json["env"]?.string else {
            self.fields.fail(path, #"must be a text, or {"env": "NAME"} for an environment variable"#)
            return nil
        }
        guard let value = self.environment[name], !value.isEmpty else {
            self.fields.fail(path, "the environment variable \(name) is not set")
            return nil
        }
        return Secret(value)
    }

    /// What something is called: an account by its `name`, an application by its `id`. Empty when it is no name.
    mutating func name(_ json: JSON, _ member: String = "name", at path: String) -> String {
        self.fields.parsed(
            json, member, expected: "1 to 64 letters, digits, and the characters - _ .", required: true, at: path
        ) { (1...64).contains($0.utf8.count) && $0.utf8.allSatisfy(Self.isNameCharacter) ? $0 : nil } ?? ""
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    mutating func number(
        _ json: JSON, _ name: String, in range: ClosedRange<Int64>, default fallback: Int32, at path: String
    ) -> Int32 {
        self.fields.integer(json, name, in: range, at: path).map { Int32($0) } ?? fallback
    }

    private mutating func time(_ json: JSON, _ name: String, at path: String) -> Timestamp? {
        self.fields.parsed(json, name, expected: "a time in RFC 3339, as in 2026-11-21T09:15:00Z", at: path) {
            Timestamp($0)
        }
    }

    /// The objects of an array, each read with its path. A nil `known` leaves it to `read` to refuse strange fields.
    mutating func elements<Value>(
        _ json: JSON, _ name: String, at path: String = "", known: Set<String>? = nil,
        _ read: (inout Self, JSON, String) -> Value
    ) -> [Value] {
        guard let value = self.fields.value(json, name, at: path) else { return [] }
        guard let elements = value.array else {
            self.fields.fail("\(path)/\(name)", "must be an array, not \(value.kind)")
            return []
        }
        return elements.enumerated().map { index, element in
            let place = "\(path)/\(name)/\(index)"
            if self.fields.isObject(element, known: known, at: place) { return read(&self, element, place) }
            // What is no object lacks every field: that it is none has been told, and is enough.
            var other = self
            return read(&other, [:], place)
        }
    }

    // MARK: - What stands twice

    /// A key says whose request it is, so no two may be the same.
    private mutating func refuseDoubledKeys(of accounts: [ConfigurationFile.Account]) {
        var seen: Set<[UInt8]> = []
        for (index, account) in accounts.enumerated() {
            for (number, key) in account.keys.enumerated() {
                guard let digest = key.secret.map({ APIKey.digest($0.text) }) else { continue }
                guard !seen.insert(digest).inserted else { continue }
                self.fields.fail("/accounts/\(index)/keys/\(number)/key", "stands twice")
            }
        }
    }

    /// Of two that say different things the last would hold, and applying the file again would change both each time.
    private mutating func refuseDoubled<Place: Hashable>(_ places: [Place], at path: String) {
        var seen: Set<Place> = []
        for (index, place) in places.enumerated() where !self.hasProblem(within: "\(path)/\(index)") {
            if !seen.insert(place).inserted { self.fields.fail("\(path)/\(index)", "stands twice") }
        }
    }

    /// What could not be read is not as it was written, so nothing more can be said of it.
    private func hasProblem(within path: String) -> Bool {
        self.problems.contains { $0.path == path || $0.path.hasPrefix("\(path)/") }
    }

    mutating func refuseDoubled(_ names: [String], _ member: String, at path: String) {
        var seen: Set<String> = []
        for (index, name) in names.enumerated() where !name.isEmpty && !seen.insert(name).inserted {
            self.fields.fail("\(path)/\(index)/\(member)", "stands twice")
        }
    }
}
