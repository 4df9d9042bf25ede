import Crypto
import HTTP
import JSON
import Messaging
import Testing

@testable import Channels

/// What is asked about numbers, and what the answers say (providers.md section 7).
@Suite struct LookUpTests {
    private static let number = PhoneNumber("+41791234567")!  // A literal.

    private static func directory(_ kind: LookUpKind, settings: [String: String] = [:]) throws -> any NumberDirectory {
        let credentials = Dictionary(uniqueKeysWithValues: kind.credentialNames.map { ($0, Secret("x-\($0)")) })
        return try kind.make(
            ProviderAccount(
                id: ProviderID(rawValue: 0), name: "look_up", kind: .discard,
                baseURL: kind.defaultBaseURL ?? "https://x.api.infobip.com/", credentials: Credentials(credentials),
                settings: settings))
    }

    private static func facts(
        _ kind: LookUpKind, _ answer: JSON, status: Int = 200
    ) throws -> NumberFacts? {
        try Self.directory(kind).facts(of: Self.number, in: HTTPResponse(status, json: answer))
    }

    @Test func infobipIsAskedByPost() throws {
        let request = try Self.directory(.infobip).request(for: Self.number)
        #expect(request.method == "POST" && request.url == "https://x.api.infobip.com/number/1/query")
        #expect(request.fields["Authorization"] == "App x-api_key")
        #expect(try JSON(parsing: request.body) == ["to": ["41791234567"]])
    }

    @Test(arguments: [
        ("basic", "/ni/basic/json"), ("standard", "/ni/standard/json"), ("advanced", "/ni/advanced/json"),
    ])
    func vonageIsAskedAtItsLevel(level: String, path: String) throws {
        let request = try Self.directory(.vonage, settings: ["level": level]).request(for: Self.number)
        #expect(request.url == "https://api.nexmo.com\(path)")
        #expect(String(decoding: request.body, as: UTF8.self) == "number=41791234567")
        #expect(request.fields["Authorization"] == "Basic \(Base64.encode(Array("x-api_key:x-api_secret".utf8)))")
    }

    @Test func twilioIsAskedForItsFields() throws {
        let request = try Self.directory(.twilio, settings: ["fields": "line_status,sms_pumping_risk"])
            .request(for: Self.number)
        #expect(request.method == "GET")
        #expect(
            request.url
                == "https://lookups.twilio.com/v2/PhoneNumbers/%2B41791234567?Fields=line_status,sms_pumping_risk")
        #expect(throws: ProviderProblems.self) { try Self.directory(.twilio, settings: ["fields": "everything"]) }
        #expect(throws: ProviderProblems.self) { try Self.directory(.vonage, settings: ["level": "free"]) }
    }

    @Test(
        arguments: [
            (["groupName": "DELIVERED"], ["permanent": false], NumberFacts.Reachability.reachable),
            (["groupName": "UNDELIVERABLE"], ["permanent": true], .unreachable),
            (["groupName": "UNDELIVERABLE"], ["permanent": false], .unknown),
            (["groupName": "REJECTED"], ["permanent": true], .unknown),
        ] as [(JSON, JSON, NumberFacts.Reachability)])
    func infobipTellsDeadNumbers(status: JSON, error: JSON, expected: NumberFacts.Reachability) throws {
        let facts = try Self.facts(
            .infobip,
            [
                "results": [
                    ["to": "41791234567", "mccMnc": "22801", "ported": true, "status": status, "error": error]
                ]
            ])
        #expect(facts?.reachability == expected)
        #expect(facts?.network == "22801" && facts?.isPorted == true)
    }

    @Test(
        arguments: [
            (["valid_number": "valid", "reachable": "reachable"], NumberFacts.Reachability.reachable),
            (["valid_number": "not_valid", "reachable": "unknown"], .unreachable), (["reachable": "absent"], .unknown),
            (["reachable": "undeliverable"], .unreachable), ([:], .unknown),
        ] as [([String: String], NumberFacts.Reachability)])
    func vonageTellsWhoIsReached(members: [String: String], expected: NumberFacts.Reachability) throws {
        var answer: [JSON.Member] = [
            .init("status", 0), .init("international_format_number", "41791234567"), .init("ported", "not_ported"),
            .init("current_carrier", ["network_code": "22801", "network_type": "landline_premium"]),
        ]
        answer += members.map { .init($0.key, .string($0.value)) }
        let facts = try Self.facts(.vonage, .object(answer))
        #expect(facts?.reachability == expected)
        #expect(facts?.lineType == .premium && facts?.network == "22801" && facts?.isPorted == false)
    }

    @Test func twilioTellsTheLineAndTheRisk() throws {
        let facts = try Self.facts(
            .twilio,
            [
                "valid": true, "phone_number": "+41791234567",
                "line_type_intelligence": [
                    "type": "nonFixedVoip", "mobile_country_code": "228", "mobile_network_code": "01",
                ],
                "line_status": ["status": "active"], "sms_pumping_risk": ["sms_pumping_risk_score": 87],
            ])
        #expect(
            facts == NumberFacts(reachability: .reachable, lineType: .voip, network: "22801", isPorted: nil, risk: 87))
        #expect(try Self.facts(.twilio, ["valid": false])?.reachability == .unreachable)
        #expect(
            try Self.facts(.twilio, ["valid": true, "line_status": ["status": "unreachable"]])?.reachability == .unknown
        )
    }

    @Test(arguments: LookUpKind.allCases)
    func whatIsNoAnswerTellsNothing(kind: LookUpKind) throws {
        for answer in [[:], [], "<html>", ["results": []], ["status": 3], ["valid": "yes"]] as [JSON] {
            #expect(try Self.facts(kind, answer) == nil, "\(answer)")
        }
        #expect(try Self.facts(kind, ["valid": true, "status": 0], status: 401) == nil)
        // Of another number.
        let strangers: JSON = [
            "status": 0, "international_format_number": "41790000000", "valid": true, "phone_number": "+41790000000",
            "results": [["to": "41790000000", "status": ["groupName": "DELIVERED"]]],
        ]
        #expect(try Self.facts(kind, strangers) == nil)
    }

    @Test func factsAreReadAsTheyWereWritten() {
        for facts in [
            NumberFacts(reachability: .unknown),
            NumberFacts(reachability: .unreachable, lineType: .tollFree, network: "310410", isPorted: true, risk: 3),
        ] {
            #expect(NumberFacts(facts.json) == facts)
        }
        #expect(NumberFacts("x") == nil)
    }
}
