import Carrier
import HTTP
import JSON
import Synchronization
import Testing
import WebClient

@Suite(.timeLimit(.minutes(1))) struct CarrierTests {
    @Test func theInboxShowsWhatCameNewestLast() async throws {
        try await withCarrier { carrier, _ in
            _ = await carrier.sendVonage(("from", "Acme"), ("to", "41791234567"), ("text", "Code 1"))
            _ = await carrier.sendInfobip(to: "41791234567")
            _ = await carrier.sendVonage(to: "41780000000")
            let line =
                #"{"to":"+41791234567","from":"Acme","text":"Code 1","channel":"sms","at":"2026-11-21T09:15:00.250Z"}"#
            for query in ["?to=+41791234567", "?to=%2B41791234567", "?to=%2041791234567", "?to=41791234567"] {
                #expect(await carrier.get("/inbox\(query)").text == "\(line)\n\(line)\n")
            }
            let all = await carrier.get("/inbox")
            #expect(all.fields["Content-Type"] == "application/x-ndjson")
            #expect(all.text.split(separator: "\n").count == 3)
            #expect(await carrier.get("/inbox?to=+49").text == "")
            #expect(await carrier.get("/inbox?to=%zz").status == 400)
            #expect(await carrier.respond(to: HTTPRequest(method: "DELETE", path: "/inbox")).status == 204)
            #expect(await carrier.get("/inbox").text == "")
        }
    }

    @Test func arrivalsAreTheGroundTruth() async throws {
        try await withCarrier { carrier, _ in
            _ = await carrier.sendVonage(to: "41791234567", reference: "a")
            _ = await carrier.sendVonage(to: "41791234567", reference: "a")
            _ = await carrier.sendVonage(to: "1", reference: "refused")
            _ = await carrier.sendInfobip(to: "41791234567", id: "b")
            #expect(await carrier.get("/arrivals?reference=a").text == #"{"reference":"a","count":2}"#)
            #expect(await carrier.get("/arrivals?reference=refused").json["count"] == 0)
            let all = await carrier.get("/arrivals").text.split(separator: "\n").sorted()
            #expect(all == [#"{"reference":"a","count":2}"#, #"{"reference":"b","count":1}"#])
            #expect(await carrier.get("/arrivals?minimum=2").text == #"{"reference":"a","count":2}"# + "\n")
        }
    }

    @Test func statisticsCountMessagesAndReceipts() async throws {
        try await withCarrier { carrier, office in
            _ = await carrier.sendVonage(
                ("from", "A"), ("to", "41791234567"), ("text", String(repeating: "a", count: 161)))
            _ = await carrier.sendVonage(to: "1")
            _ = await office.next()
            _ = await office.next()
            var statistics = await carrier.get("/statistics").json
            // A post is counted just after it is answered.
            while statistics["vonage"]?["receipts"]?["posted"] != 2 {
                statistics = await carrier.get("/statistics").json
            }
            #expect(
                statistics.text
                    == #"{"vonage":{"requests":2,"accepted":1,"segments":2,"refused":1,"#
                    + #""receipts":{"posted":2,"failed":0,"lost":0}},"infobip":{"requests":0,"accepted":0,"#
                    + #""segments":0,"refused":0,"receipts":{"posted":0,"failed":0,"lost":0}},"carrier":{"requests":0,"#
                    + #""accepted":0,"segments":0,"refused":0,"receipts":{"posted":0,"failed":0,"lost":0}},"#
                    + #""smtp":{"requests":0,"accepted":0,"segments":0,"refused":0,"#
                    + #""receipts":{"posted":0,"failed":0,"lost":0}},"scheduled":0,"#
                    + #""arrivals":{"references":0,"uncounted":0}}"#
            )
        }
    }

    @Test(arguments: ["vonage", "infobip"]) func aReceiptThatIsNotTakenIsPostedAgain(provider: String) async throws {
        try await withCarrier { carrier, office in
            office.answer(500, nil)
            _ =
                provider == "vonage"
                ? await carrier.sendVonage(to: "41791234567") : await carrier.sendInfobip(to: "41791234567")
            for _ in 0..<3 { _ = await office.next() }
            var receipts: JSON?
            while receipts?["posted"] != 1 { receipts = await carrier.get("/statistics").json[provider]?["receipts"] }
            #expect(receipts == ["posted": 1, "failed": 2, "lost": 0])
        }
    }

    @Test func afterTheLastTryAReceiptIsLost() async throws {
        try await withCarrier { carrier, office in
            office.answer(500, 404, nil)
            _ = await carrier.sendVonage(to: "41791234567")
            for _ in 0..<3 { _ = await office.next() }
            var receipts: JSON?
            while receipts?["lost"] != 1 { receipts = await carrier.get("/statistics").json["vonage"]?["receipts"] }
            #expect(receipts == ["posted": 0, "failed": 3, "lost": 1])
            #expect(office.count == 3)
        }
    }

    @Test func receiptsAreGatheredIntoOnePost() async throws {
        func gather(_ configuration: inout Carrier.Configuration) {
            configuration.infobip.receiptGathering = .seconds(3600)
            configuration.infobip.receiptBatchLimit = 50
        }
        try await withCarrier(gather) { carrier, office in
            let destinations = (0..<100).map { JSON.object([.init("to", .string("4179\(1_000_000 + $0)"))]) }
            _ = await carrier.sendInfobip([
                "messages": [["sender": "A", "content": ["text": "x"], "destinations": .array(destinations)]]
            ])
            #expect(await office.next().json["results"]?.array?.count == 50)
            #expect(await office.next().json["results"]?.array?.count == 50)
        }
    }

    @Test func onlySoManyPostsAreUnderWayAtOnce() async throws {
        let (posts, post) = AsyncStream<CheckedContinuation<Int?, Never>>.makeStream()
        let carrier = Carrier(configuration: .test { $0.postLimit = 2 }, now: { .test }) { _ in
            await withCheckedContinuation { post.yield($0) }
        }
        async let run: Void = carrier.run()
        for _ in 0..<5 { _ = await carrier.sendVonage(to: "41791234567") }
        var underWay: [CheckedContinuation<Int?, Never>] = []
        var total = 0
        for await answer in posts {
            underWay.append(answer)
            total += 1
            #expect(underWay.count <= 2)
            if underWay.count == 2 || total == 5 { underWay.removeFirst().resume(returning: 200) }
            if total == 5 { break }
        }
        for answer in underWay { answer.resume(returning: 200) }
        carrier.drain()
        try await run
    }

    @Test func drainingEndsTheRunAndCancellingDoesToo() async throws {
        let idle = Carrier(configuration: .test(), post: { _ in 200 })
        let draining = Task { try await idle.run() }
        idle.drain()
        try await draining.value
        let late = Carrier(configuration: .test { $0.receiptDelay = .seconds(3600) }, post: { _ in 200 })
        _ = await late.sendVonage(to: "41791234567")
        let cancelled = Task { try await late.run() }
        cancelled.cancel()
        _ = await cancelled.result
    }

    @Test func whatDoesNotFitIntoTheScheduleIsLostAndCounted() async {
        let carrier = Carrier(configuration: .test { $0.scheduledReceiptLimit = 1 }, post: { _ in 200 })
        for _ in 0..<3 { _ = await carrier.sendVonage(to: "41791234567") }
        #expect(await carrier.get("/statistics").json["vonage"]?["receipts"]?["lost"] == 2)
    }

    @Test(arguments: [("GET", "/sms/json", 405), ("PUT", "/inbox", 405), ("GET", "/", 404), ("POST", "/sms/2", 404)])
    func otherRequestsAreRefused(method: String, path: String, status: Int) async {
        let carrier = Carrier(configuration: .test(), post: { _ in 200 })
        #expect(await carrier.respond(to: HTTPRequest(method: method, path: path)).status == status)
    }
}
