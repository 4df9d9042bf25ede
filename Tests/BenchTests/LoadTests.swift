import HTTP
import Polling
import Synchronization
import Testing
import WebServer

@testable import Bench

struct LoadTests {
    @Test func countsWhatWasAcceptedAndNoMore() async throws {
        let requests = Mutex(0)
        try await Self.withServer { _ in
            requests.withLock { $0 += 1 }
            return HTTPResponse(status: 202, fields: [:], body: Array("{}".utf8))
        } _: { port in
            let result = try await Self.load(port, messages: 100, .openLoop(rate: 2000, count: 50)).run()
            #expect(result.requests == 50)
            #expect(result.accepted == 5000)
            #expect(result.latencies.count == 50)
        }
        #expect(requests.withLock { $0 } == 50)
    }

    @Test func everyMessageGoesToAnotherNumber() async throws {
        let numbers = Mutex<Set<String>>([])
        try await Self.withServer { request in
            let text = String(decoding: request.body, as: UTF8.self)
            numbers.withLock { $0.formUnion(text.split(separator: "\"").filter { $0.hasPrefix("+") }.map(String.init)) }
            return HTTPResponse(status: 202, fields: [:], body: [])
        } _: { port in
            _ = try await Self.load(port, messages: 3, .openLoop(rate: 2000, count: 20)).run()
        }
        #expect(numbers.withLock { $0.count } == 60)
    }

    @Test func callersAreGivenToSendersInTurn() async throws {
        let keys = Mutex<[String: Int]>([:])
        try await Self.withServer { request in
            let key = request.fields["Authorization"] ?? ""
            keys.withLock { $0[key, default: 0] += 1 }
            return HTTPResponse(status: 202, fields: [:], body: [])
        } _: { port in
            let senders = ["a", "b"].map { Load.Sender(request: .messages(1, prefix: "+41"), key: $0) }
            let load = Load(ports: [port], callers: 4, senders: senders, mode: .closedLoop(seconds: 0.2, gate: .open))
            _ = try await load.run()
        }
        #expect(Set(keys.withLock { $0.keys }) == ["Bearer a", "Bearer b"])
    }

    @Test func anEndpointTakesWhatItIsTold() async throws {
        let endpoint = try TakingEndpoint()
        defer { endpoint.close() }
        var load = Self.load(endpoint.port, messages: 100, .openLoop(rate: 2000, count: 40))
        load.senders[0].request = .checks(of: ["01a1fc5e-cd8d-74ec-b144-8cd5fd242a00"], code: "493817")
        #expect(try await load.run().accepted == 40)
        // The last answer is written before its request is counted.
        while endpoint.count < 40 { await Task.yield() }
        #expect(endpoint.count == 40)
    }

    @Test func aRefusalFailsTheLoadWithItsCountAndStatus() async throws {
        let answered = Mutex(0)
        try await Self.withServer { _ in
            let count = answered.withLock { count in
                count += 1
                return count
            }
            return HTTPResponse(status: count <= 5 ? 202 : 503, fields: [:], body: [])
        } _: { port in
            let error = await #expect(throws: BenchError.self) {
                try await Self.load(port, messages: 1, .openLoop(rate: 2000, count: 8)).run()
            }
            #expect(error?.description.contains("3 of 8") == true)
            #expect(error?.description.contains("503") == true)
        }
    }

    @Test func aServerThatIsNotThereFailsTheLoad() async throws {
        let port = try LocalSocket.freePorts(1)[0]
        await #expect(throws: SystemError.self) {
            try await Self.load(port, messages: 1, .openLoop(rate: 10, count: 1)).run()
        }
    }

    @Test func aCancelledLoadEnds() async throws {
        let begun = AsyncStream<Void>.makeStream()
        try await Self.withServer { _ in
            begun.continuation.yield()
            return HTTPResponse(status: 202, fields: [:], body: [])
        } _: { port in
            await withThrowingTaskGroup { group in
                group.addTask {
                    _ = try await Self.load(port, messages: 1, .closedLoop(seconds: 600, gate: .open)).run()
                }
                for await _ in begun.stream { break }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
        }
    }

    private static func load(_ port: UInt16, messages: Int, _ mode: Pacer.Mode) -> Load {
        Load(ports: [port], callers: 4, request: .messages(messages, prefix: "+41"), key: "key", mode: mode)
    }

    private static func withServer(
        _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse, _ body: (UInt16) async throws -> Void
    ) async throws {
        let server = WebServer(WebServer.Configuration(port: 0), name: "api", handler: handler)
        let port = AsyncStream<UInt16>.makeStream()
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run { port.continuation.yield($0) } }
            for await port in port.stream {
                try await body(port)
                break
            }
            server.drain()
            try await group.waitForAll()
        }
    }
}
