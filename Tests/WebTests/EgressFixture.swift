import Egress
import Glibc
import WebClient

/// A client that may call 127.0.0.2 as if that were a public address, a name server it asks, and a canary on 127.0.0.1
/// at the same port as the host that may be called.
struct EgressFixture {
    let canary: Canary
    let names: NameServer
    let client: WebClient
    /// The port of the canary, and of whoever listens on 127.0.0.2.
    var port: UInt16 { self.canary.port }

    func url(_ host: String, _ target: String = "/") -> String { "https://\(host):\(self.port)\(target)" }

    /// Listens on 127.0.0.2.
    func publicListener() throws -> RawListener { try RawListener(address: 0x7F00_0002, port: self.port) }
}

func withEgress(
    allowed: [String] = ["127.0.0.2/32"], configure: (inout WebClient.Configuration) -> Void = { _ in },
    names: @escaping NameServer.Decision = { _, _ in NameServer.Answer() },
    _ body: (EgressFixture) async throws -> Void
) async throws {
    let canary = try Canary()
    defer { canary.close() }
    let server = try NameServer(names)
    defer { server.close() }
    var configuration = WebClient.Configuration()
    configuration.egress = EgressPolicy(allowed: allowed.map { Network($0)! }, ports: [canary.port])
    configuration.nameServers = [server.address]
    configure(&configuration)
    try await withClient(configuration) { client in
        try await body(EgressFixture(canary: canary, names: server, client: client))
    }
}

extension RawListener {
    /// Takes one connection, reads what comes first, and closes it.
    func hearOnce() async throws -> String {
        try await onThread {
            let connection = try self.accept()
            defer { connection.close() }
            return try connection.receive { !$0.isEmpty }
        }
    }

    /// Takes one request, answers it, and closes the connection.
    func answerOnce(_ answer: String) async throws -> String {
        try await onThread {
            let connection = try self.accept()
            defer { connection.close() }
            let request = try connection.receive { $0.hasSuffix("\r\n\r\n") }
            connection.send(answer)
            return request
        }
    }
}
