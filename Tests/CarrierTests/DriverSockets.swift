import HTTP
import WebClient
import WebServer

/// Runs a server on a free port for the time of `body`.
func withTestServer(
    _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse, _ body: (_ port: UInt16) async throws -> Void
) async throws {
    let server = WebServer(WebServer.Configuration(), name: "test", handler: handler)
    let (ports, port) = AsyncStream<UInt16>.makeStream()
    try await withThrowingTaskGroup { group in
        group.addTask {
            defer { port.finish() }
            try await server.run { port.yield($0) }
        }
        let result: Result<Void, any Error>
        do {
            for await port in ports {
                try await body(port)
                break
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        server.drain()
        try await group.waitForAll()
        try result.get()
    }
}

func withTestClient(_ body: (WebClient) async throws -> Void) async throws {
    let client = WebClient(WebClient.Configuration())
    client.start()
    let result: Result<Void, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    await client.stop()
    try result.get()
}
