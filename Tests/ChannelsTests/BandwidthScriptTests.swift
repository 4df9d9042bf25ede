import Channels
import HTTP
import JSON
import Messaging
import Testing

@Suite struct BandwidthScriptTests {
    private static let item = ConformanceCase.bandwidthVoice

    private static func event(_ type: String?, _ more: [JSON.Member] = []) -> HTTPRequest {
        let members: [JSON.Member] = [
            .init("eventType", type.map { .string($0) } ?? .null), .init("callId", "c-1"),
            .init("tag", .string(Sample.id)),
        ]
        return HTTPRequest(
            method: "POST", path: "/receipts/p1", fields: ["Content-Type": "application/json"],
            body: JSON.object(members + more).serialized())
    }

    private static func driver(_ settings: [String: String] = [:]) throws -> any Driver {
        var account = Self.item.account
        account.settings.merge(settings) { $1 }
        return try Drivers.make(account)
    }

    private static func callback(_ request: HTTPRequest, _ settings: [String: String] = [:]) throws -> ProviderCallback
    {
        try Self.driver(settings).callback(basicProof(request), now: Sample.now)
    }

    @Test func whoAnswersIsToBeTold() throws {
        guard case .script(let reference) = try Self.callback(Self.event("answer")) else {
            Issue.record("no script was asked for")
            return
        }
        #expect(reference == Sample.reference)
        #expect(try Self.driver().keepsContent)
    }

    /// Its tag then comes back with the end of the call, which would otherwise look as if somebody had listened.
    @Test func aMachineIsHungUpOnAndMarked() throws {
        let machine = Self.event("answer", [.init("machineDetectionResult", ["value": "answering-machine"])])
        guard case .answer(let response) = try Self.callback(machine) else {
            Issue.record("the machine is told something")
            return
        }
        #expect(
            String(decoding: response.body, as: UTF8.self)
                == #"<?xml version="1.0" encoding="UTF-8"?><Response><Tag>\#(Sample.id)/machine</Tag><Hangup/></Response>"#
        )
        guard case .script = try Self.callback(machine, ["machine_detection": "off"]) else {
            Issue.record("machines are looked out for although they are not to be")
            return
        }
    }

    @Test(arguments: ["initiate", "ring", "machineDetectionComplete", "ofTomorrow"])
    func whatSaysNothingOfAMessageIsAnswered(_ type: String) throws {
        guard case .answer(let response) = try Self.callback(Self.event(type)) else {
            Issue.record("it was taken for something")
            return
        }
        #expect(response == HTTPResponse(status: 204))
    }

    @Test func aStrangerIsToldNothing() throws {
        let driver = try Self.driver()
        #expect(throws: ReceiptRefusal.unauthenticated) { try driver.callback(Self.event("answer"), now: Sample.now) }
        #expect(throws: ReceiptRefusal.malformed("no eventType")) { try Self.callback(Self.event(nil)) }
        let untagged = HTTPRequest(method: "POST", path: "/receipts/p1", body: Array(#"{"eventType":"answer"}"#.utf8))
        #expect(throws: ReceiptRefusal.malformed("no tag")) { try Self.callback(untagged) }
    }

    @Test(
        arguments: [
            (
                Speech("1, 2 <&>", language: "de"),
                #"<SpeakSentence locale="de_DE">1, 2 &lt;&amp;&gt;</SpeakSentence><Pause duration="1"/>"#
                    + #"<SpeakSentence locale="de_DE">1, 2 &lt;&amp;&gt;</SpeakSentence><Hangup/>"#
            ),
            (
                Speech(String(repeating: "word ", count: 200), language: "xx", voice: "julie"),
                #"<SpeakSentence voice="julie">\#(String(repeating: "word ", count: 200))</SpeakSentence><Hangup/>"#
            ),
            (nil, "<Hangup/>"),
        ] as [(Speech?, String)])
    func theWordsAreBXML(_ speech: Speech?, _ content: String) throws {
        let writer = try #require(try Self.driver(["repetitions": "2"]) as? any ScriptWriter)
        let response = writer.script(speech)
        #expect(response.status == 200)
        #expect(response.fields["Content-Type"] == "application/xml")
        #expect(
            String(decoding: response.body, as: UTF8.self)
                == #"<?xml version="1.0" encoding="UTF-8"?><Response>\#(content)</Response>"#)
    }
}
