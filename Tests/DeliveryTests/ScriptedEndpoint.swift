import HTTP
import JSON
import Synchronization

/// Stands where a customer's endpoint would be: keeps what it is told, and answers as the test says.
final class ScriptedEndpoint: Sendable {
    private struct State {
        var told: [HTTPRequest] = []
        var decide: @Sendable (HTTPRequest) -> HTTPResponse = { _ in HTTPResponse(status: 204) }
    }

    private let state = Mutex(State())
    private let turnstile = Turnstile()
    let url: String

    init(port: UInt16) { self.url = "http://127.0.0.1:\(port)/hook" }

    /// All requests, in the order of their arrival, those too that have no answer yet.
    var told: [HTTPRequest] { self.state.withLock { $0.told } }

    /// What it was told, in our own words: the type of each event.
    var types: [String?] { self.told.map { (try? JSON(parsing: $0.body))?["type"]?.string } }

    /// Answers so from now on.
    func answer(_ decide: @escaping @Sendable (HTTPRequest) -> HTTPResponse) {
        self.state.withLock { $0.decide = decide }
    }

    /// Answers the next requests with these, in the order in which they come, and the others with 204.
    func answer(_ answers: HTTPResponse...) {
        let left = Mutex(answers)
        self.answer { _ in left.withLock { $0.isEmpty ? HTTPResponse(status: 204) : $0.removeFirst() } }
    }

    /// Answers nothing until ``release()``.
    func hold() { self.turnstile.hold() }

    func release() { self.turnstile.release() }

    func waitForRequests(_ count: Int) async throws {
        while self.told.count < count { try await Task.sleep(for: .milliseconds(2)) }
    }

    fileprivate func respond(to request: HTTPRequest) async -> HTTPResponse {
        let decide = self.state.withLock { state in
            state.told.append(request)
            return state.decide
        }
        await self.turnstile.pass()
        return decide(request)
    }
}

/// Runs an endpoint's web server for the time of `body`.
func withEndpoint(_ body: (ScriptedEndpoint) async throws -> Void) async throws {
    let known = Mutex<ScriptedEndpoint?>(nil)
    try await withWebServer(atEnd: { known.withLock { $0 }?.release() }) { request in
        guard let endpoint = known.withLock({ $0 }) else { return HTTPResponse(status: 503) }
        return await endpoint.respond(to: request)
    } _: { port in
        let endpoint = ScriptedEndpoint(port: port)
        known.withLock { $0 = endpoint }
        try await body(endpoint)
    }
}
