import Bench
import Glibc
import JSON
import Lifecycle
import Settings

/// `pinpost bench`: a table for people and one JSON object for programs.
///
/// On a terminal standard output gets the table. Elsewhere, or with `--json`, it gets the object and nothing else, and the table
/// goes to standard error, where the progress is.
enum BenchCommand {
    static func run(_ line: CommandLineArguments) async throws {
        let options = try Self.options(line)
        let flat = try Self.flatOptions(line)
        let report = try await withThrowingTaskGroup(of: Report?.self) { group in
            group.addTask {
                if let flat { return try await Bench.runFlat(flat, options) }
                return try await Bench.run(options)
            }
            group.addTask {
                for await request in StopSignals.requests() { throw Stopped(reason: request.reason) }
                return nil
            }
            // Whichever ends first ends the other; a bench that is stopped cleans up before it returns.
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        if let report { Self.print(report, asJSON: line.has("--json") || isatty(STDOUT_FILENO) == 0) }
    }

    // MARK: - Private

    private static func print(_ report: Report, asJSON: Bool) {
        guard asJSON else { return Console.say(report.table, terminator: "") }
        Console.tell("\n\(report.table)")
        Console.say(report.json.text)
    }

    /// What `--flat` and what belongs to it say; nil without it.
    private static func flatOptions(_ line: CommandLineArguments) throws -> Bench.FlatOptions? {
        var flat = Bench.FlatOptions()
        var problems: [String] = []
        let counts: [(String, ClosedRange<Int>, WritableKeyPath<Bench.FlatOptions, Int>)] = [
            ("--future", 1...1_000_000_000, \.future), ("--rows", 1...10_000_000_000, \.history),
        ]
        for (option, range, path) in counts {
            guard let text = line.value(of: option) else { continue }
            if let count = Int(text), range.contains(count) {
                flat[keyPath: path] = count
            } else {
                problems.append("\(option): \"\(text)\" is no number from \(range.lowerBound) to \(range.upperBound)")
            }
        }
        if let text = line.value(of: "--minutes") {
            if let minutes = Double(text), (0.01...1440).contains(minutes) {
                flat.minutes = minutes
            } else {
                problems.append("--minutes: \"\(text)\" is no number from 0.01 to 1440")
            }
        }
        if let text = line.value(of: "--parts") {
            let parts = text.split(separator: ",").map { Bench.FlatOptions.Part(rawValue: String($0)) }
            if parts.isEmpty || parts.contains(nil) {
                let known = Bench.FlatOptions.Part.allCases.map(\.rawValue).joined(separator: ", ")
                problems.append("--parts: \"\(text)\" is no list of these, with commas: \(known)")
            }
            flat.parts = Set(parts.compactMap { $0 })
        }
        if line.has("--flat") {
            guard problems.isEmpty else { throw Problems(problems: problems) }
            return flat
        }
        let given = ["--future", "--rows", "--minutes", "--parts"].filter { line.value(of: $0) != nil }
        guard given.isEmpty else { throw Problems(problems: given.map { "\($0): belongs to --flat" }) }
        return nil
    }

    private static func options(_ line: CommandLineArguments) throws -> Bench.Options {
        let environment = ProcessBase.environment
        var options = Bench.Options(environment: environment) { Console.tell($0) }
        var problems: [String] = []
        if let text = line.value(of: "--seconds") {
            if let seconds = Double(text), (0.5...600).contains(seconds) {
                options.seconds = seconds
            } else {
                problems.append("--seconds: \"\(text)\" is no number from 0.5 to 600")
            }
        }
        if let text = line.value(of: "--processes") {
            if let processes = Int(text), (1...32).contains(processes) {
                options.processes = processes
            } else {
                problems.append("--processes: \"\(text)\" is no number from 1 to 32")
            }
        }
        if let url = environment["DATABASE_URL"], !url.isEmpty { options.serverURL = url }
        if let directory = line.value(of: "--data") {
            if options.serverURL != nil {
                problems.append("--data: DATABASE_URL is set, so there is nothing to put there")
            }
            options.directory = directory
        }
        guard problems.isEmpty else { throw Problems(problems: problems) }
        return options
    }

    private struct Problems: Error, CustomStringConvertible {
        var problems: [String]
        var description: String { self.problems.joined(separator: "\n") }
    }

    private struct Stopped: Error, CustomStringConvertible {
        var reason: String
        var description: String { "stopped by \(self.reason); no figures" }
    }
}
