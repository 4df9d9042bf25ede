import Bench
import Glibc
import JSON
import Lifecycle
import Settings

/// `pinpost bench`: prints one JSON object on standard output, and progress on standard error.
enum BenchCommand {
    static func run(_ line: CommandLineArguments) async throws {
        let options = try Self.options(line)
        let figures = try await withThrowingTaskGroup(of: JSON?.self) { group in
            group.addTask { try await Bench.run(options) }
            group.addTask {
                for await request in StopSignals.requests() { throw Stopped(reason: request.reason) }
                return nil
            }
            // Whichever ends first ends the other; a bench that is stopped cleans up before it returns.
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        if let figures { Console.say(figures.text) }
    }

    // MARK: - Private

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
