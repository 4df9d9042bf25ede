import HTTP
import JSON
import Messaging
import Telemetry
import TestSystem
import Testing

@Suite struct RefusalTests {
    @Test func anUnknownProviderIsNotFound() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            for path in [
                "", "/", "/receipts", "/receipts/", "/receipts/none", "/receipt/vonage", "/vonage", "/receipts/%zz",
            ] {
                for method in ["GET", "POST", "PUT"] {
                    #expect(await fixture.post(HTTPRequest(method: method, path: path)).status == 404, "\(path)")
                }
            }
        }
    }

    @Test func anotherMethodIsToldWhichAreAllowed() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            for method in ["PUT", "DELETE", "HEAD", "PATCH", "post"] {
                var request = ReceiptsFixture.vonage("p1")
                request.method = method
                let response = await fixture.post(request)
                #expect(response.status == 405, "\(method)")
                #expect(response.fields["Allow"] == "GET, POST")
            }
        }
    }

    @Test func whatProvesNothingIsForbiddenAndStoresNothing() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            let id = try await fixture.handedOver([["p1"]], to: "signed")[0]
            var unsigned = ReceiptsFixture.signed("p1", of: id)
            unsigned.body = Array(String(decoding: unsigned.body, as: UTF8.self).split(separator: "&sig=")[0].utf8)
            var changed = ReceiptsFixture.signed("p1", of: id)
            changed.body = Array(
                String(decoding: changed.body, as: UTF8.self).replacing("delivered", with: "failed").utf8)
            let requests = [
                ReceiptsFixture.vonage("p1", of: id, token: "wrong-0123456789000"),
                HTTPRequest(method: "GET", path: "/receipts/vonage", query: "messageId=p1&status=delivered"),
                unsigned, changed, ReceiptsFixture.signed("p1", of: id, secret: "another-secret"),
                ReceiptsFixture.signed("p1", of: id, age: .seconds(300_000)),
                ReceiptsFixture.signed("p1", of: id, age: .seconds(-1000)),
                ReceiptsFixture.infobip(["\(id)"], authorization: nil),
                ReceiptsFixture.infobip(["\(id)"], authorization: "Basic d3Jvbmc6d3Jvbmc="),
                ReceiptsFixture.infobip(["\(id)"], authorization: "Bearer x"),
                HTTPRequest(method: "POST", path: "/receipts/nobody", body: Array("{}".utf8)),
            ]
            for (index, request) in requests.enumerated() {
                let response = await fixture.post(request)
                #expect(response.status == 403, "request \(index)")
            }
            #expect(try await fixture.receipts == 0)
            #expect(try await fixture.unmatched == 0)
            #expect(fixture.metrics.render().contains(#"refused_total{reason="unauthenticated"} \#(requests.count)"#))
            #expect(await fixture.post(ReceiptsFixture.signed("p1", of: id)).status == 200)
            #expect(try await fixture.system.states() == ["delivered"])
        }
    }

    /// Refused, it would come again for days (providers.md section 8 rule 6).
    @Test func whatIsAuthenticAndCannotBeReadIsTakenAndCounted() async throws {
        try await ReceiptsFixture.run { fixture async throws in
            func vonage(_ query: String) -> HTTPRequest {
                var request = ReceiptsFixture.vonage("p1")
                request.query = query
                return request
            }
            let requests = [
                vonage(""), vonage("messageId=p1"), vonage("status=delivered"), vonage("messageId=&status=delivered"),
                vonage("messageId=%zz&status=delivered"), vonage("messageId=%FF&status=delivered"),
                ReceiptsFixture.infobip(body: []), ReceiptsFixture.infobip(body: Array("{".utf8)),
                ReceiptsFixture.infobip(body: Array("{}".utf8)), ReceiptsFixture.infobip(body: Array("[]".utf8)),
                ReceiptsFixture.infobip(body: Array(#"{"results":1}"#.utf8)),
                ReceiptsFixture.infobip(body: [0x7B, 0xFF, 0x7D]),
                ReceiptsFixture.infobip(Array(repeating: "x", count: 2001)),
            ]
            for (index, request) in requests.enumerated() {
                #expect(await fixture.post(request).status == 200, "request \(index)")
            }
            #expect(try await fixture.receipts == 0)
            // Once a provider and reason: they tell an operator what to look for, not how often.
            #expect(try await (1..<requests.count).contains(fixture.unmatched))
            #expect(fixture.metrics.render().contains(#"refused_total{reason="malformed"} \#(requests.count)"#))
        }
    }
}
