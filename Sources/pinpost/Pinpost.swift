import CLinux
import Glibc
import Settings

/// The program: reads the command line, and runs the one process that it asks for.
@main
struct Pinpost {
    static func main() async {
        // A peer that closes its connection is an error to handle and no reason to die.
        signal(SIGPIPE, SIG_IGN)
        // glibc gives every few threads an arena of their own, up to eight for each processor, and what is freed in one stays there:
        // a third of an API's memory. Two are enough for threads that are as many as the processors.
        _ = mallopt(clinux_arena_limit, 2)
        do {
            try await Self.run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            Console.fail("\(error)")
            exit(1)
        }
    }

    private static func run(_ arguments: [String]) async throws {
        if arguments.isEmpty || arguments == ["--help"] || arguments == ["-h"] || arguments == ["help"] {
            return Console.say(Syntax.all.help, terminator: "")
        }
        if arguments == ["--version"] { return Console.say("pinpost \(Version.current)") }
        if arguments.count > 1, arguments.contains("--help") || arguments.contains("-h") {
            return try Self.help(arguments[0])
        }
        let line = try CommandLineArguments(arguments, syntax: Syntax.all)
        switch line.command.name {
        case "up": try await UpCommand(line).run()
        case "api": try await RoleCommand.api()
        case "worker": try await RoleCommand.worker()
        case "receiver": try await RoleCommand.receiver()
        case "carrier": try await RoleCommand.carrier()
        case "migrate": try await MigrateCommand.run(line)
        case "apply": try await ApplyCommand.run(line)
        case "rotate": try await RotateCommand.run()
        case "erase": try await EraseCommand.run(line)
        case "codes": try CodesCommand.run(line)
        case "report": try await ReportCommand.run(line)
        case "bench": try await BenchCommand.run(line)
        case let name: preconditionFailure("\(name) is in the syntax and has no command")
        }
    }

    private static func help(_ name: String) throws {
        guard let command = Syntax.all.commands.first(where: { $0.name == name }) else {
            _ = try CommandLineArguments([name], syntax: Syntax.all)
            return
        }
        Console.say(Syntax.all.help(for: command), terminator: "")
        let settings =
            ProcessSettings.documentation(of: name) + (name == "carrier" ? CarrierSettings.documentation : [])
        guard !settings.isEmpty else { return }
        Console.say(
            "\nSettings, from the environment; NAME_FILE may name a file that holds the value of NAME:\n\n"
                + settings.map(\.text).joined(), terminator: "")
    }
}

/// What this build calls itself.
enum Version {
    static let current = "0.1.0"
}

/// What a person at a terminal reads.
enum Console {
    static func say(_ text: String, terminator: String = "\n") { self.write(text + terminator, to: STDOUT_FILENO) }

    /// On standard error, so that standard output holds nothing but the result.
    static func tell(_ text: String) { self.write("\(text)\n", to: STDERR_FILENO) }

    static func fail(_ text: String) { self.write("pinpost: \(text)\n", to: STDERR_FILENO) }

    /// At once and whole, whoever reads: a pipe is no terminal, and must not wait for a buffer to fill.
    private static func write(_ text: String, to descriptor: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
