import Settings
import Testing

private let syntax = CommandLineSyntax(
    program: "pinpost",
    commands: [
        .init(
            "bench", summary: "Measures.",
            options: [
                .init("--seconds", value: "N", summary: "How long."), .init("--json", summary: "Prints JSON."),
            ]
        ),
        .init("apply", summary: "Applies a file.", positionals: ["FILE"]),
    ]
)

struct CommandLineArgumentsTests {
    @Test(arguments: [
        ["bench", "--seconds", "5", "--json"], ["bench", "--json", "--seconds=5"],
    ])
    func optionsStandInAnyOrder(arguments: [String]) throws {
        let parsed = try CommandLineArguments(arguments, syntax: syntax)
        #expect(parsed.command.name == "bench")
        #expect(parsed.value(of: "--seconds") == "5")
        #expect(parsed.has("--json"))
    }

    @Test func whatIsNotGivenIsAbsent() throws {
        let parsed = try CommandLineArguments(["bench"], syntax: syntax)
        #expect(parsed.value(of: "--seconds") == nil)
        #expect(!parsed.has("--json"))
    }

    @Test(arguments: [["apply", "a.json"], ["apply", "--", "a.json"], ["apply", "-"], ["apply", "--", "--x"]])
    func positionalsAreKept(arguments: [String]) throws {
        #expect(try CommandLineArguments(arguments, syntax: syntax).positionals == [arguments[arguments.count - 1]])
    }

    @Test(arguments: [
        (["bnech"], "no command bnech; did you mean bench?"),
        (["teleport"], "no command teleport"),
        (["bench", "--secnods", "5"], "no option --secnods; did you mean --seconds?"),
        (["bench", "--colour"], "no option --colour"),
        (["bench", "-x"], "no option -x"),
        (["bench", "--seconds"], "--seconds needs a value: --seconds N"),
        (["bench", "--json=1"], "--json takes no value"),
        (["bench", "--json", "--json"], "--json is given twice"),
        (["bench", "--seconds=1", "--seconds=2"], "--seconds is given twice"),
        (["bench", "extra"], #"what is "extra"?"#),
        (["apply"], "FILE is missing"),
        (["apply", "a", "b"], #"what is "b"?"#),
    ])
    func mistakesAreNamed(arguments: [String], told: String) {
        let error = #expect(throws: CommandLineError.self) { try CommandLineArguments(arguments, syntax: syntax) }
        #expect(error?.description == told)
    }

    @Test func helpIsGivenWhenAskedFor() {
        let all = """
            usage: pinpost COMMAND [OPTIONS]

              bench  Measures.
              apply  Applies a file.

            pinpost COMMAND --help says more of one.

            """
        let one = """
            usage: pinpost bench [OPTIONS]

            Measures.

              --seconds N  How long.
              --json       Prints JSON.

            """
        for arguments in [["--help"], ["-h"], ["help"]] {
            #expect(throws: CommandLineError.helpRequested(all)) { try CommandLineArguments(arguments, syntax: syntax) }
        }
        #expect(throws: CommandLineError.noCommand(help: all)) { try CommandLineArguments([], syntax: syntax) }
        #expect(throws: CommandLineError.helpRequested(one)) {
            try CommandLineArguments(["bench", "--json", "--help"], syntax: syntax)
        }
    }
}
