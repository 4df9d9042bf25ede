import Glibc
import HTTP
import JSON
import PostgresServer
import Testing

extension SystemTests {
    @Suite struct DatabaseAwayTests {
        /// "Within two seconds", and something for a busy machine.
        private static let patience = Duration.milliseconds(2300)

        @Test func whileTheDatabaseIsAwayTheAPISaysSoInTimeAndRecoversByItself() async throws {
            try await Deployment.run(.init(hasOwnServer: true)) { deployment in
                guard let server = deployment.server else { preconditionFailure("the deployment has a server") }
                try await deployment.prepare()
                let api = try await deployment.start(.api)
                _ = try await deployment.accept(to: "+41790000001", "Your code is 493817")
                #expect(await deployment.readiness(of: api) == 200)

                try await server.stop(.immediate)
                try await self.expectRefusals(deployment)
                try await eventually("not ready") { await deployment.readiness(of: api) == 503 }
                try await self.expectRefusals(deployment)

                try await server.start()
                try await eventually("accepting again", within: .seconds(5)) {
                    try await self.send(deployment).status == 202
                }
                try await eventually("ready again") { await deployment.readiness(of: api) == 200 }
            }
        }

        /// Nobody refuses a connection then, and nothing breaks: there just is no answer. So it is when a host is lost.
        @Test func whileTheDatabaseIsSilentTheAPISaysSoInTimeAndRecoversByItself() async throws {
            try await Deployment.run(.init(hasOwnServer: true)) { deployment in
                try await deployment.prepare()
                try await deployment.start(.api)
                _ = try await deployment.accept(to: "+41790000001", "Your code is 493817")
                let servers = try deployment.databaseProcesses()
                try #require(servers.count > 1)

                for process in servers { kill(process, SIGSTOP) }
                try await self.expectRefusals(deployment)
                for process in servers { kill(process, SIGCONT) }
                try await eventually("accepting again", within: .seconds(10)) {
                    try await self.send(deployment).status == 202
                }
            }
        }

        /// Many at once, three times over, so that they wait for each other where there is anything to wait for.
        private func expectRefusals(_ deployment: Deployment) async throws {
            for _ in 0..<3 {
                try await withThrowingTaskGroup { group in
                    for number in 0..<30 {
                        group.addTask {
                            let began = ContinuousClock.now
                            let response =
                                number.isMultiple(of: 3)
                                ? try await deployment.api("GET", "/v1/messages") : try await self.send(deployment)
                            let time = ContinuousClock.now - began
                            #expect(response.status == 503)
                            #expect(response.fields["Retry-After"] == "1")
                            #expect(response.fields["Content-Type"] == "application/problem+json")
                            #expect(time < Self.patience)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }

        private func send(_ deployment: Deployment) async throws -> HTTPResponse {
            try await deployment.api(
                "POST", "/v1/messages", body: ["to": "+41790000001", "body": "Your code is 493817"])
        }
    }
}

extension Deployment {
    /// The processes of its own PostgreSQL: the first, whose number the server writes into a file, and its children.
    func databaseProcesses() throws -> [pid_t] {
        guard let file = fopen("\(self.directory)/postgres/data/postmaster.pid", "r") else {
            throw Failure("no postmaster.pid: errno \(errno)")
        }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 32)
        guard fgets(&line, 32, file) != nil else { throw Failure("postmaster.pid is empty") }
        let first = pid_t(atoi(line))
        return [first] + Self.children(of: first)
    }

    private static func children(of parent: pid_t) -> [pid_t] {
        guard let file = fopen("/proc/\(parent)/task/\(parent)/children", "r") else { return [] }
        defer { fclose(file) }
        var text = [UInt8](repeating: 0, count: 4096)
        let count = fread(&text, 1, text.count, file)
        return String(decoding: text[..<count], as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    }
}
