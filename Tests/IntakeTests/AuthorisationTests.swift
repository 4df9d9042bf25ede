import Crypto
import HTTP
import JSON
import Messaging
import Telemetry
import TestSystem
import Testing
import Timestamps

@testable import Intake
@testable import Store

@Suite struct AuthorisationTests {
    /// What is given as `Authorization`, or nothing.
    private static let badCredentials: [String?] = [
        nil, "", "Bearer", "Bearer ", "Basic YWNtZTphY21l", "Bearer wrong-key-0123456789", "Bearer short",
        "Bearer \(IntakeFixture.expiredKey)", "Bearer \(IntakeFixture.revokedKey)", IntakeFixture.key,
        "Bearer \(IntakeFixture.key)x", "Bearer \(IntakeFixture.key) ", "Bearer \(IntakeFixture.key.uppercased())",
        "Bearer pinpost_0000000000000000000000000000000000000000000000000", "Bearer \u{1F511}\(IntakeFixture.key)",
    ]

    private static let resources = [
        ("POST", "/v1/messages"), ("GET", "/v1/messages"), ("HEAD", "/v1/messages"),
        ("GET", "/v1/messages/0192d1e4-7000-7000-8000-000000000001"), ("GET", "/v1/messages/nonsense"),
        ("POST", "/v1/messages/0192d1e4-7000-7000-8000-000000000001/cancel"), ("POST", "/v1/messages/nonsense/cancel"),
    ]

    @Test func withoutAKeyThatIsValidNothingIsAnswered() async throws {
        try await IntakeFixture.run { fixture async throws in
            for (method, path) in Self.resources {
                for credential in Self.badCredentials {
                    let fields: HTTPFields = credential.map { ["Authorization": $0] } ?? [:]
                    let body = IntakeFixture.message.serialized()
                    let response = await fixture.ask(method, path, key: nil, fields: fields, body: body)
                    #expect(response.status == 401, "\(method) \(path) \(credential ?? "nothing")")
                    #expect(response.code == "unauthorized")
                    #expect(response.fields["WWW-Authenticate"] == "Bearer")
                }
            }
            #expect(try await fixture.stored == 0)
        }
    }

    @Test func theSchemeIsReadInEitherCaseAndWithMoreSpaces() async throws {
        try await IntakeFixture.run { fixture async throws in
            for scheme in ["Bearer ", "bearer ", "BEARER   "] {
                let fields: HTTPFields = ["Authorization": scheme + IntakeFixture.key]
                #expect(await fixture.ask("GET", "/v1/messages", key: nil, fields: fields).status == 200)
            }
        }
    }

    @Test func eachResourceNeedsItsScope() async throws {
        try await IntakeFixture.run { fixture async throws in
            for (method, path) in Self.resources {
                let (wrong, right) =
                    method == "POST"
                    ? (IntakeFixture.readingKey, IntakeFixture.sendingKey)
                    : (IntakeFixture.sendingKey, IntakeFixture.readingKey)
                let refused = await fixture.ask(method, path, key: wrong, body: Array("{}".utf8))
                #expect(refused.status == 403, "\(method) \(path)")
                #expect(refused.code == "missing_scope")
                let taken = await fixture.ask(method, path, key: right, body: Array("{}".utf8))
                #expect(taken.status != 403 && taken.status != 401, "\(method) \(path)")
            }
        }
    }

    @Test func anotherMethodIsToldWhichAreAllowed() async throws {
        try await IntakeFixture.run { fixture async throws in
            let id = "/v1/messages/0192d1e4-7000-7000-8000-000000000001"
            let table = [
                ("/v1/messages", "GET, POST", ["PUT", "DELETE", "PATCH", "OPTIONS", "get", "TRACE"]),
                (id, "GET", ["POST", "PUT", "DELETE", "PATCH"]), ("\(id)/cancel", "POST", ["GET", "HEAD", "DELETE"]),
            ]
            for (path, allowed, methods) in table {
                for method in methods {
                    let response = await fixture.ask(method, path)
                    #expect(response.status == 405, "\(method) \(path)")
                    #expect(response.fields["Allow"] == allowed)
                }
            }
        }
    }

    @Test func whatIsNotThereIsNotFound() async throws {
        let id = "0192d1e4-7000-7000-8000-000000000001"
        let paths = [
            "/", "/v1", "/v1/", "/v1/message", "/v1/messages/", "/v2/messages", "/v1/messages/nonsense", "*", "",
            "/v1/messages/\(id)/", "/v1//messages", "//v1/messages", "/v1/messages/a/b/c", "/v1/%6Dessages",
            "/v1/messages/\(id)/cancel/", "/V1/messages", "/v1/messages/a/delete", "/v1/messages/\(id)0",
        ]
        try await IntakeFixture.run { fixture async throws in
            for path in paths {
                let fields: HTTPFields = ["Authorization": "Bearer \(IntakeFixture.key)"]
                let response = await fixture.respond(
                    to: HTTPRequest(method: "GET", path: path, fields: fields))
                #expect(response.status == 404, "\(path)")
                #expect(response.code == "not_found")
            }
        }
    }

    @Test func aRevokedKeyIsRefusedAtTheNextLook() async throws {
        try await IntakeFixture.run { fixture async throws in
            #expect(await fixture.get("/v1/messages").status == 200)
            let revoked: JSON = [
                "accounts": [
                    [
                        "name": "acme",
                        "keys": [["name": "all", "key": .string(IntakeFixture.key), "revoked": true]],
                    ]
                ]
            ]
            try await fixture.system.apply(revoked)
            #expect(try await fixture.access.refresh())
            #expect(await fixture.get("/v1/messages").status == 401)
            #expect(await fixture.get("/v1/messages", key: IntakeFixture.readingKey).status == 200)
        }
    }

    @Test(arguments: [(-1, false), (3600, true), (nil, true)] as [(Int64?, Bool)])
    func aKeyExpiresByItselfBetweenTwoLooks(seconds: Int64?, isGood: Bool) {
        let key = StoredKey(
            id: 1, account: AccountID(rawValue: 1), accountName: "acme", digest: APIKey.digest(IntakeFixture.key),
            scopes: ["read"], expiresAt: seconds.map { .now + .seconds($0) })
        let access = Access(
            Directory(revision: 1, keys: [key], credentials: [], providers: [], routes: []),
            masterKeys: TestSystem.masterKeys, logger: .silent)
        let request = HTTPRequest(
            method: "GET", path: "/", fields: ["Authorization": "Bearer \(IntakeFixture.key)"])
        let principal = try? access.principal(of: request)
        #expect((principal != nil) == isGood)
    }
}
