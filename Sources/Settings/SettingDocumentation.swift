/// What one setting is for, as the place that reads it says.
public struct SettingDocumentation: Sendable, Hashable {
    public let name: String
    /// As in "a duration".
    public let kind: String
    public let defaultValue: String?
    public let isRequired: Bool
    public let help: String
}

extension SettingsReader {
    /// All settings read so far, in order, for `--help`.
    public var help: String {
        self.documentation.map { setting in
            let state = setting.defaultValue.map { "default \($0)" } ?? (setting.isRequired ? "required" : "optional")
            return "  \(setting.name) (\(setting.kind), \(state))\n      \(setting.help)\n"
        }.joined()
    }
}
