/// What may be written after a program's name.
public struct CommandLineSyntax: Sendable, Hashable {
    public let program: String
    public let commands: [Command]

    public init(program: String, commands: [Command]) {
        self.program = program
        self.commands = commands
    }

    public struct Command: Sendable, Hashable {
        public let name: String
        /// One sentence.
        public let summary: String
        /// Lines that `COMMAND --help` shows below it.
        public let details: String
        /// Names of what must follow, as in `FILE`.
        public let positionals: [String]
        public let options: [Option]

        public init(
            _ name: String, summary: String, details: String = "", positionals: [String] = [], options: [Option] = []
        ) {
            self.name = name
            self.summary = summary
            self.details = details
            self.positionals = positionals
            self.options = options
        }
    }

    public struct Option: Sendable, Hashable {
        /// With its hyphens, as in `--seconds`.
        public let name: String
        /// What its value is called, as in `N`; nil for a flag, which has none.
        public let value: String?
        public let summary: String

        public init(_ name: String, value: String? = nil, summary: String) {
            self.name = name
            self.value = value
            self.summary = summary
        }
    }
}

extension CommandLineSyntax {
    /// All commands, for `--help`.
    public var help: String {
        let width = self.commands.map(\.name.count).max() ?? 0
        return "usage: \(self.program) COMMAND [OPTIONS]\n\n"
            + self.commands.map { "  \(padded($0.name, width))  \($0.summary)\n" }.joined()
            + "\n\(self.program) COMMAND --help says more of one.\n"
    }

    /// One command, for `COMMAND --help`.
    public func help(for command: Command) -> String {
        let options = command.options.map { (written: Self.written($0), summary: $0.summary) }
        let width = options.map(\.written.count).max() ?? 0
        let usage = [self.program, command.name] + command.positionals + (options.isEmpty ? [] : ["[OPTIONS]"])
        return "usage: \(usage.joined(separator: " "))\n\n\(command.summary)\n"
            + (command.details.isEmpty ? "" : "\n\(command.details)\n")
            + (options.isEmpty ? "" : "\n")
            + options.map { "  \(padded($0.written, width))  \($0.summary)\n" }.joined()
    }

    private static func written(_ option: Option) -> String {
        option.value.map { "\(option.name) \($0)" } ?? option.name
    }
}

private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}
