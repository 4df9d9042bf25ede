import HTTP
import Synchronization
import WebServer

/// Where requests wait while a test holds them.
final class Turnstile: Sendable {
    private struct State {
        var isHeld = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Lets nobody pass until ``release()``.
    func hold() { self.state.withLock { $0.isHeld = true } }

    func release() {
        let waiting = self.state.withLock { state in
            state.isHeld = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for request in waiting { request.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isFree = self.state.withLock { state in
                if state.isHeld { state.waiting.append(continuation) }
                return !state.isHeld
            }
            if isFree { continuation.resume() }
        }
    }
}

/// Runs a web server for the time of `body`, on this port or on a free one. `atEnd` lets go of what it holds.
func withWebServer(
    port: UInt16 = 0, atEnd: () -> Void, handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
    _ body: (_ port: UInt16) async throws -> Void
) async throws {
    let (ports, port_) = AsyncStream<UInt16>.makeStream()
    let server = WebServer(WebServer.Configuration(port: port), name: "test", handler: handler)
    try await withThrowingTaskGroup { group in
        group.addTask {
            defer { port_.finish() }
            try await server.run { port_.yield($0) }
        }
        let result: Result<Void, any Error>
        do {
            guard let port = await ports.first(where: { _ in true }) else {
                try await group.next()
                return
            }
            result = .success(try await body(port))
        } catch {
            result = .failure(error)
        }
        atEnd()
        server.drain()
        try await group.waitForAll()
        try result.get()
    }
}
