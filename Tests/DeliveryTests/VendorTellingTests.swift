import Callbacks
import Channels
import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store
import TestSystem
import Testing

@testable import Delivery

/// What a vendor's customers are told, as it arrives at their endpoints.
@Suite(.timeLimit(.minutes(3))) struct VendorTellingTests {
    private static let signatureSecret = "signature-secret-0123456789"

    /// Has a message accepted and delivered, with everything about it told to an endpoint. Where it goes exactly is `path`.
    private func tell(
        _ kind: EndpointKind, secrets: [String: String] = [:], settings: JSON = [:], path: String? = nil,
        isTracked: Bool = false
    ) async throws -> (id: MessageID, told: [HTTPRequest]) {
        var story: (MessageID, [HTTPRequest])?
        try await DeliveryFixture.run { fixture, _ async throws in
            try await withEndpoint { endpoint in
                let stored = try await fixture.endpoint(
                    "vendor", kind: kind, at: endpoint.url, secrets: CallbackSecrets(fields: secrets),
                    settings: settings)
                let url = path.map { endpoint.url.replacing("/hook", with: $0) }
                let id = try await fixture.accept(callback: Callback(endpoint: stored, url: url))[0]
                _ = try await fixture.system.pool.execute("UPDATE messages SET tracked = \(isTracked)")
                try await fixture.work { _ in
                    try await fixture.wait(for: .accepted)
                    try await fixture.report(of: [id])
                    try await fixture.system.wait(
                        for: "SELECT count(*) FROM event_attempts WHERE outcome IN ('delivered', 'dropped')", is: 2)
                }
                story = (id, endpoint.told)
            }
        }
        return try #require(story)
    }

    private func nexmo(_ method: String) async throws -> (id: MessageID, told: [HTTPRequest]) {
        try await self.tell(
            .nexmo, secrets: ["signature_secret": Self.signatureSecret],
            settings: ["method": .string(method), "api_key": "nxkey000", "signature_method": "sha256"],
            path: "/receipts?shop=7")
    }

    private func check(_ form: Form?, status: String, of id: MessageID) throws {
        let form = try #require(form)
        #expect(form["messageId"] == id.compactText ?? "\(id)" && form["msisdn"] == "41790000077")
        #expect(form["status"] == status && form["err-code"] == "0" && form["api-key"] == "nxkey000")
        #expect(VonageSignature(secret: Secret(Self.signatureSecret), method: .sha256).verifies(form))
        #expect(!VonageSignature(secret: Secret("another"), method: .sha256).verifies(form))
    }

    @Test func nexmosReceiptsComeInAQuery() async throws {
        let (id, told) = try await self.nexmo("GET")
        #expect(told.map(\.method) == ["GET", "GET"] && told.allSatisfy { $0.body.isEmpty && $0.path == "/receipts" })
        for (request, status) in zip(told, ["accepted", "delivered"]) {
            let form = Form(parsing: request.query ?? "")
            #expect(form?["shop"] == "7")
            try self.check(form, status: status, of: id)
        }
    }

    @Test func nexmosReceiptsComeInAForm() async throws {
        let (id, told) = try await self.nexmo("POST-FORM")
        #expect(told.map(\.method) == ["POST", "POST"] && told.allSatisfy { $0.target == "/receipts?shop=7" })
        #expect(told.allSatisfy { $0.fields["Content-Type"] == "application/x-www-form-urlencoded" })
        for (request, status) in zip(told, ["accepted", "delivered"]) {
            try self.check(Form(parsing: request.body), status: status, of: id)
        }
    }

    @Test func nexmosReceiptsComeInJSON() async throws {
        let (id, told) = try await self.nexmo("POST-JSON")
        #expect(told.map(\.method) == ["POST", "POST"])
        #expect(told.allSatisfy { $0.fields["Content-Type"] == "application/json" })
        for (request, status) in zip(told, ["accepted", "delivered"]) {
            let members = try #require(try request.json.members)
            try self.check(Form(members.map { ($0.name, $0.value.string ?? "") }), status: status, of: id)
        }
    }

    @Test func bandwidthIsToldOfTheEndWhereTheMessageSays() async throws {
        let (id, told) = try await self.tell(.bandwidth, path: "/two-factor?order=9")
        #expect(told.map(\.method) == ["POST"] && told.map(\.target) == ["/two-factor?order=9"])
        #expect(told.first?.fields["Content-Type"] == "application/json; charset=utf-8")
        let body = try #require(try told.first?.json)
        #expect(body["type"]?.string == "message-delivered" && body["description"]?.string == "ok")
        #expect(body["message"]?["id"]?.string == id.bandwidthText && body["errorCode"] == nil)
    }

    @Test func theAddressOfAMessageIsForItsVendorsWordsOnly() async throws {
        try await DeliveryFixture.run { fixture, _ async throws in
            try await withEndpoint { own in
                try await withEndpoint { theirs in
                    try await fixture.endpoint("own", at: own.url)
                    let origin = try await fixture.endpoint("vendor", kind: .bandwidth, at: theirs.url)
                    let id = try await fixture.accept(callback: Callback(endpoint: origin, url: theirs.url))[0]
                    try await fixture.work { _ in
                        try await fixture.wait(for: .accepted)
                        try await fixture.report(of: [id])
                        try await fixture.system.wait(for: "SELECT count(*) FROM event_attempts WHERE is_last", is: 4)
                    }
                    #expect(own.types == ["message.accepted", "message.delivered"])
                    #expect(theirs.types == ["message-delivered"])
                }
            }
        }
    }

    @Test func infobipIsToldOfTheEndOfWhatWasToBeTracked() async throws {
        let (id, told) = try await self.tell(.infobip, secrets: ["authorization": "App 12345"], isTracked: true)
        #expect(told.map(\.method) == ["POST"] && told.map { $0.fields["Authorization"] } == ["App 12345"])
        let results = try #require(try told.first?.json["results"]?.array)
        #expect(results.map { $0["messageId"]?.string } == ["\(id)"])
        #expect(results.map { $0["to"]?.string } == ["41790000077"])
        #expect(results.map { $0["status"]?["groupName"]?.string } == ["DELIVERED"])
        #expect(try await self.tell(.infobip).told.isEmpty, "what nobody asked to be told of is not told")
    }
}
