import Carrier
import Crypto
import HTTP
import JSON
import Testing
import WebClient

@Suite(.timeLimit(.minutes(1))) struct InfobipTests {
    private static func message(_ changes: (inout [JSON.Member]) -> Void = { _ in }) -> JSON {
        var members: [JSON.Member] = [
            .init("sender", "Acme"), .init("destinations", [["to": "41791234567", "messageId": "m-1"]]),
            .init("content", ["text": "Code 1"]),
        ]
        changes(&members)
        return ["messages": [.object(members)]]
    }

    @Test func aTakenMessageIsPending() async throws {
        try await withCarrier { carrier, _ in
            let answer = await carrier.sendInfobip(Self.message())
            #expect(answer.status == 200)
            #expect(
                answer.text
                    == #"{"bulkId":"63CBE1E459320DD7","messages":[{"messageId":"m-1","status":{"groupId":1,"#
                    + #""groupName":"PENDING","id":26,"name":"PENDING_ACCEPTED","#
                    + #""description":"Message accepted, pending for delivery."},"destination":"41791234567"}]}"#
            )
        }
    }

    @Test func manyMessagesWithManyDestinationsAreTakenTogether() async throws {
        try await withCarrier { carrier, _ in
            let long = String(repeating: "a", count: 200)
            let answer = await carrier.sendInfobip([
                "messages": [
                    [
                        "sender": "A", "content": ["text": "x"],
                        "destinations": [["to": "41790000001"], ["to": "41790000002", "messageId": "b"]],
                    ],
                    ["sender": "B", "content": ["text": .string(long)], "destinations": [["to": "41790000003"]]],
                ],
                "options": ["schedule": ["bulkId": "bulk-1"], "includeSmsCountInResponse": true],
            ])
            let messages = answer.json["messages"]?.array ?? []
            #expect(answer.json["bulkId"] == "bulk-1")
            #expect(messages.map { $0["destination"] } == ["41790000001", "41790000002", "41790000003"])
            #expect(messages.map { $0["details"]?["messageCount"] } == [1, 1, 2])
            #expect(messages[0]["messageId"]?.string?.count == 16)
            #expect(messages[1]["messageId"] == "b")
        }
    }

    @Test func aDoubledIDIsRejectedAndArrivesOnce() async throws {
        try await withCarrier { carrier, office in
            _ = await carrier.sendInfobip(to: "41791234567", id: "same")
            let again = await carrier.sendInfobip(to: "41791234567", id: "same")
            let status = again.json["messages"]?[0]?["status"]
            #expect(status?["id"] == 23)
            #expect(status?["name"] == "REJECTED_DUPLICATE_MESSAGE_ID")
            #expect(status?["groupName"] == "REJECTED")
            #expect(await carrier.get("/inbox").text.split(separator: "\n").count == 1)
            #expect(await carrier.get("/arrivals?reference=same").json["count"] == 1)
            _ = await office.next()
        }
    }

    @Test(arguments: [("", 51), (nil, 51), ("+41791234567", 52), ("0791234567", 52)])
    func aDestinationThatCannotBeIsRejectedAlone(to: String?, id: Int64) async throws {
        try await withCarrier { carrier, _ in
            let both: JSON = [["to": JSON(to)], ["to": "41791234567"]]
            let answer = await carrier.sendInfobip(
                Self.message { $0[1] = .init("destinations", both) }
            )
            let ids = answer.json["messages"]?.array?.map { $0["status"]?["id"] }
            #expect(ids == [.integer(id), 26])
        }
    }

    @Test func aTextThatIsTooLongOrHasNoSenderIsRejected() async throws {
        try await withCarrier { carrier, _ in
            let long = String(repeating: "a", count: 153 * 25 + 1)
            let tooLong = await carrier.sendInfobip(Self.message { $0[2] = .init("content", ["text": .string(long)]) })
            #expect(tooLong.json["messages"]?[0]?["status"]?["name"] == "REJECTED_MESSAGE_TOO_LONG")
            let anonymous = await carrier.sendInfobip(Self.message { $0.remove(at: 0) })
            #expect(anonymous.json["messages"]?[0]?["status"]?["name"] == "REJECTED_SENDER")
        }
    }

    @Test(arguments: ["App wrong", "App ", "Basic azN5", "k3y", nil])
    func withoutTheKeyNothingIsTaken(authorization: String?) async throws {
        try await withCarrier { carrier, _ in
            var fields: HTTPFields = [:]
            fields["Authorization"] = authorization
            let answer = await carrier.respond(to: .json("/sms/3/messages", Self.message(), fields))
            #expect(answer.status == 401)
            #expect(answer.json["errorCode"] == "E401")
            #expect(await carrier.get("/inbox").text == "")
        }
    }

    @Test func aCarrierThatAcceptsAnyCredentialAsksForNone() async throws {
        try await withCarrier({ $0.acceptsAnyCredential = true }) { carrier, _ in
            #expect(await carrier.respond(to: .json("/sms/3/messages", Self.message())).status == 200)
        }
    }

    private static let wrongForms: [(body: JSON, property: String, violation: String)] = [
        (JSON.string("x"), "messages", "must not be empty"), (["messages": []], "messages", "must not be empty"),
        (["messages": [["destinations": [["to": "1"]]]]], "messages[0].content.text", "must not be null"),
        (["messages": [["content": ["text": "x"]]]], "messages[0].destinations", "must not be empty"),
        (
            message { $0.append(.init("webhooks", ["delivery": ["url": "x"]])) }, "messages[0].webhooks.delivery.url",
            "must be a valid URL"
        ),
        (
            message { $0.append(.init("webhooks", ["callbackData": .string(String(repeating: "x", count: 4001))])) },
            "messages[0].webhooks.callbackData", "must not be longer than 4000"
        ),
        (
            message { $0[1] = .init("destinations", .array(Array(repeating: ["to": "41791234567"], count: 1001))) },
            "messages", "must not have more than 1000 destinations"
        ),
    ]

    @Test(arguments: wrongForms)
    func aRequestOfTheWrongFormIsRefusedAsAWhole(body: JSON, property: String, violation: String) async throws {
        try await withCarrier { carrier, _ in
            let answer = await carrier.sendInfobip(body)
            #expect(answer.status == 400)
            #expect(answer.json["errorCode"] == "E400")
            #expect(answer.json["violations"]?[0]?["property"] == .string(property))
            #expect(answer.json["violations"]?[0]?["violation"] == .string(violation))
            #expect(await carrier.get("/inbox").text == "")
        }
    }

    @Test func aReportSaysWhatTheContractSays() async throws {
        try await withCarrier { carrier, office in
            _ = await carrier.sendInfobip(
                Self.message {
                    $0.append(.init("webhooks", ["delivery": ["url": "https://r/x"], "callbackData": "back"]))
                }
            )
            let post = await office.next()
            #expect(post.method == "POST")
            #expect(post.url == "https://r/x")
            #expect(post.fields == ["Content-Type": "application/json"])
            #expect(
                post.text
                    == #"{"results":[{"bulkId":"63CBE1E459320DD7","messageId":"m-1","to":"41791234567","sender":"Acme","#
                    + #""sentAt":"2026-11-21T09:15:00.250+0000","doneAt":"2026-11-21T09:15:00.250+0000","#
                    + #""messageCount":1,"mccMnc":"22801","callbackData":"back","#
                    + #""price":{"pricePerMessage":0.01,"currency":"EUR"},"status":{"groupId":3,"#
                    + #""groupName":"DELIVERED","id":5,"name":"DELIVERED_TO_HANDSET","#
                    + #""description":"Message delivered to handset"},"error":{"groupId":0,"groupName":"OK","id":0,"#
                    + #""name":"NO_ERROR","description":"No Error","permanent":false}}]}"#
            )
        }
    }

    @Test func reportsCarryTheReceiversCredentials() async throws {
        try await withCarrier({ $0.infobip.receiptAuthorization = .basic(user: "u", password: Secret("p")) }) {
            carrier, office in
            _ = await carrier.sendInfobip(to: "41791234567")
            #expect(await office.next().fields["Authorization"] == "Basic dTpw")
        }
        try await withCarrier({ $0.infobip.receiptAuthorization = .header(name: "X-Token", value: Secret("t")) }) {
            carrier, office in
            _ = await carrier.sendInfobip(to: "41791234567")
            #expect(await office.next().fields["X-Token"] == "t")
        }
    }

    @Test func anIntermediateReportComesFirstWhenItIsWanted() async throws {
        try await withCarrier { carrier, office in
            _ = await carrier.sendInfobip(
                Self.message { $0.append(.init("webhooks", ["delivery": ["intermediateReport": true]])) }
            )
            var statuses: [JSON] = []
            while statuses.count < 2 {
                statuses += (await office.next().json["results"]?.array ?? []).compactMap { $0["status"]?["id"] }
            }
            #expect(statuses == [2, 5])
        }
    }

    @Test func noReportComesThatIsNotWanted() async throws {
        try await withCarrier { carrier, office in
            _ = await carrier.sendInfobip(
                Self.message { $0.append(.init("webhooks", ["delivery": ["notify": false]])) }
            )
            _ = await carrier.sendInfobip(to: "41790000002", id: "m-2")
            #expect(await office.next().json["results"]?[0]?["messageId"] == "m-2")
        }
    }
}
