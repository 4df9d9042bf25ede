import Glibc
import Polling

/// The `pinpost` that was built with these tests.
enum Executable {
    /// Beside the test bundle, which is what runs.
    static let path: String = {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let own = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let checkout = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let candidates = [own.split(separator: "/").dropLast().joined(separator: "/"), "\(checkout)/.build/debug"]
        guard let place = candidates.first(where: { access("/\($0)/pinpost", X_OK) == 0 }) else {
            preconditionFailure("there is no pinpost in /\(candidates.joined(separator: " nor in /"))")
        }
        return "/\(place)/pinpost"
    }()

    /// Starts a command of it, which is killed should this process die.
    static func start(
        _ arguments: [String], environment: [String: String], input: [UInt8] = [], output: ChildProcess.Output
    ) async throws -> ChildProcess {
        var environment = environment
        environment["PATH"] = "/usr/bin:/bin"
        environment["SWIFT_BACKTRACE"] = "enable=no"
        return try await ChildProcess.start(
            "/usr/bin/setpriv", ["--pdeathsig", "KILL", "--", Self.path] + arguments, environment: environment,
            input: input, output: output, errorOutput: output)
    }

    /// What a command that ends by itself came to.
    struct Result {
        var status: ChildProcess.ExitStatus
        var output: String
        var errorOutput: String
    }

    /// Runs a command to its end.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: String = "",
        within limit: Duration = .seconds(60)
    ) async throws -> Result {
        let child = try await Self.start(
            arguments, environment: environment, input: Array(input.utf8), output: .captured(byteLimit: 1 << 20))
        guard let status = await child.waitForExit(until: .now + limit) else {
            child.kill(SIGKILL)
            throw Failure("pinpost \(arguments.joined(separator: " ")) did not end within \(limit)")
        }
        return Result(
            status: status, output: String(decoding: child.output, as: UTF8.self),
            errorOutput: String(decoding: child.errorOutput, as: UTF8.self))
    }
}
