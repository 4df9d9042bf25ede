import HTTP
import WebClient

/// Runs a client for the time of `body` and waits for the end of its thread.
func withClient(
    _ configuration: WebClient.Configuration = WebClient.Configuration(),
    _ body: (WebClient) async throws -> Void
) async throws {
    let client = WebClient(configuration)
    client.start()
    let result: Result<Void, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    await client.stop()
    try result.get()
}

extension WebClient {
    /// What kind of error a request ends in; nil when it is answered.
    func failure(_ request: WebRequest) async -> WebClientError.Kind? {
        do throws(WebClientError) {
            _ = try await self.send(request)
            return nil
        } catch {
            return error.kind
        }
    }
}

func url(_ port: UInt16, _ target: String = "/") -> String { "http://127.0.0.1:\(port)\(target)" }
