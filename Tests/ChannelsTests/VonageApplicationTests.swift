import Crypto
import HTTP
import JSON
import Messaging
import TestKeys
import Testing
import Timestamps

@testable import Channels

@Suite struct VonageApplicationTests {
    private static func account(_ change: (inout [String: String]) -> Void = { _ in }) -> ProviderAccount {
        var credentials = [
            "application_id": "app-1", "private_key": TestKey.pem, "signature_secret": "sigsecret",
            "api_key": "abcd1234",
        ]
        change(&credentials)
        return Sample.account(.vonageMessages, credentials)
    }

    @Test func aTokenIsUsedForMinutes() throws {
        let key = try #require(RSAPrivateKey(pem: Secret(TestKey.pem)))
        let tokens = VonageTokens(application: "app-1", key: key)
        let first = tokens.token(at: Sample.now)
        #expect(tokens.token(at: Sample.now + .seconds(599)) == first)
        #expect(tokens.token(at: Sample.now + .seconds(601)) != first)
        // A clock that was set back.
        #expect(tokens.token(at: Sample.now - .seconds(3600)) != first)
        let claims = try #require(JSONWebToken.unverifiedClaims(in: first))
        #expect(claims["application_id"] == "app-1")
        #expect(claims["iat"] == .integer(Sample.now.seconds))
        #expect(claims["exp"] == .integer(Sample.now.seconds + 900))
        #expect(claims["jti"]?.string?.count == 32)
    }

    @Test func requestsCarryTheToken() throws {
        let driver = try Sample.httpDriver(Self.account())
        let authorization = driver.request(for: [Sample.dispatch()], now: Sample.now).fields["Authorization"] ?? ""
        #expect(authorization.hasPrefix("Bearer eyJ"))
        #expect(driver.request(for: [Sample.dispatch()], now: Sample.now).fields["Authorization"] == authorization)
    }

    /// providers.md section 2.3, body and token.
    @Test func theVectorOfTheContractIsTaken() throws {
        let driver = try Sample.httpDriver(Self.account())
        let receipts = try driver.receipts(in: Self.vector(), now: .v)
        #expect(receipts.map(\.verdict.state) == [.delivered])
        #expect(receipts.map(\.part) == ["aaaaaaaa-bbbb-cccc-dddd-0123456789ab"])
        // As long as it is sent again, and no longer.
        #expect(try driver.receipts(in: Self.vector(), now: .v + .seconds(90_000)).count == 1)
        for age in [90_001, -301] {
            #expect(throws: ReceiptRefusal.unauthenticated) {
                try driver.receipts(in: Self.vector(), now: .v + .seconds(age))
            }
        }
    }

    @Test func anotherAccountsTokenIsRefused() throws {
        let driver = try Sample.httpDriver(Self.account { $0["api_key"] = "other" })
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: Self.vector(), now: .v) }
        let careless = try Sample.httpDriver(Self.account { $0["api_key"] = nil })
        #expect(try careless.receipts(in: Self.vector(), now: .v).count == 1)
    }

    /// A callback that nobody signed is to come again; one that is signed wrongly is not.
    @Test func anUnsignedCallbackIsAskedForAgain() throws {
        let driver = try Sample.httpDriver(Self.account())
        var request = Self.vector()
        request.fields["Authorization"] = nil
        #expect(driver.status(of: .unauthenticated, of: request) == 503)
        #expect(driver.status(of: .unauthenticated, of: Self.vector()) == 403)
        #expect(driver.status(of: .malformed("x"), of: request) == 400)
    }

    /// Not confirmed (providers.md section 2.3): whether every token has a hash of the body.
    @Test func aTokenWithoutAHashIsTaken() throws {
        let driver = try Sample.httpDriver(Self.account())
        var request = Self.vector()
        let claims: JSON = ["iat": 1_700_000_000, "api_key": "abcd1234"]
        request.fields["Authorization"] = "Bearer \(hmacToken(claims, "sigsecret"))"
        #expect(try driver.receipts(in: request, now: .v).count == 1)
        for claims: JSON in [
            ["iat": 1_700_000_000, "api_key": "abcd1234", "payload_hash": ""], ["api_key": "abcd1234"],
            ["iat": 1_700_000_000, "api_key": "abcd1234", "payload_hash": 7],
            ["iat": "1700000000", "api_key": "abcd1234"],
        ] {
            request.fields["Authorization"] = "Bearer \(hmacToken(claims, "sigsecret"))"
            #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: .v) }
        }
    }

    @Test func aTokenInTheAddressWillDoForUnsignedCallbacks() throws {
        let account = Self.account {
            $0["signature_secret"] = nil
            $0["api_key"] = nil
            $0["receipt_token"] = Sample.token
        }
        let driver = try Sample.httpDriver(account)
        var request = Self.vector()
        request.fields["Authorization"] = nil
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: .v) }
        request.path += "/\(Sample.token)"
        #expect(try driver.receipts(in: request, now: .v).count == 1)
    }

    @Test(arguments: [
        ("private_key", "no key", "credential private_key is no RSA key of 2048 bits or more in PEM"),
        ("private_key", nil, "credential private_key is missing"),
        ("application_id", nil, "credential application_id is missing"),
        ("signature_secret", nil, "signature_secret or receipt_token is needed, or anybody could forge receipts"),
    ])
    func aWrongAccountIsTold(_ name: String, _ value: String?, _ problem: String) {
        let error = #expect(throws: ProviderProblems.self) { try Drivers.make(Self.account { $0[name] = value }) }
        #expect(error?.problems.contains(problem) == true)
    }

    /// Where nobody looks out for machines, a call that ended well was heard.
    @Test func withoutDetectionACompletedCallIsDelivered() throws {
        let item = ConformanceCase.vonageVoice
        var account = item.account
        account.settings["machine_detection"] = "off"
        let driver = try Sample.httpDriver(account)
        func verdict(_ request: HTTPRequest) throws -> Verdict? {
            try driver.receipts(in: vonageTokenProof(request), now: Sample.now).first?.verdict
        }
        #expect(try verdict(item.report("completed", "")) == .delivered)
        #expect(try verdict(item.report("human", "")) == .sent)
        var silent = item.report("completed", "")
        silent.body = Array(#"{"uuid":"1","status":"completed","duration":"0"}"#.utf8)
        #expect(try verdict(silent)?.reason == .noAnswer)
    }

    // MARK: - Private

    private static func vector() -> HTTPRequest {
        HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Authorization": "Bearer \(JSONWebTokenTests.vonage)"],
            body: Array(
                #"{"message_uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab","status":"delivered"}"#.utf8))
    }
}
