import HTTP
import Lifecycle
import Settings
import Telemetry
import WebServer

/// The operations port of a process: `/healthz`, `/readyz` and `/metrics`.
struct Operations {
    /// What `/readyz` asks, by name.
    var health: [(name: String, health: Health)]
    var metrics: Metrics

    func service(at address: Address, logger: Logger) -> any Service {
        var configuration = WebServer.Configuration(port: address.port)
        configuration.address = address.host
        configuration.threads = 1
        configuration.connectionLimit = 64
        configuration.bodyByteLimit = 1024
        return WebService(configuration, name: "operations", logger: logger) { self.respond(to: $0) }
    }

    private func respond(to request: HTTPRequest) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else {
            return HTTPResponse(status: 405, fields: ["Allow": "GET"], body: [])
        }
        switch request.path {
        case "/healthz": return Self.text(200, "ok\n")
        case "/readyz": return self.readiness
        case "/metrics":
            return HTTPResponse(
                status: 200, fields: ["Content-Type": "text/plain; version=0.0.4"],
                body: Array(self.metrics.render().utf8))
        default: return Self.text(404, "There are /healthz, /readyz and /metrics.\n")
        }
    }

    private var readiness: HTTPResponse {
        let problems = self.health.compactMap { name, health in health.problem.map { "\(name): \($0)\n" } }
        return problems.isEmpty ? Self.text(200, "ready\n") : Self.text(503, problems.joined())
    }

    private static func text(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(status: status, fields: ["Content-Type": "text/plain; charset=utf-8"], body: Array(text.utf8))
    }
}

/// A web server as a service of a process.
struct WebService: Service {
    let server: WebServer
    private let logger: Logger
    private let onListening: @Sendable (UInt16) -> Void

    var name: String { self.server.name }

    init(
        _ configuration: WebServer.Configuration, name: String, logger: Logger,
        onListening: @escaping @Sendable (UInt16) -> Void = { _ in },
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) {
        self.server = WebServer(configuration, name: name, handler: handler)
        self.logger = logger
        self.onListening = onListening
    }

    func run() async throws {
        try await self.server.run { port in
            self.logger.info("listening", ["service": self.name, "port": Int(port)])
            self.onListening(port)
        }
    }

    func drain() { self.server.drain() }
}
