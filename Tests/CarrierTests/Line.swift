import Carrier
import Channels
import Crypto
import HTTP
import Messaging
import Timestamps
import WebClient

/// One of our drivers, the carrier as its provider, and a receiver, with sockets between them.
final class Line: Sendable {
    let driver: any HTTPDriver
    let carrier: Carrier
    private let client: WebClient
    private let callbacks: AsyncStream<HTTPRequest>

    init(driver: any HTTPDriver, carrier: Carrier, client: WebClient, callbacks: AsyncStream<HTTPRequest>) {
        self.driver = driver
        self.carrier = carrier
        self.client = client
        self.callbacks = callbacks
    }

    func send(_ dispatch: Dispatch) async throws(WebClientError) -> Outcome {
        let request = self.driver.request(for: [dispatch], now: .now)
        return self.driver.outcomes(for: [dispatch], response: try await self.exchange(request))[0]
    }

    func ask(_ inquiry: Inquiry) async throws -> [Receipt]? {
        guard let request = self.driver.request(for: inquiry, now: .now) else { return nil }
        return self.driver.receipts(for: inquiry, response: try await self.exchange(request))
    }

    /// The next callback, as it came.
    func callback() async -> HTTPRequest {
        for await request in self.callbacks { return request }
        preconditionFailure("the stream never ends")
    }

    func receipts() async throws -> [Receipt] { try self.driver.receipts(in: await self.callback(), now: .now) }

    private func exchange(_ request: OutgoingRequest) async throws(WebClientError) -> HTTPResponse {
        try await self.client.send(
            WebRequest(
                method: request.method, url: request.url, fields: request.fields, body: request.body,
                timeout: .seconds(20)))
    }
}

/// Runs all of it for the time of `body`. `account` is told where the carrier and the receiver are.
func withLine(
    _ configuration: @escaping @Sendable (_ receiptURL: String) -> Carrier.Configuration,
    account: @escaping @Sendable (_ url: String, _ receiptURL: String) -> ProviderAccount,
    _ body: @escaping @Sendable (Line) async throws -> Void
) async throws {
    let (callbacks, arrived) = AsyncStream.makeStream(of: HTTPRequest.self)
    let client = WebClient(WebClient.Configuration())
    client.start()
    let result = await Task {
        try await withServer({ request in
            arrived.yield(request)
            return HTTPResponse(status: 200)
        }) { receiver in
            let receiptURL = "http://127.0.0.1:\(receiver)/receipts/p1"
            let carrier = Carrier(configuration: configuration(receiptURL), client: client)
            try await withServer({ await carrier.respond(to: $0) }) { port in
                let driver = try Drivers.make(account("http://127.0.0.1:\(port)", receiptURL))
                guard case .http(let driver) = driver.wire else { preconditionFailure("no HTTP") }
                let line = Line(driver: driver, carrier: carrier, client: client, callbacks: callbacks)
                try await withThrowingTaskGroup { group in
                    group.addTask { try await carrier.run() }
                    defer { carrier.drain() }
                    try await body(line)
                    carrier.drain()
                    try await group.waitForAll()
                }
            }
        }
    }.result
    await client.stop()
    try result.get()
}
