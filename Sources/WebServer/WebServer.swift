public import HTTP
import Synchronization

/// An HTTP/1.1 server on one address and port.
///
/// ``run(onListening:)`` is its life: it listens, runs the handler for every complete request in a child task of its
/// own, and returns after ``drain()`` or a cancellation once every accepted request is answered and sent.
///
/// The handler always answers, in whatever time `handlerDeadline` gives it. Past the deadline its task is cancelled
/// and the server answers 503; what the handler returns after that is dropped. A client that goes away meanwhile is
/// not noticed: the handler finishes and its response is dropped.
///
/// What no handler should see is refused here: broken request lines and fields, ambiguous framing, bodies and heads
/// over their limits, requests over the request limit or the body budget, or during a drain. A connection is closed behind a refusal, and
/// behind a chunked request, whose framing libmicrohttpd reads more leniently than RFC 9112 allows.
public final class WebServer: Sendable {
    public let name: String
    let configuration: Configuration
    let connections = ClientConnections()
    let exchanges: OpenExchanges
    let bodyBudget: BodyBudget
    private let accepted = AcceptedRequests()
    private let handler: @Sendable (HTTPRequest) async -> HTTPResponse
    private let daemon = Mutex<Daemon?>(nil)

    /// `name` is for whoever reports about services; `handler` is called concurrently.
    public init(
        _ configuration: Configuration, name: String, handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) {
        precondition(configuration.requestLimit > 0, "a server that answers no request at once answers none")
        precondition((1 << 10...1 << 20).contains(configuration.headerByteLimit), "headerByteLimit is 1 KiB...1 MiB")
        precondition((1...64).contains(configuration.threads), "a server has 1 to 64 threads")
        precondition(
            configuration.bodyBudget >= configuration.bodyByteLimit, "a body of the longest length fits the bodyBudget")
        self.configuration = configuration
        self.name = name
        self.handler = handler
        self.exchanges = OpenExchanges(limit: configuration.requestLimit)
        self.bodyBudget = BodyBudget(limit: configuration.bodyBudget)
    }

    /// Serves until ``drain()`` is called or the task is cancelled, then returns when all accepted requests are
    /// answered. A cancellation also cancels the handlers that run. To be called once.
    ///
    /// - Throws: when the address cannot be bound; nothing has been served then.
    public func run(onListening: @Sendable (UInt16) -> Void = { _ in }) async throws(WebServerError) {
        guard !self.exchanges.isDraining else { return }
        let listener = try ListeningSocket(address: self.configuration.address, port: self.configuration.port)
        // Closed last: libmicrohttpd may poll it until it has stopped.
        defer { listener.close() }
        let daemon = try Daemon(serving: self, on: listener)
        self.daemon.withLock { $0 = daemon }
        // Between the guard and here somebody may have drained, and found no daemon to quiesce.
        if self.exchanges.isDraining { daemon.quiesce() }
        onListening(listener.port)
        await withTaskCancellationHandler {
            await self.serve()
        } onCancel: {
            self.drain()
        }
        self.daemon.withLock { $0 = nil }
        daemon.stop()
    }

    /// Stops accepting connections, and refuses with 503 the requests that still come on open ones. ``run()`` returns
    /// once the requests accepted before are answered.
    public func drain() {
        self.exchanges.drain()
        self.accepted.finish()
        self.daemon.withLock { $0 }?.quiesce()
    }

    // MARK: - Private

    private func serve() async {
        await withTaskGroup { group in
            group.addTask { await self.sweep() }
            await withDiscardingTaskGroup { handlers in
                while let batch = await self.accepted.next() {
                    for accepted in batch { handlers.addTask { await self.answer(accepted) } }
                }
            }
            await self.exchanges.waitUntilSent()
            group.cancelAll()
        }
    }

    private func answer(_ accepted: AcceptedRequests.Accepted) async {
        await withUnsafeCurrentTask { task in
            guard let request = accepted.exchange.takeRequest(handledBy: HandlingTask(task)) else { return }
            accepted.exchange.answer(await self.handler(request))
        }
        self.exchanges.leave(accepted.place)
    }

    /// Looks after both deadlines. One look at all exchanges now and then costs less than a timer for each.
    private func sweep() async {
        let deadline = self.configuration.handlerDeadline
        let interval = min(max(deadline / 40, .milliseconds(5)), .milliseconds(500))
        while (try? await Task.sleep(for: interval)) != nil {
            for exchange in self.exchanges.overdue(after: deadline) {
                exchange.answer(self.refusal(503, of: exchange), cancelling: true)
            }
            self.connections.shutDown(after: self.configuration.requestDeadline)
        }
    }

    // MARK: - On the daemon's threads

    /// Gives a complete request to a handler, or refuses it with a status.
    func accept(_ exchange: Exchange) -> HTTPResponse? {
        guard let place = self.exchanges.enter(exchange) else { return self.refusal(503, of: exchange) }
        exchange.client.beginAnswering()
        // Suspended first: the handler may answer, and so resume, before `put` returns.
        exchange.suspend()
        if !self.accepted.put(AcceptedRequests.Accepted(exchange: exchange, place: place)) {
            self.exchanges.leave(place)
            exchange.answer(self.refusal(503, of: exchange))
        }
        return nil
    }

    /// The response for what the server refuses itself.
    func refusal(_ status: Int, of exchange: Exchange?) -> HTTPResponse {
        self.configuration.refusal(status, exchange?.target.path)
    }
}
