import HTTP
import JSON
import Messaging
import Testing
import WebClient

@testable import Carrier

/// Each fault, asked for by a rule and by a number.
@Suite(.timeLimit(.minutes(1))) struct FaultTests {
    /// How the fault is asked for.
    enum Asking: CaseIterable {
        case rule, number
    }

    /// Those with answers and receipts of their own; the others have ``ContractTests``.
    private static let providers: [Provider] = [.vonage, .infobip, .own]
    private static let all: [(Asking, Provider)] = Asking.allCases.flatMap { asking in
        Self.providers.map { (asking, $0) }
    }

    /// Sends a message that the fault befalls; the number, and the answer.
    private func send(
        _ kind: String, _ suffix: String, _ asking: Asking, _ provider: Provider, on carrier: Carrier,
        code: String? = nil
    ) async -> (number: String, answer: HTTPResponse) {
        let number = asking == .number ? "9991234\(suffix)" : "41791234567"
        if asking == .rule {
            var rule: [JSON.Member] = [.init("fault", .string(kind)), .init("milliseconds", 3)]
            if let code { rule.append(.init("code", .string(code))) }
            #expect(await carrier.addFault(.object(rule)) == 201)
        }
        return (number, await self.send(to: number, provider, on: carrier))
    }

    private func send(to number: String, _ provider: Provider, on carrier: Carrier) async -> HTTPResponse {
        switch provider {
        case .smpp: preconditionFailure("not over HTTP")
        case .vonage: await carrier.sendVonage(to: number)
        case .infobip: await carrier.sendInfobip(to: number)
        case .own: await carrier.sendOwn("/calls", OwnContractTests.with(OwnContractTests.call, "to", "+\(number)"))
        default: preconditionFailure("\(provider) has a suite of its own")
        }
    }

    private func isInInbox(_ number: String, _ carrier: Carrier) async -> Bool {
        await !carrier.get("/inbox?to=%2B\(number)").body.isEmpty
    }

    private func isTaken(_ answer: HTTPResponse, _ provider: Provider) -> Bool {
        if provider == .own { return answer.status == 202 }
        let status = answer.json["messages"]?[0]?["status"]
        return provider == .vonage ? status == "0" : status?["id"] == 26
    }

    /// The receipt's word for what happened.
    private func outcome(_ post: WebRequest) -> String? {
        post.query["status"] ?? post.json["status"]?.string ?? post.json["results"]?[0]?["status"]?["name"]?.string
    }

    @Test(arguments: all) func refuse(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, office in
            let (number, answer) = await self.send("refuse", "0001", asking, provider, on: carrier)
            let status = answer.json["messages"]?[0]?["status"]
            switch provider {
            case .smpp: preconditionFailure("not over HTTP")
            case .vonage: #expect(status == "6")
            case .infobip: #expect(status?["name"] == "REJECTED_DESTINATION")
            default: #expect(answer.json["code"] == "invalid_destination")
            }
            #expect(await !self.isInInbox(number, carrier))
            #expect(office.count == 0)
        }
    }

    @Test func aRefusalMayHaveACode() async throws {
        try await withCarrier { carrier, _ in
            let vonage = await self.send("refuse", "", .rule, .vonage, on: carrier, code: "9").answer
            #expect(vonage.json["messages"]?[0] == ["status": "9", "error-text": "Partner quota violation"])
            let infobip = await self.send("refuse", "", .rule, .infobip, on: carrier, code: "9").answer
            #expect(infobip.json["messages"]?[0]?["status"]?["id"] == 9)
        }
        try await withCarrier { carrier, _ in
            let infobip = await self.send("refuse", "", .rule, .infobip, on: carrier, code: "12").answer
            #expect(infobip.json["messages"]?[0]?["status"]?["name"] == "REJECTED_NOT_ENOUGH_CREDITS")
        }
    }

    @Test(arguments: all) func throttle(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, _ in
            let (number, answer) = await self.send("throttle", "0002", asking, provider, on: carrier)
            let wait = asking == .rule ? 3 : 1000
            switch provider {
            case .smpp: preconditionFailure("not over HTTP")
            case .vonage:
                let text = "Throughput Rate Exceeded - please wait [ \(wait) ] and retry"
                #expect(answer.json["messages"]?[0] == ["status": "1", "error-text": .string(text)])
            case .infobip:
                #expect(answer.status == 429)
                #expect(answer.fields["Retry-After"] == "1")
                #expect(answer.json["errorCode"] == "E429")
            default:
                #expect(answer.status == 429)
                #expect(answer.fields["Retry-After"] == "1")
                #expect(answer.json["code"] == "throttled")
            }
            #expect(await !self.isInInbox(number, carrier))
        }
    }

    @Test(arguments: providers) func slow(provider: Provider) async throws {
        try await withCarrier { carrier, office in
            #expect(await carrier.addFault(["fault": "slow", "milliseconds": 3_600_000]) == 201)
            let sending = Task { await self.send(to: "41791234567", provider, on: carrier) }
            // Taken, and its receipt posted, while the answer is still an hour away.
            _ = await office.next()
            #expect(await self.isInInbox("41791234567", carrier))
            sending.cancel()
            #expect(await self.isTaken(sending.value, provider))
        }
        #expect(Fault.asked(by: "+99912340003") == Fault(.slow, milliseconds: 2000))
    }

    @Test(arguments: all) func dropAnswer(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, office in
            let (number, answer) = await self.send("drop_answer", "0004", asking, provider, on: carrier)
            #expect(answer == .dropConnection)
            #expect(await self.isInInbox(number, carrier))
            _ = await office.next()
        }
    }

    @Test(arguments: all) func closeBeforeRead(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, _ in
            let (number, answer) = await self.send("close_before_read", "0005", asking, provider, on: carrier)
            #expect(answer == .dropConnection)
            #expect(await !self.isInInbox(number, carrier))
        }
    }

    @Test(arguments: all) func internalError(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, _ in
            let (number, answer) = await self.send("http_500", "0006", asking, provider, on: carrier)
            #expect(answer.status == 500)
            #expect(await !self.isInInbox(number, carrier))
        }
    }

    @Test(arguments: all) func garbage(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, office in
            let (number, answer) = await self.send("garbage", "0007", asking, provider, on: carrier)
            #expect(answer.status == 200)
            #expect(answer.json == .null)
            #expect(await self.isInInbox(number, carrier))
            _ = await office.next()
        }
    }

    @Test(arguments: all) func receiptFailed(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, office in
            let (_, answer) = await self.send("receipt_failed", "0011", asking, provider, on: carrier)
            #expect(self.isTaken(answer, provider))
            let post = await office.next()
            switch provider {
            case .smpp: preconditionFailure("not over HTTP")
            case .vonage:
                #expect(post.query["status"] == "failed")
                #expect(post.query["err-code"] == "1")
            case .infobip:
                let result = post.json["results"]?[0]
                #expect(result?["status"]?["name"] == "UNDELIVERABLE_NOT_DELIVERED")
                #expect(result?["error"]?["name"] == "EC_UNKNOWN_SUBSCRIBER")
                #expect(result?["error"]?["permanent"] == true)
            default:
                #expect(post.json["status"] == "failed")
                #expect(post.json["code"] == "no_answer")
            }
        }
    }

    @Test func aFailedReceiptMayHaveACode() async throws {
        try await withCarrier { carrier, office in
            _ = await self.send("receipt_failed", "", .rule, .vonage, on: carrier, code: "6")
            let post = await office.next()
            #expect(post.query["status"] == "rejected")
            #expect(post.query["err-code"] == "6")
            _ = await carrier.respond(to: HTTPRequest(method: "DELETE", path: "/faults"))
            _ = await self.send("receipt_failed", "", .rule, .infobip, on: carrier, code: "27")
            let error = await office.next().json["results"]?[0]?["error"]
            #expect(error?["id"] == 27)
            #expect(error?["permanent"] == false)
        }
    }

    @Test(arguments: all) func receiptNever(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, office in
            let (number, answer) = await self.send("receipt_never", "0012", asking, provider, on: carrier)
            #expect(self.isTaken(answer, provider))
            #expect(await self.isInInbox(number, carrier))
            #expect(await carrier.get("/statistics").json["scheduled"] == 0)
            #expect(office.count == 0)
        }
    }

    @Test(arguments: all) func receiptTwice(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, office in
            let (_, answer) = await self.send("receipt_twice", "0013", asking, provider, on: carrier)
            #expect(self.isTaken(answer, provider))
            var receipts = 0
            while receipts < 2 {
                let post = await office.next()
                receipts += post.json["results"]?.array?.count ?? 1
            }
            #expect(receipts == 2)
        }
    }

    @Test(arguments: providers) func receiptLate(provider: Provider) async throws {
        try await withCarrier { carrier, office in
            #expect(await carrier.addFault(["fault": "receipt_late", "milliseconds": 3_600_000, "to": "+4179"]) == 201)
            #expect(await self.isTaken(self.send(to: "41791234567", provider, on: carrier), provider))
            #expect(await carrier.get("/statistics").json["scheduled"] == 1)
            // One without the fault, sent later, is posted; the late one still waits.
            _ = await carrier.sendInfobip(to: "41781234567", id: "later")
            #expect(await office.next().json["results"]?[0]?["messageId"] == "later")
            #expect(await carrier.get("/statistics").json["scheduled"] == 1)
        }
        #expect(Fault.asked(by: "+99912340014") == Fault(.receiptLate, milliseconds: 10_000))
    }

    @Test(arguments: all) func receiptEarly(asking: Asking, provider: Provider) async throws {
        // Nobody runs the carrier: what is posted was posted by the request itself.
        let office = PostOffice()
        let carrier = Carrier(configuration: .test(), now: { .test }, post: office.post)
        let (_, answer) = await self.send("receipt_early", "0015", asking, provider, on: carrier)
        #expect(self.isTaken(answer, provider))
        #expect(office.count == 1)
    }

    @Test(arguments: all) func receiptOutOfOrder(asking: Asking, provider: Provider) async throws {
        try await withCarrier { carrier, office in
            let (_, answer) = await self.send("receipt_out_of_order", "0016", asking, provider, on: carrier)
            #expect(self.isTaken(answer, provider))
            let first = await office.next()
            let second = await office.next()
            let expected =
                switch provider {
                case .smpp: preconditionFailure("not over HTTP")
                case .vonage: ["delivered", "buffered"]
                case .infobip: ["DELIVERED_TO_HANDSET", "DELIVERED_TO_OPERATOR"]
                default: ["delivered", "on_the_way"]
                }
            #expect([self.outcome(first), self.outcome(second)] == expected)
        }
    }

    @Test func partsOutOfOrderComeInReverse() {
        let message = TakenMessage(
            provider: .vonage, to: "+41791234567", from: "A", content: .text(TextContent("x")), ids: ["a", "b"],
            segments: 2, receiptURL: "u",
            takenAt: .test
        )
        let plan = CarrierReceipt.plan(for: message, fault: Fault(.receiptOutOfOrder), delay: .seconds(1))
        var told: [CarrierReceipt] = []
        var next = plan
        while let receipt = next.first {
            #expect(next.count == 1)
            told.append(receipt)
            next = receipt.later
        }
        #expect(told.map(\.id) == ["b", "a", "b", "a"])
        #expect(told.map(\.outcome) == [.delivered, .delivered, .onTheWay, .onTheWay])
        #expect(plan[0].count == 4)
    }

    @Test func requestAndMessageMayEachHaveAFault() async throws {
        try await withCarrier { carrier, office in
            _ = await carrier.addFault(["fault": "drop_answer"])
            _ = await carrier.addFault(["fault": "receipt_failed"])
            #expect(await carrier.sendVonage(to: "41791234567") == .dropConnection)
            #expect(await office.next().query["status"] == "failed")
        }
    }

    @Test(arguments: ["41791230001", "99812340001", "99912340017", "999001"]) func otherNumbersAreSafe(number: String) {
        #expect(Fault.asked(by: "+\(number)") == nil)
    }
}
