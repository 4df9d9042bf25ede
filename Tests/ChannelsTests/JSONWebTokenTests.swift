import Crypto
import JSON
import TestKeys
import Testing
import Timestamps

@testable import Channels

@Suite struct JSONWebTokenTests {
    /// What OpenSSL's own tool makes of the same key and claims.
    @Test func mintsRS256() throws {
        let key = try #require(RSAPrivateKey(pem: Secret(TestKey.pem)))
        let claims: JSON = ["application_id": "app-1", "iat": 1_700_000_000, "exp": 1_700_000_900, "jti": "j1"]
        #expect(
            JSONWebToken.mint(claims, key: key)
                == "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhcHBsaWNhdGlvbl9pZCI6ImFwcC0xIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAi"
                + "OjE3MDAwMDA5MDAsImp0aSI6ImoxIn0.kxG9rhc7bDIJf-wI8B02n_ZZOPBy7qpM8kMLXNU9eQ5399anqtflg-cANcwP1dSJkp9lSe"
                + "Csld9Iz0TV_9C1wAaABqb2De6_FtB8F3JOffvinjXfHPVqTpTIMGHglawrdFddryWfoFMtx-OjpjC9BRjhLss6CRvrC5wLi2qekQVo"
                + "caxNmOyFbvPnJAH3t0vBlOYrs1vHDGQ_hwpLKsKSB0J6X-m44CKDZvzpftix16dWcZamc701k6PTbdtSZ7xViw2kjIEtwdxluG-iNY"
                + "MYBT_FyYDBEqDbL_JBlhT2d2LaqjZnpoCBnyWVSI5D5PnMmC5l7I0DipZtP-C7N33Miw")
    }

    /// providers.md section 2.3.
    @Test func readsTheVectorOfVonage() {
        let claims = Self.claims(Self.vonage)
        #expect(claims?["iss"] == "Vonage")
        #expect(claims?["api_key"] == "abcd1234")
        #expect(
            claims?["payload_hash"] == "32138b6475c4c4b55b24b5620e92cdcf326d44d72f5c42535e0d2e865af5b5c7")
        #expect(JSONWebToken.unverifiedClaims(in: Self.vonage) == claims)
    }

    /// Made with Python's hmac.
    @Test(arguments: [
        "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAwMDYwfQ"
            + ".1MT9NYLPqhcUIwygpdqpt0GzL2pMFkLqluMIxgzruxgUNaWfC0iZRMybo_lCQhtQ",
        "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAwMDYwfQ"
            + ".ExUW6A5xc7DMcE7xPy7nIq3S0meC1zmpVzq36lAYp1UEDR0cMn8u6iCeMuc3EEMWbE7poFHOoje8DgnxU9bxJA",
    ])
    func readsLongerCodesWhereTheyAreAllowed(_ token: String) {
        #expect(Self.claims(token, [.hs256, .hs384, .hs512])?["iss"] == "MessageBird")
        #expect(Self.claims(token) == nil)
    }

    @Test func eachChangedByteVoidsIt() {
        for index in Self.vonage.utf8.indices {
            var bytes = Array(Self.vonage.utf8)
            bytes[Self.vonage.utf8.distance(from: Self.vonage.startIndex, to: index)] ^= 1
            #expect(Self.claims(String(decoding: bytes, as: UTF8.self)) == nil)
        }
        #expect(JSONWebToken.claims(in: Self.vonage, secret: Secret("sigsecreT"), algorithms: [.hs256], now: .v) == nil)
    }

    @Test(arguments: [
        #"{"alg":"none"}"#, #"{"alg":"RS256"}"#, #"{"alg":"hs256"}"#, #"{"alg":7}"#, #"{}"#, #"[]"#,
        #"{"alg":"HS256","crit":["b64"]}"#,
    ])
    func anotherHeaderIsRefusedThoughItIsSigned(_ header: String) {
        let token = Self.token(header, #"{"iss":"x"}"#)
        #expect(Self.claims(token, Set(JSONWebToken.Algorithm.allCases)) == nil)
        let pieces = token.split(separator: ".")
        #expect(Self.claims("\(pieces[0]).\(pieces[1]).", Set(JSONWebToken.Algorithm.allCases)) == nil)
    }

    @Test(arguments: [
        (#"{"exp":1700000000}"#, true), (#"{"exp":1699999941}"#, true), (#"{"exp":1699999940}"#, false),
        (#"{"exp":1699999940.5}"#, true), (#"{"exp":"1800000000"}"#, false), (#"{"exp":null}"#, false),
        (#"{"nbf":1700000060}"#, true), (#"{"nbf":1700000061}"#, false), (#"{"nbf":[]}"#, false),
        (#"{"nbf":1699999000,"exp":1700009000}"#, true), ("{}", true), ("[]", false), ("7", false), ("", false),
    ])
    func isOfItsTime(_ claims: String, _ isGood: Bool) {
        let token = Self.token(#"{"alg":"HS256"}"#, claims)
        #expect((Self.claims(token) != nil) == isGood)
    }

    @Test(arguments: [
        "", ".", "..", "...", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30", "eyJhbGciOiJIUzI1NiJ9.e30.=.",
        String(repeating: "A", count: 9000), "\u{0}.\u{0}.\u{0}", "é.é.é",
    ])
    func garbageIsNoToken(_ token: String) {
        #expect(Self.claims(token) == nil)
        #expect(JSONWebToken.unverifiedClaims(in: token) == nil)
    }

    // MARK: - Private

    static let vonage =
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3MDAwMDAwMDAsImp0aSI6ImoxIiwiaXNzIjoiVm9uYWdlIiwicGF5bG9hZF9o"
        + "YXNoIjoiMzIxMzhiNjQ3NWM0YzRiNTViMjRiNTYyMGU5MmNkY2YzMjZkNDRkNzJmNWM0MjUzNWUwZDJlODY1YWY1YjVjNyIsImFwaV9rZXki"
        + "OiJhYmNkMTIzNCJ9.3rVD4vqSGAUK5gVTSbPNRPYklhSKfUeH0cMP3PGkEQE"

    private static func claims(
        _ token: String, _ algorithms: Set<JSONWebToken.Algorithm> = [.hs256]
    ) -> JSON? {
        JSONWebToken.claims(in: token, secret: Secret("sigsecret"), algorithms: algorithms, now: .v)
    }

    private static func token(_ header: String, _ claims: String) -> String {
        let signed = "\(Base64.encode(Array(header.utf8), .url)).\(Base64.encode(Array(claims.utf8), .url))"
        let code = Digest.sha256.authenticate(Array(signed.utf8), key: Secret("sigsecret"))
        return "\(signed).\(Base64.encode(code, .url))"
    }
}

extension Timestamp {
    /// When the contract's vectors were signed.
    static let v = Timestamp(seconds: 1_700_000_000)
}
