import Glibc
import Polling
public import PostgresServer

/// Runs `body` with a server that is nobody else's and runs already, in a directory that is removed afterwards.
public func withOwnServer(_ body: (PostgresServer) async throws -> Void) async throws {
    let directory = "/tmp/pinpost-own-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let server = PostgresServer(directory: directory, settings: ["shared_buffers": "16MB", "fsync": "off"])
    let result: Result<Void, any Error>
    do {
        try await server.start()
        result = .success(try await body(server))
    } catch {
        result = .failure(error)
    }
    try await server.stop(.immediate)
    _ = try await ChildProcess.start("/bin/rm", ["-rf", directory]).waitForExit()
    try result.get()
}
