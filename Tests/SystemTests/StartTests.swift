import Crypto
import Glibc
import HTTP
import JSON
import Polling
import Postgres
import Testing

extension SystemTests {
    /// What processes and commands say when something is wrong before they begin.
    @Suite struct StartTests {
        @Test(arguments: ["api", "worker", "receiver"])
        func badSettingsStopAProcessWithEveryProblemInOneMessage(role: String) async throws {
            let result = try await Executable.run(
                [role],
                environment: [
                    "PINPOST_MASTER_KEY": "1:c2hvcnQ=", "PINPOST_OPS_LISTEN": "nowhere",
                    "PINPOST_DATABASE_CONNECTIONS": "1", "PINPOST_LOG_FORMAT": "xml", "PINPOST_DRAIN_DEADLINE": "soon",
                ])
            #expect(result.status == .exited(1))
            for name in [
                "DATABASE_URL", "PINPOST_MASTER_KEY", "PINPOST_OPS_LISTEN", "PINPOST_DATABASE_CONNECTIONS",
                "PINPOST_LOG_FORMAT", "PINPOST_DRAIN_DEADLINE",
            ] { #expect(result.errorOutput.contains(name)) }
            #expect(!result.errorOutput.contains("c2hvcnQ="))
        }

        @Test(arguments: [ManagedProcess.Role.api, .worker, .receiver])
        func aDatabaseWithoutTheTablesIsRefusedWithTheCommandToRun(role: ManagedProcess.Role) async throws {
            try await Deployment.run { deployment in
                let result = try await deployment.command([role.rawValue])
                #expect(result.status == .exited(1))
                #expect(result.errorOutput.contains("pinpost migrate"))
            }
        }

        @Test func migratingTwiceDoesNothingAndAChangedFileIsRefused() async throws {
            try await Deployment.run { deployment in
                let directory = try Self.copyOfMigrations(in: deployment.directory)
                let settings = ["PINPOST_MIGRATIONS": directory]
                #expect(try await deployment.command(["migrate"], settings).output.contains("0001_spine.sql"))
                let again = try await deployment.command(["migrate"], settings)
                #expect(again.status == .exited(0))
                #expect(again.output.contains("up to date"))

                try Self.append("-- A second thought.\n", to: "\(directory)/0001_spine.sql")
                for command in ["migrate", "api"] {
                    let refused = try await deployment.command([command], settings)
                    #expect(refused.status == .exited(1))
                    #expect(refused.errorOutput.contains("0001_spine.sql was changed after it was applied"))
                }
            }
        }

        @Test func applyingTwiceChangesNothing() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let again = try await deployment.apply(deployment.configuration)
                #expect(again.status == .exited(0))
                #expect(again.output == "Nothing to change.\n")
            }
        }

        @Test func aBadFileChangesNothingAndNamesEveryProblemWithItsPath() async throws {
            try await Deployment.run { deployment in
                #expect(try await deployment.command(["migrate"]).status == .exited(0))
                let secret = "a secret with spaces in it"
                let result = try await deployment.apply([
                    "accounts": [
                        ["name": "good"], ["name": "not good", "keys": [["name": "k", "key": .string(secret)]]],
                    ],
                    "providers": [["name": "p", "kind": "pigeon"], ["name": "v", "kind": "vonage-sms"]],
                    "routes": [["channel": "smoke", "provider": "p"]],
                    "colour": "green",
                ])
                #expect(result.status == .exited(1))
                for path in [
                    "/accounts/1/name", "/accounts/1/keys/0/key", "/providers/0/kind", "/providers/1",
                    "/routes/0/channel", "/colour",
                ] { #expect(result.errorOutput.contains("\(path): ")) }
                #expect(!result.errorOutput.contains(secret))
                let accounts: Int = try await deployment.value("SELECT count(*) FROM accounts")
                #expect(accounts == 0)
            }
        }

        /// What only the database can tell is told before anything of the file is kept, too.
        @Test func aFileWithARouteToNowhereChangesNothing() async throws {
            try await Deployment.run { deployment in
                #expect(try await deployment.command(["migrate"]).status == .exited(0))
                let result = try await deployment.apply([
                    "accounts": [["name": "good"]], "routes": [["channel": "sms", "provider": "nobody"]],
                ])
                #expect(result.status == .exited(1))
                #expect(result.errorOutput.contains("/routes/0/provider: there is no such provider"))
                let accounts: Int = try await deployment.value("SELECT count(*) FROM accounts")
                #expect(accounts == 0)
            }
        }

        @Test func aRevokedKeyIsRefusedByARunningAPIWithinFiveSeconds() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                try await deployment.start(.api)
                #expect(try await deployment.api("GET", "/v1/messages").status == 200)
                let file: JSON = [
                    "accounts": [
                        [
                            "name": "demo",
                            "keys": [
                                ["name": "main", "key": .string(deployment.secrets.apiKey), "revoked": true]
                            ],
                        ]
                    ]
                ]
                #expect(try await deployment.apply(file).status == .exited(0))
                try await eventually("refused", within: .seconds(5)) {
                    try await deployment.api("GET", "/v1/messages").status == 401
                }
            }
        }

        // MARK: - Files

        private static func copyOfMigrations(in directory: String) throws -> String {
            let checkout = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            let copy = "\(directory)/migrations"
            guard mkdir(copy, 0o755) == 0 else { throw Failure("cannot make \(copy): errno \(errno)") }
            let bytes = try Self.read("/\(checkout)/migrations/0001_spine.sql")
            try Deployment.write(bytes, to: "\(copy)/0001_spine.sql")
            return copy
        }

        private static func append(_ text: String, to path: String) throws {
            try Deployment.write(try Self.read(path) + Array(text.utf8), to: path)
        }

        private static func read(_ path: String) throws -> [UInt8] {
            guard let file = fopen(path, "r") else { throw Failure("cannot read \(path): errno \(errno)") }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            bytes.removeSubrange(fread(&bytes, 1, bytes.count, file)...)
            return bytes
        }
    }
}
