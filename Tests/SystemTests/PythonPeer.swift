import Glibc
import Polling

/// A script of `Tests/Peers`, which drives a deployment through a published client in Python.
///
/// The client and all that it needs come from PyPI into a virtual environment under `.build`, made by the first test that
/// wants it, and made anew when the list of what it needs has changed.
struct PythonPeer {
    /// Without `.py`.
    var script: String
    /// Of the list of packages, without `-requirements.txt`; nil for Debian's own, which `docker/packages` names.
    var requirements: String?

    /// For a virtual environment and all packages in it; another test may be making it.
    private static let installTime = Duration.seconds(240)
    /// For the whole script.
    private static let runTime = Duration.seconds(180)
    private static let outputByteLimit = 1 << 20

    /// Runs the script to its end. Throws all that it printed unless every check of it passed.
    func run(_ environment: [String: String]) async throws {
        var python = "/usr/bin/python3"
        if let requirements { python = "\(try await Self.virtualEnvironment(requirements))/bin/python" }
        let child = try await ChildProcess.start(
            "/usr/bin/setpriv", ["--pdeathsig", "KILL", "--", python, "-u", "\(Self.peers)/\(self.script).py"],
            environment: environment.merging(["PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"]) { $1 },
            output: .captured(byteLimit: Self.outputByteLimit), errorOutput: .captured(byteLimit: Self.outputByteLimit))
        let status = await child.waitForExit(until: .now + Self.runTime)
        child.kill(SIGKILL)
        guard status?.isSuccess == true else {
            throw Failure(
                "\(self.script).py \(status.map { "\($0)" } ?? "did not end within \(Self.runTime)")\n\(child.printed)")
        }
        print("\(self.script).py: \(String(decoding: child.output, as: UTF8.self).split(separator: "\n").last ?? "")")
    }

    // MARK: - Private

    private static let checkout = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    private static let peers = "\(checkout)/Tests/Peers"

    /// Made under a lock: processes and tests that want the same wait for each other. What is half made is made anew.
    private static let making = """
        set -eu
        umask 022
        mkdir -p "${1%/*}"
        exec 9>"$1.lock"
        flock 9
        if ! cmp -s "$2" "$1/requirements.txt"; then
            rm -rf -- "$1"
            python3 -m venv "$1"
            "$1/bin/pip" install --quiet --no-input --disable-pip-version-check --no-deps --only-binary :all: \
                --requirement "$2"
            cp -- "$2" "$1/requirements.txt"
        fi
        """

    /// The directory of the virtual environment.
    private static func virtualEnvironment(_ requirements: String) async throws -> String {
        let directory = "\(Self.checkout)/.build/peers/\(requirements)"
        let list = "\(Self.peers)/\(requirements)-requirements.txt"
        // `timeout` ends all that pip has started, too.
        let child = try await ChildProcess.start(
            "/usr/bin/timeout",
            [
                "--kill-after=5", "\(Int(Self.installTime / .seconds(1)))", "/bin/sh", "-c", Self.making, "sh",
                directory,
                list,
            ],
            output: .captured(byteLimit: Self.outputByteLimit), errorOutput: .captured(byteLimit: Self.outputByteLimit))
        let status = await child.waitForExit()
        guard status.isSuccess else {
            throw Failure(
                """
                The packages of \(requirements)-requirements.txt cannot be installed, so the client that they are \
                for was not tried: this test needs PyPI, or what pip is set up to use in its place, and the Debian \
                package python3-venv. The installation \(status); it may take \(Self.installTime).
                \(child.printed)
                """)
        }
        return directory
    }
}

extension ChildProcess {
    fileprivate var printed: String { String(decoding: self.output + self.errorOutput, as: UTF8.self) }
}
