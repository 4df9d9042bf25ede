import HTTP
import Synchronization
import WebServer

/// Runs a server on a free port for the time of `body`, then drains it and waits for its end.
func withServer(
    _ configuration: WebServer.Configuration = WebServer.Configuration(),
    handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
    _ body: (_ server: WebServer, _ port: UInt16) async throws -> Void
) async throws {
    let server = WebServer(configuration, name: "test", handler: handler)
    let listening = Event<UInt16>()
    try await withThrowingTaskGroup { group in
        group.addTask { try await server.run { listening.send($0) } }
        let port = try await withTaskCancellationHandler {
            try await listening.next()
        } onCancel: {
            listening.finish()
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(server, port)) } catch { result = .failure(error) }
        server.drain()
        try await group.waitForAll()
        try result.get()
    }
}

/// Something that happens, once or many times, and is waited for in order.
final class Event<Value: Sendable>: Sendable {
    struct Ended: Error {}

    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() { (self.stream, self.continuation) = AsyncStream.makeStream() }

    func send(_ value: Value) { self.continuation.yield(value) }

    func finish() { self.continuation.finish() }

    func next() async throws -> Value {
        for await value in self.stream { return value }
        throw Ended()
    }
}

extension Event<Void> {
    func send() { self.send(()) }
}

/// Counts from several tasks.
final class Count: Sendable {
    private let value = Atomic(0)
    func add() { self.value.add(1, ordering: .relaxed) }
    var now: Int { self.value.load(ordering: .relaxed) }
}
