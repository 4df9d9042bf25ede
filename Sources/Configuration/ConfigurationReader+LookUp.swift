import Channels
import Crypto
import JSON
import Messaging

extension ConfigurationReader {
    private static let lookUpFields: Set = [
        "provider", "kind", "url", "credentials", "settings", "max_age", "timeout_ms", "remove",
    ]

    /// Whom to ask about numbers; nil when the file does not say.
    mutating func lookUp(_ json: JSON) -> ConfigurationFile.LookUp? {
        let path = "/look_up"
        guard let value = self.fields.value(json, "look_up", at: ""),
            self.fields.isObject(value, known: Self.lookUpFields, at: path)
        else { return nil }
        let isRemoved = self.fields.flag(value, "remove", at: path) ?? false
        let provider = self.fields.string(value, "provider", at: path)
        let known = LookUpKind.allCases.map(\.rawValue).joined(separator: ", ")
        let kind = self.fields.parsed(
            value, "kind", expected: "one of \(known)", required: provider == nil && !isRemoved, at: path,
            LookUpKind.init(rawValue:))
        let lookUp = ConfigurationFile.LookUp(
            provider: provider, kind: kind?.rawValue, url: self.fields.string(value, "url", at: path),
            credentials: self.credentials(value, at: path), settings: self.settings(value, at: path),
            maxAge: .seconds(self.number(value, "max_age", in: 60...7_776_000, default: 86_400, at: path)),
            timeLimit: .milliseconds(self.number(value, "timeout_ms", in: 50...1500, default: 800, at: path)),
            isRemoved: isRemoved)
        if !isRemoved { self.check(lookUp, kind: kind, at: path) }
        return lookUp
    }

    /// A provider's account is known to the database alone, and checked there.
    private mutating func check(_ lookUp: ConfigurationFile.LookUp, kind: LookUpKind?, at path: String) {
        if lookUp.provider != nil, kind != nil || !lookUp.credentials.isEmpty {
            return self.fields.fail(path, "has either a provider, or a kind with credentials")
        }
        guard lookUp.provider == nil, let kind else { return }
        guard let url = lookUp.url ?? kind.defaultBaseURL else {
            return self.fields.fail("\(path)/url", "is required for this kind of look-up")
        }
        let account = ProviderAccount(
            id: ProviderID(rawValue: 0), name: "look_up", kind: .discard, baseURL: url,
            credentials: Credentials(lookUp.credentials), settings: lookUp.settings)
        do throws(ProviderProblems) {
            _ = try kind.make(account)
        } catch {
            for problem in error.problems { self.fields.fail(path, problem) }
        }
    }
}
