import Channels
import HTTP
import JSON
import Messaging
import Testing

@Suite struct InfobipRequestTests {
    private func body(_ dispatches: [Dispatch], account: ProviderAccount = Sample.infobip()) throws -> JSON {
        try JSON(parsing: Sample.httpDriver(account).request(for: dispatches, now: Sample.now).body)
    }

    @Test func theRequestIsJSONUnderOurIDs() throws {
        let request = try Sample.httpDriver(Sample.infobip()).request(for: [Sample.dispatch()], now: Sample.now)
        #expect(request.method == "POST")
        #expect(request.url == "https://x.api.infobip.com/sms/3/messages")
        #expect(request.fields["Authorization"] == "App key-1")
        #expect(request.fields["Content-Type"] == "application/json")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"messages":[{"sender":"ACME","destinations":[{"to":"447700900000","#
                + #""messageId":"0192d1e4-7000-7000-8000-000000000001"}],"content":{"text":"Your code is 123456"},"#
                + #""options":{"validityPeriod":{"amount":180,"timeUnit":"SECONDS"}},"#
                + #""webhooks":{"delivery":{"url":"https://r.example/i"},"contentType":"application/json","#
                + #""callbackData":"0192d1e4-7000-7000-8000-000000000001"}}]}"#
        )
    }

    @Test func manyMessagesGoInOneRequestEachWithItsOwn() throws {
        let dispatches = (1...100).map { number in
            Sample.dispatch(
                MessageReference(id: MessageID(high: 0x0192_0000_0000_7000, low: UInt64(number)), series: 1),
                to: "+4477009\(10000 + number)", sender: number == 7 ? "+15550100" : nil, text: "text \(number)"
            )
        }
        let messages = try #require(try self.body(dispatches)["messages"]?.array)
        #expect(messages.count == 100)
        #expect(messages[6]["sender"] == "15550100" && messages[7]["sender"] == "ACME")
        for (dispatch, message) in zip(dispatches, messages) {
            #expect(message["destinations"]?[0]?["messageId"]?.string == dispatch.reference.description)
            #expect(message["destinations"]?[0]?["to"]?.string == String(dispatch.recipient.text.dropFirst()))
            #expect(message["content"]?["text"]?.string == dispatch.content.body)
        }
    }

    static let registrations: [(IndiaDLT, JSON)] = [
        (
            IndiaDLT(principalEntityID: "p-1", contentTemplateID: "c-1", teleMarketerID: "t-1"),
            ["principalEntityId": "p-1", "contentTemplateId": "c-1", "teleMarketerId": "t-1"]
        ),
        (IndiaDLT(principalEntityID: "p-1"), ["principalEntityId": "p-1"]),
    ]

    @Test(arguments: registrations)
    func whatIndiaWantsGoesWithTheOptions(_ dlt: IndiaDLT, _ members: JSON) throws {
        let dispatch = Sample.dispatch(.text(TextContent("Your code is 123456", indiaDLT: dlt)))
        let message = try self.body([dispatch])["messages"]?[0]
        #expect(message?["content"] == ["text": "Your code is 123456"])
        #expect(
            message?["options"] == [
                "validityPeriod": ["amount": 180, "timeUnit": "SECONDS"], "regional": ["indiaDlt": members],
            ])
    }

    @Test func aTokenGoesWithTheReceiptURL() throws {
        let message = try self.body([Sample.dispatch()], account: Sample.infobip(["receipt_token": Sample.token]))
        let url = message["messages"]?[0]?["webhooks"]?["delivery"]?["url"]
        #expect(url?.string == "https://r.example/i/\(Sample.token)")
    }

    @Test func withoutSenderAndReceiptURLNeitherIsNamed() throws {
        let account = Sample.infobip(receiptURL: nil, sender: nil)
        let message = try self.body([Sample.dispatch()], account: account)["messages"]?[0]
        #expect(message?["sender"] == nil)
        #expect(message?["webhooks"] == ["callbackData": .string(Sample.id)])
    }
}
