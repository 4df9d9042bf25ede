import Bench
import Settings

/// `pinpost bench`: see the target `Bench`.
enum BenchCommand {
    static func run(_ line: CommandLineArguments) async throws {}
}
