import HTTP
import JSON
import Testing

@testable import Carrier

@Suite(.timeLimit(.minutes(1))) struct FaultRuleTests {
    @Test func aRuleIsListedAndEnded() async throws {
        try await withCarrier { carrier, _ in
            let rule: JSON = ["fault": "refuse", "provider": "vonage", "to": "+4179", "times": 2, "code": "7"]
            let added = await carrier.respond(to: .json("/faults", rule))
            #expect(added.status == 201)
            let listed = #"{"fault":"refuse","milliseconds":0,"code":"7","provider":"vonage","to":"+4179","times":2}"#
            #expect(added.text == listed)
            #expect(await carrier.get("/faults").text == "[\(listed)]")
            #expect(await carrier.respond(to: HTTPRequest(method: "DELETE", path: "/faults")).status == 204)
            #expect(await carrier.get("/faults").text == "[]")
            #expect(await carrier.sendVonage(to: "41791234567").json["messages"]?[0]?["status"] == "0")
        }
    }

    @Test func aRuleLastsAsOftenAsItSays() {
        var rules = FaultRules()
        _ = rules.add(FaultRule(fault: Fault(.refuse), remaining: 2))
        #expect(rules.takeForMessage(to: "+41791234567", of: .vonage)?.kind == .refuse)
        #expect(rules.takeForMessage(to: "+41791234567", of: .infobip)?.kind == .refuse)
        #expect(rules.takeForMessage(to: "+41791234567", of: .vonage) == nil)
        #expect(rules.rules.isEmpty)
    }

    @Test func aRuleBefallsItsProviderAndItsNumbersOnly() {
        var rules = FaultRules()
        _ = rules.add(FaultRule(fault: Fault(.refuse), provider: .vonage, to: "+4179"))
        #expect(rules.takeForMessage(to: "+41791234567", of: .vonage) != nil)
        #expect(rules.takeForMessage(to: "+41791234567", of: .infobip) == nil)
        #expect(rules.takeForMessage(to: "+41781234567", of: .vonage) == nil)
    }

    @Test func aRuleBefallsTheAddressesThatBeginSo() {
        var rules = FaultRules()
        _ = rules.add(FaultRule(fault: Fault(.refuse), provider: .own, to: "anna@"))
        #expect(rules.takeForMessage(to: "anna@example.com", of: .own) != nil)
        #expect(rules.takeForMessage(to: "johanna@example.com", of: .own) == nil)
    }

    @Test func aRequestIsBefallenOnceHoweverManyItsNumbers() {
        var rules = FaultRules()
        _ = rules.add(FaultRule(fault: Fault(.throttle), to: "+4179", remaining: 2))
        let numbers = ["+41781234567", "+41791234567", "+41791234568"]
        #expect(rules.takeForRequest(to: numbers, of: .infobip)?.kind == .throttle)
        #expect(rules.rules[0].remaining == 1)
        #expect(rules.takeForRequest(to: ["+41781234567"], of: .infobip) == nil)
    }

    @Test func theFirstRuleThatFitsGoesBeforeTheNumbersOwn() {
        var rules = FaultRules()
        _ = rules.add(FaultRule(fault: Fault(.receiptTwice), remaining: 1))
        #expect(rules.takeForMessage(to: "+99912340012", of: .vonage)?.kind == .receiptTwice)
        #expect(rules.takeForMessage(to: "+99912340012", of: .vonage)?.kind == .receiptNever)
    }

    @Test(arguments: [
        ("[]", "a fault is an object, not an array"), ("{}", "fault: is missing"),
        (#"{"fault":"slow","too":"+41"}"#, "too: no such member"),
        (#"{"fault":"slow","provider":"x"}"#, "provider: must be one of vonage, infobip, carrier, smtp"),
        (#"{"fault":"slow","times":0}"#, "times: must be a number between 1 and 1000000"),
        (#"{"fault":"slow","times":"3"}"#, "times: must be a number between 1 and 1000000"),
        (#"{"fault":"slow","milliseconds":-1}"#, "milliseconds: must be a number between 0 and 3600000"),
        (#"{"fault":"slow","to":"4179"}"#, "to: must begin with a plus sign"),
        (#"{"fault":"slow","code":6}"#, "code: must be a code as text"),
    ])
    func aRuleThatIsNoneIsRefused(body: String, problem: String) async throws {
        try await withCarrier { carrier, _ in
            let answer = await carrier.respond(to: HTTPRequest(method: "POST", path: "/faults", body: Array(body.utf8)))
            #expect(answer.status == 400)
            #expect(answer.json["problem"] == .string(problem))
        }
    }

    @Test func aFaultThatDoesNotExistIsAnsweredWithThoseThatDo() async throws {
        try await withCarrier { carrier, _ in
            let answer = await carrier.respond(to: .json("/faults", ["fault": "slwo"]))
            #expect(answer.json["problem"]?.string?.hasPrefix("fault: must be one of slow, refuse, throttle") == true)
            #expect(await carrier.respond(to: HTTPRequest(method: "POST", path: "/faults")).status == 400)
        }
    }

    @Test func thereAreOnlySoManyRules() {
        var rules = FaultRules()
        let isAdded = (0...FaultRules.limit).map { _ in rules.add(FaultRule(fault: Fault(.slow))) }
        #expect(isAdded.count { $0 } == FaultRules.limit)
        #expect(isAdded.last == false)
    }
}
