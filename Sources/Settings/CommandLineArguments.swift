/// What was written after the program's name: a command, its options and what it is about.
///
/// Options are `--name VALUE`, `--name=VALUE` or `--flag`, before or after the rest; `--` ends them.
public struct CommandLineArguments: Sendable, Hashable {
    public let command: CommandLineSyntax.Command
    public private(set) var positionals: [String] = []
    private var values: [String: String] = [:]
    private var flags: Set<String> = []

    /// `arguments` without the program's own name.
    public init(_ arguments: [String], syntax: CommandLineSyntax) throws(CommandLineError) {
        guard let first = arguments.first else { throw .noCommand(help: syntax.help) }
        if Self.asksForHelp(first) { throw .helpRequested(syntax.help) }
        guard let command = syntax.commands.first(where: { $0.name == first }) else {
            throw .unknownCommand(first, nearest: nearest(to: first, among: syntax.commands.map(\.name)))
        }
        self.command = command
        try self.read(arguments.dropFirst(), help: syntax.help(for: command))
        try self.checkPositionals()
    }

    /// The value given to an option that takes one.
    public func value(of option: String) -> String? {
        precondition(
            self.command.options.contains { $0.name == option && $0.value != nil },
            "\(self.command.name) declares no option \(option) with a value"
        )
        return self.values[option]
    }

    /// Whether a flag was given.
    public func has(_ flag: String) -> Bool {
        precondition(
            self.command.options.contains { $0.name == flag && $0.value == nil },
            "\(self.command.name) declares no flag \(flag)"
        )
        return self.flags.contains(flag)
    }

    // MARK: - Private

    private static func asksForHelp(_ argument: String) -> Bool {
        argument == "--help" || argument == "-h" || argument == "help"
    }

    private mutating func read(_ arguments: ArraySlice<String>, help: String) throws(CommandLineError) {
        var rest = arguments
        while let argument = rest.popFirst() {
            if argument == "--" {
                self.positionals += rest
                return
            }
            if argument == "--help" || argument == "-h" { throw .helpRequested(help) }
            if argument.hasPrefix("-") && argument != "-" {
                try self.readOption(argument, &rest)
            } else {
                self.positionals.append(argument)
            }
        }
    }

    private mutating func readOption(_ argument: String, _ rest: inout ArraySlice<String>) throws(CommandLineError) {
        let pieces = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = pieces[0]
        guard let option = self.command.options.first(where: { $0.name == name }) else {
            throw .unknownOption(name, nearest: nearest(to: name, among: self.command.options.map(\.name)))
        }
        if self.values[name] != nil || self.flags.contains(name) { throw .repeatedOption(name) }
        if let placeholder = option.value {
            guard let value = pieces.count > 1 ? pieces[1] : rest.popFirst() else {
                throw .missingValue(name, placeholder)
            }
            self.values[name] = value
        } else {
            if pieces.count > 1 { throw .valueForFlag(name) }
            self.flags.insert(name)
        }
    }

    private func checkPositionals() throws(CommandLineError) {
        let wanted = self.command.positionals
        // In brackets, it may be left out.
        let required = wanted.filter { !$0.hasPrefix("[") }
        if self.positionals.count < required.count { throw .missingPositional(required[self.positionals.count]) }
        if self.positionals.count > wanted.count { throw .unexpected(self.positionals[wanted.count]) }
    }
}

/// Why a command line cannot be carried out, or that it only asks for help.
public enum CommandLineError: Error, Hashable, CustomStringConvertible {
    /// To be printed on standard output, with exit code 0.
    case helpRequested(String)
    case noCommand(help: String)
    case unknownCommand(String, nearest: String?)
    case unknownOption(String, nearest: String?)
    case repeatedOption(String)
    case missingValue(String, String)
    case valueForFlag(String)
    case missingPositional(String)
    case unexpected(String)

    public var description: String {
        switch self {
        case .helpRequested(let help), .noCommand(let help): help
        case .unknownCommand(let name, let nearest): "no command \(name)" + Self.hint(nearest)
        case .unknownOption(let name, let nearest): "no option \(name)" + Self.hint(nearest)
        case .repeatedOption(let name): "\(name) is given twice"
        case .missingValue(let name, let placeholder): "\(name) needs a value: \(name) \(placeholder)"
        case .valueForFlag(let name): "\(name) takes no value"
        case .missingPositional(let name): "\(name) is missing"
        case .unexpected(let argument): "what is \"\(argument)\"?"
        }
    }

    private static func hint(_ nearest: String?) -> String { nearest.map { "; did you mean \($0)?" } ?? "" }
}
