/// Everything that is wrong with the settings, so that nobody has to mend one to hear of the next.
public struct SettingsError: Error, Hashable, CustomStringConvertible {
    /// One sentence each, beginning with the setting's name. Values of secrets do not appear.
    public let problems: [String]

    public var description: String { self.problems.joined(separator: "\n") }
}
