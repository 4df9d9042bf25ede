import Glibc
import Polling
import Postgres
import PostgresServer
import Testing

private let poller: Poller = {
    do {
        let poller = try Poller()
        poller.start()
        return poller
    } catch {
        preconditionFailure("no poller: \(error)")
    }
}()

/// Lends the path of a directory that does not exist yet, and removes it afterwards.
private func withDirectory(_ suffix: String = "", _ body: (String) async throws -> Void) async throws {
    let directory = "/tmp/pinpost-server-\(getpid())-\(UInt32.random(in: 0 ... .max))\(suffix)"
    let result: Result<Void, any Error>
    do { result = .success(try await body(directory)) } catch { result = .failure(error) }
    try await shell("rm -rf \(directory)")
    try result.get()
}

/// Lends a server that is stopped afterwards.
private func withServer(
    in directory: String, settings: [String: String] = [:], _ body: (PostgresServer) async throws -> Void
) async throws {
    let server = PostgresServer(
        directory: directory, settings: ["shared_buffers": "16MB"].merging(settings) { _, chosen in chosen }
    )
    let result: Result<Void, any Error>
    do { result = .success(try await body(server)) } catch { result = .failure(error) }
    try await server.stop(.immediate)
    try result.get()
}

@discardableResult
private func shell(_ script: String) async throws -> String {
    let child = try await ChildProcess.start(
        "/bin/sh", ["-e", "-c", script], output: .captured(byteLimit: 65536), errorOutput: .captured(byteLimit: 65536)
    )
    let status = await child.waitForExit()
    #expect(status.isSuccess, "\(script): \(String(decoding: child.errorOutput, as: UTF8.self))")
    return String(decoding: child.output, as: UTF8.self)
}

/// One value from a connection of its own.
private func query(_ statement: SQL, _ server: PostgresServer) async throws -> [Int] {
    let connection = try await Connection.open(url: server.url, poller: poller)
    return try await connection.query(statement) { row throws(PostgresError) in try row.decode(0, as: Int.self) }
}

private let asServerUser =
    geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --init-groups -- " : ""

@Suite struct PostgresServerTests {
    @Test func makesTheRoleAndTheDatabaseAndIsDurable() async throws {
        try await withDirectory { directory in
            try await withServer(in: directory) { server in
                try await server.start()
                try await server.start()
                let found = try await query(
                    """
                    SELECT (current_user = 'pinpost' AND current_database() = 'pinpost'
                        AND current_setting('fsync') = 'on' AND current_setting('synchronous_commit') = 'on'
                        AND current_setting('listen_addresses') = '' AND current_setting('shared_buffers') = '16MB')::int
                    """, server)
                #expect(found == [1])
                let modes = try await shell("stat -c %a \(directory) \(directory)/run")
                #expect(modes == "700\n700\n")
            }
        }
    }

    @Test func keepsWhatWasCommittedThroughTwentyImmediateStops() async throws {
        try await withDirectory { directory in
            try await withServer(in: directory) { server in
                try await server.start()
                let url = server.url
                for round in 1...20 {
                    let connection = try await Connection.open(url: url, poller: poller)
                    try await connection.execute("CREATE TABLE IF NOT EXISTS t (n int8)")
                    try await connection.execute("INSERT INTO t VALUES (\(round))")
                    try await server.stop(.immediate)
                    try await server.start()
                    let count = try await query("SELECT count(*) FROM t", server)
                    #expect(count == [round])
                }
                #expect(server.url == url)
            }
        }
    }

    @Test func stopsFastWithClientsConnectedAndSmartWithout() async throws {
        try await withDirectory { directory in
            try await withServer(in: directory) { server in
                try await server.start()
                let connection = try await Connection.open(url: server.url, poller: poller)
                try await server.stop(.fast)
                await #expect(throws: PostgresError.self) { try await connection.execute("SELECT 1") }
                try await server.start()
                try await server.stop(.smart)
                try await server.stop(.smart)
                let status = await server.waitForExit()
                #expect(status == nil)
            }
        }
    }

    @Test func aCrashIsNoticedAndTheNextStartRecovers() async throws {
        try await withDirectory { directory in
            try await withServer(in: directory) { server in
                try await server.start()
                let connection = try await Connection.open(url: server.url, poller: poller)
                try await connection.execute("CREATE TABLE t ()")
                async let status = server.waitForExit()
                // The backend of the open connection is left without a postmaster.
                try await shell("kill -KILL $(head -1 \(directory)/data/postmaster.pid)")
                #expect(await status == .signalled(SIGKILL))
                try await server.start()
                let count = try await query("SELECT count(*) FROM t", server)
                #expect(count == [0])
            }
        }
    }

    @Test func aNumberInTheOldFileThatIsAnotherProcessesByNowDoesNotHinder() async throws {
        try await withDirectory { directory in
            try await withServer(in: directory) { server in
                try await server.start()
                try await server.stop()
                // A process that lives, of the server's user: PostgreSQL by itself would refuse to start.
                let other = try await ChildProcess.start("/bin/sh", ["-c", "exec \(asServerUser)sleep 600"])
                try await shell(
                    "printf '\(other.identifier)\\n\(directory)/data\\n' > \(directory)/data/postmaster.pid")
                try await server.start()
                let one = try await query("SELECT 1::int8", server)
                #expect(one == [1])
                #expect(other.status == nil)
                other.kill(SIGKILL)
            }
        }
    }

    @Test func aServerLeftRunningIsStopped() async throws {
        try await withDirectory { directory in
            try await withServer(in: directory) { server in
                try await server.start()
                try await server.stop()
                let postgres = try await shell("ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1").dropLast()
                let left = try await ChildProcess.start(
                    "/bin/sh",
                    [
                        "-c",
                        "exec \(asServerUser)\(postgres)/postgres -D \(directory)/data -k \(directory)/run -c listen_addresses=''",
                    ],
                    directory: "/", output: .captured(byteLimit: 65536), errorOutput: .captured(byteLimit: 65536)
                )
                _ = await left.waitForLine(until: .now + .seconds(30)) { $0.contains("ready to accept") }
                try await server.start()
                #expect(left.status == .exited(0))
                let one = try await query("SELECT 1::int8", server)
                #expect(one == [1])
            }
        }
    }

    @Test func aDirectoryInUseIsRefused() async throws {
        try await withDirectory { directory in
            try await withServer(in: directory) { server in
                try await server.start()
                let second = PostgresServer(directory: directory)
                let error = await #expect(throws: PostgresServerError.self) { try await second.start() }
                #expect(error?.reason.contains("another process") == true)
                let one = try await query("SELECT 1::int8", server)
                #expect(one == [1])
            }
        }
    }

    @Test func aFirstRunThatWasKilledIsBegunAgain() async throws {
        try await withDirectory { directory in
            try await shell("mkdir -p \(directory)/data.new/base; touch \(directory)/data.new/PG_VERSION")
            try await withServer(in: directory) { server in
                try await server.start()
                let one = try await query("SELECT 1::int8", server)
                #expect(one == [1])
            }
        }
    }

    @Test func aPathTooLongForASocketGetsOneElsewhere() async throws {
        try await withDirectory("-" + String(repeating: "long", count: 25)) { directory in
            try await withServer(in: directory) { server in
                try await server.start()
                #expect(!server.url.contains("longlong"))
                let one = try await query("SELECT 1::int8", server)
                #expect(one == [1])
                try await server.stop()
                let sockets = try #require(server.url.split(separator: "%2F").last?.split(separator: "&").first)
                try await shell("rmdir /tmp/\(sockets)")
            }
        }
    }

    @Test func whatTheServerSaysIsInTheError() async throws {
        try await withDirectory { directory in
            let server = PostgresServer(directory: directory, settings: ["shared_buffers": "lots"])
            let error = await #expect(throws: PostgresServerError.self) { try await server.start() }
            #expect(error?.log.contains("invalid value for parameter \"shared_buffers\"") == true)
            // It was stopped all the time, and can be asked again.
            try await server.stop()
            await #expect(throws: PostgresServerError.self) { try await server.start() }
        }
    }

    @Test func aDirectoryWithSomethingElseInItIsLeftAlone() async throws {
        try await withDirectory { directory in
            try await shell("mkdir \(directory); echo precious > \(directory)/file")
            let before = try await shell("stat -c '%U %a' \(directory)")
            let error = await #expect(throws: PostgresServerError.self) {
                try await PostgresServer(directory: directory).start()
            }
            #expect(error?.reason.contains("no directory of ours") == true)
            let after = try await shell("stat -c '%U %a' \(directory); ls \(directory)")
            #expect(after == before + "file\n")
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func aDirectoryItsUserCannotReachIsNamed() async throws {
        try await withDirectory { parent in
            try await shell("mkdir \(parent); chmod 700 \(parent)")
            let error = await #expect(throws: PostgresServerError.self) {
                try await PostgresServer(directory: "\(parent)/a/b").start()
            }
            #expect(error?.reason.contains("may not enter \(parent):") == true)
        }
    }

    @Test func aCancelledStartLeavesNothingRunning() async throws {
        try await withDirectory { directory in
            try await withServer(in: directory) { server in
                try await server.start()
                try await server.stop()
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await server.start()
                }
                await #expect(throws: PostgresServerError.self) { try await task.value }
                try await shell("! test -e \(directory)/data/postmaster.pid")
                try await server.start()
            }
        }
    }
}
