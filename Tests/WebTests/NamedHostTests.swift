import Glibc
import HTTP
import Polling
import Testing
import WebClient

/// What a client with a policy is for: calling a name's address by TLS, with the name in the greeting and in the request.
@Suite(.timeLimit(.minutes(1))) struct NamedHostTests {
    @Test func aPermittedNameIsCalledAndItsCertificateVerified() async throws {
        let directory = "/tmp/pinpost-web-\(getpid())"
        try await self.shell("mkdir \(directory); cd \(directory); \(makeCertificate)")
        try await withEgress(
            configure: { $0.certificateFile = "\(directory)/server.crt" },
            names: { _, _ in .init(addresses: ["127.0.0.2"], timeToLive: 60) }
        ) { egress async throws in
            let server = try await ChildProcess.start(
                "/usr/bin/openssl",
                [
                    "s_server", "-accept", "127.0.0.2:\(egress.port)", "-cert", "\(directory)/server.crt", "-key",
                    "\(directory)/server.key", "-www",
                ], output: .captured(byteLimit: 65536), errorOutput: .captured(byteLimit: 65536))
            #expect(await server.waitForLine(until: .now + .seconds(30)) { $0.hasPrefix("ACCEPT") } != nil)
            #expect(try await egress.client.send(WebRequest(url: egress.url("public.test"))).status == 200)
            // The certificate is the first name's, not this one's.
            #expect(await egress.client.failure(WebRequest(url: egress.url("other.test"))) == .notSent)
            #expect(egress.canary.countVisitors() == 0)
            server.kill(SIGTERM)
            _ = await server.waitForExit()
        }
        try await self.shell("rm -r \(directory)")
    }

    private func shell(_ script: String) async throws {
        let child = try await ChildProcess.start(
            "/bin/sh", ["-e", "-c", script], output: .captured(byteLimit: 65536),
            errorOutput: .captured(byteLimit: 65536))
        let status = await child.waitForExit()
        #expect(status.isSuccess, "\(String(decoding: child.errorOutput, as: UTF8.self))")
    }
}

private let makeCertificate = """
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout server.key \
    -out server.crt -subj /CN=public.test -addext subjectAltName=DNS:public.test
    """
