import Channels
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

/// Whoever may send, and nobody else.
@Suite(.timeLimit(.minutes(3))) struct NexmoAuthenticationTests {
    private typealias Fixture = NexmoFixture

    /// The vectors of dialects.md section 4.2.
    private static let vectors: [(VonageSignature.Method, String)] = [
        (.md5hash, "cab11f742dbf0c7ef39c5e35f6d26b25"), (.md5, "c248f65cb9bd12224bcb025cc5e00d81"),
        (.sha1, "81a49e18a5f1f0726469d899c99d580fa4a27b7b"),
        (.sha256, "b8eb45d3a9f01c052e18de057ac9b201c477b743c29b838d95257a1599cd8c13"),
        (
            .sha512,
            "3dfe42f218000159a025f8eed23b845ea88dd7590415601420a6b2757a0ed31a"
                + "a45e2362a28f0441bc1588b547dac0103bb07800af870aa6e05babb745075d56"
        ),
    ]
    private static let vector = [
        "api_key": "nxkey000", "to": "16365553226", "pin": "4821", "client-ref": "a&b=c", "timestamp": "1700000000",
    ]

    private static func access(_ method: VonageSignature.Method) -> Access {
        let secrets: JSON = ["api_secret": "nxsecret", "signature_secret": "sigsecret"]
        let context = Vendor.nexmo.sealingContext(of: "nxkey000")
        let credential = StoredCredential(
            id: 1, account: AccountID(rawValue: 7), accountName: "acme", vendor: .nexmo, name: "nxkey000",
            secrets: TestSystem.masterKeys.seal(secrets.serialized(), for: context),
            settings: #"{"signature_method":"\#(method.rawValue)"}"#, scopes: ["send"])
        return Access(
            Directory(revision: 1, keys: [], credentials: [credential], providers: [], routes: []),
            masterKeys: TestSystem.masterKeys, logger: .silent)
    }

    @Test(arguments: Self.vectors) func eachMethodIsAsPublished(_ method: VonageSignature.Method, _ sig: String) throws
    {
        let access = Self.access(method)
        for sig in [sig, sig.uppercased()] {
            let request = HTTPRequest(method: "POST", body: Fixture.form(Self.vector.merging(["sig": sig]) { $1 }))
            let parameters = try #require(NexmoParameters(request))
            let caller = try NexmoCaller(request, parameters, window: nil, access)
            #expect(caller.principal.account.rawValue == 7)
            #expect(throws: NexmoCaller.Doubt.wrongSignature) {
                try NexmoCaller(request, parameters, window: .seconds(300), access)
            }
        }
        #expect("\(access)".contains("sigsecret") == false)
    }

    /// Of dialects.md section 4.4: the time in it is the conversion's.
    @Test func aSignedConversionOfVersionFourIsGenuine() throws {
        let body =
            "message-id=0A0000001234567B&delivered=True&timestamp=2020-01-01+12%3A00%3A00&api_key=nxkey000"
            + "&sig=7a5a2ff77050248fe5e065eb2ca525f5a005392bf8b7b4fc3d3cbb53f473254a"
        let request = HTTPRequest(method: "POST", body: Array(body.utf8))
        let caller = try NexmoCaller(
            request, try #require(NexmoParameters(request)), window: nil, Self.access(.sha256))
        #expect(caller.apiKey == "nxkey000")
    }

    @Test func aKeyGoesWithItsSecretOrASignature() async throws {
        try await Fixture.run { fixture async throws in
            let unsigned = Fixture.parameters(["api_secret": nil])
            let signed = Fixture.signed(unsigned)
            var late = Fixture.signed(unsigned, at: .now - .seconds(290))
            let table: [(String, [String: String], Int)] = [
                ("a secret", Fixture.parameters(), 0),
                ("another secret", Fixture.parameters(["api_secret": "nxsecret"]), 4),
                ("a key of nobody", Fixture.parameters(["api_key": "nobody"]), 4),
                ("another's key", Fixture.parameters(["api_key": Fixture.strangersKey]), 0),
                ("no key", Fixture.parameters(["api_key": nil]), 2),
                ("no secret", unsigned, 2), ("an empty secret", Fixture.parameters(["api_secret": ""]), 2),
                ("a signature", signed, 0),
                (
                    "in upper case",
                    signed.mapValues { $0.uppercased() }.merging(
                        unsigned.merging(["timestamp": signed["timestamp"] ?? ""]) { $1 }
                    ) { $1 }, 0
                ),
                ("by another method", Fixture.signed(unsigned, .md5hash), 14),
                ("with another secret", Fixture.signed(unsigned, secret: "x"), 14),
                (
                    "of a key that signs nothing",
                    Fixture.signed(unsigned.merging(["api_key": Fixture.wordyKey]) { $1 }), 14
                ),
                ("of a key of nobody", Fixture.signed(unsigned.merging(["api_key": "nobody"]) { $1 }), 14),
                ("of other parameters", signed.merging(["pin": "1"]) { $1 }, 14),
                ("and one parameter more", signed.merging(["x": "1"]) { $1 }, 14),
                ("an old one", Fixture.signed(unsigned, at: .now - .seconds(400)), 14),
                ("one to come", Fixture.signed(unsigned, at: .now + .seconds(400)), 14),
                ("without a time", Fixture.signed(unsigned, at: nil), 14),
                ("of no time", Fixture.signed(unsigned.merging(["timestamp": "yesterday"]) { $1 }, at: nil), 14),
                (
                    "of the end of time",
                    Fixture.signed(unsigned.merging(["timestamp": "9223372036854775807"]) { $1 }, at: nil), 14
                ),
                (
                    "of the beginning of time",
                    Fixture.signed(unsigned.merging(["timestamp": "-9223372036854775808"]) { $1 }, at: nil), 14
                ),
                ("both", Fixture.signed(Fixture.parameters()), 0),
                ("both, and a wrong signature", Fixture.signed(Fixture.parameters(), .md5), 14),
                ("both, and a wrong secret", Fixture.signed(Fixture.parameters(["api_secret": "x"])), 4),
            ]
            for (what, parameters, status) in table {
                let response = await fixture.ask("POST", Fixture.path, body: Fixture.form(parameters))
                #expect(response.nexmo == status, "\(what): \(response.text)")
            }
            late["sig"] = late["sig"]?.uppercased()
            #expect(await fixture.ask("POST", Fixture.path, body: Fixture.form(late)).nexmo == 0)
        }
    }

    @Test func basicAuthenticationIsForWhoeverGivesNoSecretOtherwise() async throws {
        try await Fixture.run { fixture async throws in
            let bare = Fixture.parameters(["api_key": nil, "api_secret": nil])
            let table: [(String, [String: String], String, Int)] = [
                ("Basic", bare, Fixture.basic(), 0),
                ("in lower case", bare, "basic" + Fixture.basic().dropFirst(5), 0),
                ("and its key", bare.merging(["api_key": Fixture.key]) { $1 }, Fixture.basic(), 0),
                ("and another key", bare.merging(["api_key": Fixture.wordyKey]) { $1 }, Fixture.basic(), 4),
                ("a wrong password", bare, Fixture.basic(Fixture.key, "x"), 4),
                ("no colon", bare, "Basic " + Base64.encode(Array("nxkey000".utf8)), 2), ("none", bare, "Basic ***", 2),
                ("another scheme", bare, "Bearer \(Fixture.secret)", 2),
                ("a stale one beside parameters", Fixture.parameters(), "Bearer eyJhbGciOi", 0),
                ("a wrong one beside parameters", Fixture.parameters(), Fixture.basic(Fixture.key, "x"), 0),
                ("a right one beside wrong parameters", Fixture.parameters(["api_secret": "x"]), Fixture.basic(), 4),
            ]
            for (what, parameters, authorization, status) in table {
                let response = await fixture.ask(
                    "POST", Fixture.path, body: Fixture.form(parameters), authorization: authorization)
                #expect(response.nexmo == status, "\(what): \(response.text)")
            }
        }
    }
}
