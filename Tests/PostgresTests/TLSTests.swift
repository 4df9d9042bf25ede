import Glibc
import Polling
import PostgresServer
import TestDatabase
import Testing

@testable import Postgres

@Suite struct TLSTests {
    /// Runs `body` with the connection string of a server that speaks TLS on 127.0.0.1 and calls itself `pinpost.test`,
    /// lacking only the host's name, and with the directory of its certificate, `server.crt`.
    private func withTLSServer(_ body: (_ conninfo: String, _ certificates: String) async throws -> Void) async throws {
        let port = try freePort()
        let certificates = "/tmp/pinpost-tls-\(getpid())-\(port)"
        try await self.shell("umask 022; mkdir \(certificates); cd \(certificates); \(makeCertificates)")
        let settings = [
            "listen_addresses": "127.0.0.1", "port": "\(port)", "ssl": "on", "hba_file": "\(certificates)/pg_hba.conf",
            "ssl_cert_file": "\(certificates)/server.crt", "ssl_key_file": "\(certificates)/server.key",
        ]
        try await withOwnServer(settings: settings) { server, _ in
            try await server.start()
            try await body("hostaddr=127.0.0.1 port=\(port) user=pinpost dbname=pinpost", certificates)
        }
        try await self.shell("rm -r \(certificates)")
    }

    private func shell(_ script: String) async throws {
        let child = try await ChildProcess.start(
            "/bin/sh", ["-e", "-c", script], output: .captured(byteLimit: 65536),
            errorOutput: .captured(byteLimit: 65536)
        )
        let status = await child.waitForExit()
        #expect(status.isSuccess, "\(String(decoding: child.errorOutput, as: UTF8.self))")
    }

    @Test func aVerifiedServerIsTalkedToAndOneOfAnotherNameOrAuthorityIsNot() async throws {
        try await withTLSServer { conninfo, certificates in
            let verified = "\(conninfo) sslmode=verify-full sslrootcert=\(certificates)"
            let pool = TestDatabase.pool("\(verified)/server.crt host=pinpost.test")
            let isEncrypted = try await integer(
                "SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()", on: pool)
            #expect(isEncrypted == 1)
            let wrong = try await pool.withConnection { connection in try await roundTripAll(on: connection) }
            #expect(wrong == [])

            for refused in ["\(verified)/server.crt host=other.test", "\(verified)/other.crt host=pinpost.test"] {
                let error = await #expect(throws: PostgresError.self) {
                    try await TestDatabase.pool(refused).execute("SELECT 1")
                }
                guard case .connection(let reason) = error else { throw error ?? .cancelled }
                #expect(reason.contains("certificate"))
            }
            // The server takes nobody without TLS.
            await #expect(throws: PostgresError.self) {
                try await TestDatabase.pool("\(conninfo) host=pinpost.test sslmode=disable").execute("SELECT 1")
            }
        }
    }

    @Test func aStatementIsStoppedOnAServerBehindTLSToo() async throws {
        try await withTLSServer { conninfo, certificates in
            let pool = TestDatabase.pool("\(conninfo) sslmode=require host=pinpost.test", limit: 2)
            await #expect(throws: PostgresError.timedOut) {
                try await pool.execute("SELECT pg_sleep(600), 'slow'", timeout: .milliseconds(30))
            }
            try await eventually(slowStatements, is: 0, on: pool)
        }
    }
}

/// `other.crt` is for the same name, but did not sign the server's.
private let makeCertificates = """
    for name in server other; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=pinpost.test \
            -addext subjectAltName=DNS:pinpost.test -keyout $name.key -out $name.crt
    done
    chmod 600 server.key
    if [ $(id -u) = 0 ]; then chown postgres server.key; fi
    printf 'local all all trust\\nhostssl all all 127.0.0.1/32 trust\\n' > pg_hba.conf
    """
