import Crypto
import HTTP
import JSON
import Messaging
import Polling
import Postgres
import Store
import Testing
import WebClient

extension SystemTests {
    /// Mails by SMTP: to a server that others wrote, and to the carrier's.
    @Suite struct SMTPTests {
        private static let token = "bounces-0123456789"

        private static func provider(
            _ name: String, _ url: String, credentials: [String: JSON] = [:], settings: [String: JSON] = [:]
        ) -> JSON {
            [
                "name": .string(name), "kind": "smtp", "url": .string(url),
                "sender": "Pinpost Grüße <codes@example.com>",
                "credentials": .object(credentials.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }),
                "settings": .object(settings.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }),
                "in_flight": 4, "per_second": 1000, "timeout": 10,
            ]
        }

        @Test func aServerThatOthersWroteTakesOurMailsAndBouncesOne() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let (certificate, key) = try await Self.certificate(in: deployment.directory)
                let (startTLS, tls) = (Ports.take(), Ports.take())
                let names = ["starttls", "tls", "untrusted"]
                let keys = Dictionary(uniqueKeysWithValues: names.map { ($0, APIKey.make().text) })
                let login: [String: JSON] = [
                    "username": "anna", "password": "swordfish-17", "receipt_token": .string(Self.token),
                    "bounce_key": "0123456789abcdef",
                ]
                let settings: [String: JSON] = [
                    "ehlo_name": "out.example.com", "bounce_domain": "in.example.com", "ca_file": .string(certificate),
                ]
                let result = try await deployment.apply([
                    "accounts": .array(
                        names.map { name in
                            ["name": .string(name), "keys": [["name": "main", "key": .string(keys[name] ?? "")]]]
                        }),
                    "providers": [
                        Self.provider(
                            "starttls", "smtp://localhost:\(startTLS)", credentials: login, settings: settings),
                        Self.provider("tls", "smtps://localhost:\(tls)", credentials: login, settings: settings),
                        Self.provider(
                            "untrusted", "smtp://localhost:\(startTLS)", credentials: login,
                            settings: settings.filter { $0.key != "ca_file" }),
                    ],
                    "routes": .array(
                        names.map { ["account": .string($0), "channel": "email", "provider": .string($0)] }),
                ])
                guard result.status.isSuccess else { throw Failure("not applied: \(result.errorOutput)") }
                for role in [ManagedProcess.Role.receiver, .worker, .api] { try await deployment.start(role) }
                try await PythonPeer(script: "smtp_peer", requirements: nil).run([
                    "PINPOST_URL": "http://127.0.0.1:\(deployment.ports.api)", "PINPOST_KEY": keys["tls"] ?? "",
                    "CARRIER_URL": "http://127.0.0.1:1",
                    "KEYS": JSON.object(keys.map { .init($0.key, .string($0.value)) }).text,
                    "PORTS": "{\"starttls\": \(startTLS), \"tls\": \(tls)}",
                    "CERTIFICATE": certificate, "CERTIFICATE_KEY": key, "SMTP_USER": "anna",
                    "SMTP_PASSWORD": "swordfish-17",
                    "RECEIVER_URL": "http://127.0.0.1:\(deployment.ports.receiver)/receipts/starttls/\(Self.token)",
                ])
                for (name, log) in deployment.logs {
                    for secret in ["swordfish-17", "493817", "anna.berg", Self.token] {
                        #expect(!log.contains(secret), "\(name) logs a secret")
                    }
                }
            }
        }

        @Test func theCarrierTakesMailsAndItsFaultsAreWhatTheySay() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let port = Ports.take()
                let result = try await deployment.apply([
                    "providers": [
                        Self.provider(
                            "mails", "smtp://127.0.0.1:\(port)",
                            settings: ["security": "none", "greylist_seconds": "1"])
                    ],
                    "routes": [["channel": "email", "provider": "mails"]],
                ])
                guard result.status.isSuccess else { throw Failure("not applied: \(result.errorOutput)") }
                try await deployment.start(.carrier, settings: ["CARRIER_SMTP_LISTEN": "127.0.0.1:\(port)"])
                for role in [ManagedProcess.Role.receiver, .worker, .api] { try await deployment.start(role) }
                let mail = { (to: String) -> JSON in
                    ["to": .string(to), "channel": "email", "subject": "Grüße", "body": "Ihr Code ist 493817\n"]
                }
                let id = try await deployment.accept(mail("anna@example.com"))
                _ = try await deployment.message(id, being: "accepted")
                let inbox = try await deployment.client.send(
                    WebRequest(url: "http://127.0.0.1:\(deployment.ports.carrier)/inbox?to=anna@example.com"))
                #expect(
                    inbox.text.contains(#""text":"Ihr Code ist 493817""#) && inbox.text.contains(#""subject":"Grüße""#))
                let refused = try await deployment.accept(mail("+9990000001@example.com"))
                #expect(
                    try await deployment.message(refused, being: "failed")["reason"]?.string == "invalid_destination")
                // Greylisted once, and taken when it comes again.
                let rule: JSON = ["fault": "throttle", "provider": "smtp", "to": "berta", "times": 1]
                _ = try await deployment.client.send(
                    WebRequest(
                        method: "POST", url: "http://127.0.0.1:\(deployment.ports.carrier)/faults",
                        body: rule.serialized()))
                let greylisted = try await deployment.accept(mail("berta@example.com"))
                _ = try await deployment.message(greylisted, being: "accepted")
                let attempts: Int64 = try await deployment.value(
                    "SELECT count(*) FROM attempts WHERE message_id = \(greylisted)")
                #expect(attempts == 2)
            }
        }

        /// A certificate for `localhost` that nobody but its own file vouches for.
        private static func certificate(in directory: String) async throws -> (certificate: String, key: String) {
            let (certificate, key) = ("\(directory)/smtp.pem", "\(directory)/smtp.key")
            let child = try await ChildProcess.start(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
                ], output: .discard, errorOutput: .discard)
            guard await child.waitForExit().isSuccess else { throw Failure("openssl made no certificate") }
            return (certificate, key)
        }
    }
}
