import Channels
import Crypto
import JSON
import Messaging
import Timestamps

/// Reads a ``ConfigurationFile`` out of JSON and collects every problem on the way.
struct ConfigurationReader {
    private(set) var problems: [ConfigurationProblems.Problem] = []
    private let environment: [String: String]

    init(environment: [String: String]) { self.environment = environment }

    mutating func read(_ json: JSON) -> ConfigurationFile {
        var file = ConfigurationFile()
        guard self.isObject(json, at: "", fields: ["accounts", "providers", "routes"]) else { return file }
        file.accounts = self.elements(json, "accounts") { $0.account($1, at: $2) }
        file.providers = self.elements(json, "providers") { $0.provider($1, at: $2) }
        file.routes = self.elements(json, "routes") { $0.route($1, at: $2) }
        self.refuseDoubled(file.accounts.map(\.name), at: "/accounts")
        self.refuseDoubled(file.providers.map(\.name), at: "/providers")
        self.refuseDoubledKeys(of: file.accounts)
        self.refuseDoubledRoutes(file.routes)
        return file
    }

    mutating func fail(_ path: String, _ problem: String) {
        self.problems.append(.init(path: path, problem: problem))
    }

    // MARK: - Parts

    private mutating func account(_ json: JSON, at path: String) -> ConfigurationFile.Account {
        _ = self.isObject(json, at: path, fields: ["name", "keys"])
        let keys = self.elements(json, "keys", at: path) { $0.key($1, at: $2) }
        self.refuseDoubled(keys.map(\.name), at: "\(path)/keys")
        return .init(name: self.name(json, at: path), keys: keys)
    }

    private mutating func key(_ json: JSON, at path: String) -> ConfigurationFile.Key {
        _ = self.isObject(json, at: path, fields: ["name", "key", "scopes", "expires_at", "revoked"])
        let secret = json["key"].flatMap { self.secret($0, at: "\(path)/key") }
        if let secret, !APIKey.isWellFormed(secret.text) {
            self.fail(
                "\(path)/key",
                "must have 20 to 128 printable ASCII characters without spaces; "
                    + "one that begins with pinpost_ must be whole")
        }
        return .init(
            name: self.name(json, at: path), secret: secret, scopes: self.scopes(json, at: path),
            expiresAt: self.time(json, "expires_at", at: path), isRevoked: self.flag(json, "revoked", at: path))
    }

    private mutating func scopes(_ json: JSON, at path: String) -> [String] {
        guard let value = json["scopes"] else { return ConfigurationFile.scopes.sorted() }
        let scopes = value.array?.compactMap(\.string) ?? []
        guard !scopes.isEmpty, scopes.count == value.array?.count,
            scopes.allSatisfy(ConfigurationFile.scopes.contains)
        else {
            self.fail("\(path)/scopes", "must be an array of \(ConfigurationFile.scopes.joined(separator: ", "))")
            return []
        }
        return Set(scopes).sorted()
    }

    private mutating func provider(_ json: JSON, at path: String) -> ConfigurationFile.Provider {
        let fields: Set<String> = [
            "name", "kind", "url", "credentials", "settings", "sender", "in_flight", "per_second", "timeout", "enabled",
        ]
        _ = self.isObject(json, at: path, fields: fields)
        let kindName = self.text(json, "kind", required: true, at: path) ?? ""
        let kind = ProviderKind(rawValue: kindName)
        if kind == nil, !kindName.isEmpty {
            let known = ProviderKind.allCases.map(\.rawValue).joined(separator: ", ")
            self.fail("\(path)/kind", "must be one of \(known)")
        }
        let url = self.text(json, "url", at: path) ?? kind?.defaultBaseURL
        if url == nil, kind != nil { self.fail("\(path)/url", "is required for this kind of provider") }
        let provider = ConfigurationFile.Provider(
            name: self.name(json, at: path), kind: kindName, url: url ?? "",
            credentials: self.credentials(json, at: path), settings: self.settings(json, at: path),
            sender: self.text(json, "sender", at: path),
            inFlight: self.number(json, "in_flight", in: 1...10_000, default: 32, at: path),
            perSecond: self.number(json, "per_second", in: 1...1_000_000, default: 30, at: path),
            timeout: .seconds(self.number(json, "timeout", in: 1...60, default: 10, at: path)),
            isEnabled: self.flag(json, "enabled", at: path) ?? true)
        if let kind, url != nil { self.check(provider, kind: kind, at: path) }
        return provider
    }

    /// Has the driver say what it lacks, before anything is stored.
    private mutating func check(_ provider: ConfigurationFile.Provider, kind: ProviderKind, at path: String) {
        let account = ProviderAccount(
            id: ProviderID(rawValue: 0), name: provider.name, kind: kind, baseURL: provider.url,
            credentials: Credentials(provider.credentials), defaultSender: provider.sender, settings: provider.settings)
        do throws(ProviderProblems) {
            _ = try Drivers.make(account)
        } catch {
            for problem in error.problems { self.fail(path, problem) }
        }
    }

    private mutating func credentials(_ json: JSON, at path: String) -> [String: Secret] {
        guard let value = json["credentials"] else { return [:] }
        guard let members = value.members else {
            self.fail("\(path)/credentials", "must be an object of names and secrets")
            return [:]
        }
        var credentials: [String: Secret] = [:]
        for member in members {
            credentials[member.name] = self.secret(member.value, at: "\(path)/credentials/\(member.name)")
        }
        return credentials
    }

    private mutating func settings(_ json: JSON, at path: String) -> [String: String] {
        guard let value = json["settings"] else { return [:] }
        guard let members = value.members, members.allSatisfy({ $0.value.string != nil }) else {
            self.fail("\(path)/settings", "must be an object of names and texts")
            return [:]
        }
        return Dictionary(members.map { ($0.name, $0.value.string ?? "") }) { $1 }
    }

    private mutating func route(_ json: JSON, at path: String) -> ConfigurationFile.Route {
        _ = self.isObject(json, at: path, fields: ["account", "channel", "prefix", "provider", "remove"])
        let isRemoved = self.flag(json, "remove", at: path) ?? false
        let channelName = self.text(json, "channel", at: path) ?? Channel.sms.rawValue
        if Channel(rawValue: channelName) == nil {
            self.fail("\(path)/channel", "must be one of \(Channel.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let prefix = self.text(json, "prefix", at: path) ?? ""
        if !Self.isPrefix(prefix) { self.fail("\(path)/prefix", "must be empty or a plus sign and 1 to 15 digits") }
        if channelName == Channel.email.rawValue, !prefix.isEmpty {
            self.fail("\(path)/prefix", "is for numbers; a route for email has none")
        }
        return .init(
            account: self.text(json, "account", at: path), channel: Channel(rawValue: channelName) ?? .sms,
            prefix: prefix, provider: self.text(json, "provider", required: !isRemoved, at: path), isRemoved: isRemoved)
    }

    private static func isPrefix(_ text: String) -> Bool {
        if text.isEmpty { return true }
        let digits = text.utf8.dropFirst()
        return text.first == "+" && (1...15).contains(digits.count) && digits.first != UInt8(ascii: "0")
            && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    // MARK: - Values

    /// A text, or `{"env": "NAME"}` for the value of an environment variable of the process that applies the file.
    private mutating func secret(_ json: JSON, at path: String) -> Secret? {
        if let text = json.string {
            if text.isEmpty { self.fail(path, "must not be empty") }
            return Secret(text)
        }
        guard let members = json.members, members.count == 1, let name = json["env"]?.string else {
            self.fail(path, #"must be a text, or {"env": "NAME"} for an environment variable"#)
            return nil
        }
        guard let value = self.environment[name], !value.isEmpty else {
            self.fail(path, "the environment variable \(name) is not set")
            return nil
        }
        return Secret(value)
    }

    private mutating func name(_ json: JSON, at path: String) -> String {
        let name = self.text(json, "name", required: true, at: path) ?? ""
        let isName = (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(Self.isNameCharacter)
        if !isName, json["name"]?.string != nil {
            self.fail("\(path)/name", "must have 1 to 64 letters, digits, and the characters - _ .")
        }
        return name
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private mutating func text(_ json: JSON, _ name: String, required: Bool = false, at path: String) -> String? {
        guard let value = json[name], !value.isNull else {
            if required, json.members != nil { self.fail("\(path)/\(name)", "is required") }
            return nil
        }
        guard let text = value.string, !text.utf8.contains(0) else {
            self.fail("\(path)/\(name)", "must be a text, not \(value.kind)")
            return nil
        }
        return text
    }

    private mutating func flag(_ json: JSON, _ name: String, at path: String) -> Bool? {
        guard let value = json[name] else { return nil }
        if value.bool == nil { self.fail("\(path)/\(name)", "must be true or false") }
        return value.bool
    }

    private mutating func number(
        _ json: JSON, _ name: String, in range: ClosedRange<Int64>, default fallback: Int32, at path: String
    ) -> Int32 {
        guard let value = json[name] else { return fallback }
        guard let number = value.integer, range.contains(number) else {
            self.fail("\(path)/\(name)", "must be an integer between \(range.lowerBound) and \(range.upperBound)")
            return fallback
        }
        return Int32(number)
    }

    private mutating func time(_ json: JSON, _ name: String, at path: String) -> Timestamp? {
        guard let text = self.text(json, name, at: path) else { return nil }
        let time = Timestamp(text)
        if time == nil { self.fail("\(path)/\(name)", "must be a time in RFC 3339, as in 2026-11-21T09:15:00Z") }
        return time
    }

    private mutating func isObject(_ json: JSON, at path: String, fields: Set<String>) -> Bool {
        guard let members = json.members else {
            self.fail(path, "must be an object, not \(json.kind)")
            return false
        }
        for member in members where !fields.contains(member.name) {
            self.fail("\(path)/\(member.name)", "is not known; known are \(fields.sorted().joined(separator: ", "))")
        }
        return true
    }

    private mutating func elements<Value>(
        _ json: JSON, _ name: String, at path: String = "", _ read: (inout Self, JSON, String) -> Value
    ) -> [Value] {
        guard let value = json[name] else { return [] }
        guard let elements = value.array else {
            self.fail("\(path)/\(name)", "must be an array, not \(value.kind)")
            return []
        }
        return elements.enumerated().map { read(&self, $0.element, "\(path)/\(name)/\($0.offset)") }
    }

    /// A key says whose request it is, so no two may be the same.
    private mutating func refuseDoubledKeys(of accounts: [ConfigurationFile.Account]) {
        var seen: Set<[UInt8]> = []
        for (index, account) in accounts.enumerated() {
            for (number, key) in account.keys.enumerated() {
                guard let digest = key.secret.map({ APIKey.digest($0.text) }) else { continue }
                guard !seen.insert(digest).inserted else { continue }
                self.fail("/accounts/\(index)/keys/\(number)/key", "stands twice")
            }
        }
    }

    /// Of two that say different things the last would hold, and applying the file again would change both each time.
    private mutating func refuseDoubledRoutes(_ routes: [ConfigurationFile.Route]) {
        var seen: Set<[String?]> = []
        for (index, route) in routes.enumerated() where !self.hasProblem(within: "/routes/\(index)") {
            let place = [route.account, route.channel.rawValue, route.prefix]
            if !seen.insert(place).inserted { self.fail("/routes/\(index)", "stands twice") }
        }
    }

    /// What could not be read is not as it was written, so nothing more can be said of it.
    private func hasProblem(within path: String) -> Bool {
        self.problems.contains { $0.path == path || $0.path.hasPrefix("\(path)/") }
    }

    private mutating func refuseDoubled(_ names: [String], at path: String) {
        var seen: Set<String> = []
        for (index, name) in names.enumerated() where !name.isEmpty && !seen.insert(name).inserted {
            self.fail("\(path)/\(index)/name", "stands twice")
        }
    }
}
