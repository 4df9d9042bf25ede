/// What one setting is for, as the place that reads it says.
public struct SettingDocumentation: Sendable, Hashable {
    public let name: String
    /// As in "a duration".
    public let kind: String
    public let defaultValue: String?
    public let isRequired: Bool
    public let help: String

    /// Two lines for `--help`: what it is called and takes, and what it is for.
    public var text: String {
        let state = self.defaultValue.map { "default \($0)" } ?? (self.isRequired ? "required" : "optional")
        return "  \(self.name) (\(self.kind), \(state))\n      \(self.help)\n"
    }
}

extension SettingsReader {
    /// All settings read so far, in order, for `--help`.
    public var help: String { self.documentation.map(\.text).joined() }
}
