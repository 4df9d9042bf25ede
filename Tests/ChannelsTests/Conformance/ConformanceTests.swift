import Channels
import Crypto
import HTTP
import Messaging
import Testing
import Timestamps

/// The same checks over every driver.
@Suite struct ConformanceTests {
    @Test(arguments: ConformanceCase.all) func messagesBecomeTheseRequests(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        for sending in item.sendings {
            let request = driver.request(for: sending.dispatches, now: item.now)
            #expect(request.method == sending.method)
            #expect(request.url == sending.url)
            #expect(String(decoding: request.body, as: UTF8.self) == sending.body)
            #expect(Self.comparable(request.fields, item) == sending.fields)
            // Whatever prints a request shows neither body nor secret.
            #expect(!"\(request)".contains("123456"))
        }
    }

    private static func comparable(_ fields: HTTPFields, _ item: ConformanceCase) -> HTTPFields {
        guard item.mintsTokens, let authorization = fields["Authorization"] else { return fields }
        var fields = fields
        fields["Authorization"] = String(authorization.prefix { $0 != " " })
        return fields
    }

    @Test(arguments: ConformanceCase.all) func responsesMeanTheseOutcomes(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        for answer in item.answers {
            let outcomes = driver.outcomes(for: item.sendings[0].dispatches, response: answer.response)
            #expect(outcomes == answer.outcomes, "\(String(decoding: answer.response.body, as: UTF8.self))")
        }
    }

    /// HTTP's own words, where the provider has said nothing readable (providers.md section 9.4).
    static let statuses: [(Int, Outcome)] = [
        (400, .refused(.configuration, "HTTP 400")), (404, .refused(.configuration, "HTTP 404")),
        (422, .refused(.configuration, "HTTP 422")), (401, .refused(.unauthorized, "HTTP 401")),
        (403, .refused(.unauthorized, "HTTP 403")),
        (402, .refused(Verdict(.failed, .config, .haltProvider, .insufficientCredit), "HTTP 402")),
        (408, .refused(.throttled, "HTTP 408", after: .seconds(7))),
        (429, .refused(.throttled, "HTTP 429", after: .seconds(7))),
        (503, .refused(.throttled, "HTTP 503", after: .seconds(7))),
        (500, .refused(.broken, "HTTP 500")), (502, .refused(.broken, "HTTP 502")),
        (504, .unanswered(.networkTimeout)),
        (302, .refused(Verdict(.failed, .config, .failoverOnce, .configError), "HTTP 302")),
    ]

    @Test(arguments: ConformanceCase.all, statuses)
    func aStatusAloneHasItsOutcome(_ item: ConformanceCase, _ expected: (Int, Outcome)) throws {
        var response = HTTPResponse(status: expected.0)
        if case .refused(_, _, .some) = expected.1 { response.fields["Retry-After"] = "7" }
        let outcomes = try item.driver().outcomes(for: Array(item.sendings[0].dispatches.prefix(1)), response: response)
        #expect(outcomes == [expected.1])
    }

    /// What a broken provider, a proxy or a cut connection leaves of an answer.
    static let garbage: [[UInt8]] =
        [
            "", "{", "[]", "{}", "null", "0", "\"ok\"", "<html><body>It works!</body></html>", "\0", "{\"id\":",
            "{\"id\":{}}", "{\"sid\":7}", "{\"messages\":[[]]}", "{\"messages\":{}}", "{\"data\":[1]}",
            "{\"message_uuid\":7}", "{\"errors\":{}}", "{\"errors\":[]}", "{\"id\":\"\"}", "{\"error\":\"no\"}",
            String(repeating: "[", count: 4_000), String(repeating: "x", count: 4_000),
        ].map { Array($0.utf8) } + [[0xFF, 0xFE, 0x00, 0x22], [0x7B, 0x22, 0xC3, 0x28, 0x22, 0x7D]]

    /// An outcome for each message, no crash; and of a success that says nothing, that it may have been sent.
    @Test(arguments: ConformanceCase.all) func garbageIsAnOutcome(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        let dispatches = item.sendings[0].dispatches
        for body in Self.garbage where !(item.takesSilence && body.isEmpty) {
            for status in [200, 201, 202, 204] {
                let outcomes = driver.outcomes(for: dispatches, response: HTTPResponse(status: status, body: body))
                #expect(outcomes == dispatches.map { _ in .unanswered(.providerError) }, "\(status)")
            }
            for status in [100, 304, 400, 401, 429, 500, 504, 599, 999] {
                let response = HTTPResponse(status: status, fields: ["Retry-After": "soon"], body: body)
                #expect(driver.outcomes(for: dispatches, response: response).count == dispatches.count)
            }
        }
    }

    /// A good answer that broke off anywhere takes nothing, or may have been sent.
    @Test(arguments: ConformanceCase.all) func halfAnAnswerIsNoAnswer(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        let whole = item.answers[0].response
        for end in stride(from: item.takesSilence ? 7 : 0, to: whole.body.count - 1, by: 7) {
            var response = whole
            response.body = Array(whole.body[..<end])
            let outcomes = driver.outcomes(for: item.sendings[0].dispatches, response: response)
            #expect(outcomes.allSatisfy { $0 == .unanswered(.providerError) })
        }
    }

    @Test(arguments: ConformanceCase.all) func callbacksBecomeTheseReceipts(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        for callback in item.callbacks {
            let receipts = try driver.receipts(in: item.proving(callback.request), now: item.now)
            #expect(receipts == callback.receipts)
        }
        #expect((200...204).contains(driver.receiptAnswer().status))
    }

    @Test(arguments: ConformanceCase.all) func eachStatusAndCodeHasItsVerdict(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        for meaning in item.meanings {
            for code in meaning.codes {
                let request = item.proving(item.report(meaning.status, code))
                let receipts = try driver.receipts(in: request, now: item.now)
                #expect(receipts.map(\.verdict) == [meaning.verdict], "\(meaning.status) \(code)")
                #expect(receipts.allSatisfy { $0.message == Sample.reference }, "\(meaning.status) \(code)")
            }
        }
    }

    @Test(arguments: ConformanceCase.all) func aStatusOfTomorrowIsKeptAndChangesNothing(_ item: ConformanceCase) throws
    {
        let receipts = try item.driver().receipts(in: item.proving(item.report(item.unknownStatus, "")), now: item.now)
        #expect(receipts.map(\.verdict) == [.strange])
    }

    @Test(arguments: ConformanceCase.all) func theOperatorsLinesComeFirst(_ item: ConformanceCase) throws {
        let kinds = Set(
            item.account.kind.codes.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.prefix { $0 != "," } }
        )
        var account = item.account
        account.codes = kinds.map { "\($0),\(item.unknownStatus),expired,none,none,expired" }.joined(separator: "\n")
        let receipts = try Sample.httpDriver(account).receipts(
            in: item.proving(item.report(item.unknownStatus, "")), now: item.now)
        #expect(receipts.map(\.verdict) == [Verdict(.expired, .none, .none, .expired)])
    }

    // MARK: - Proofs

    @Test(arguments: ConformanceCase.all) func whatNobodyProvedIsRefused(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        for callback in item.callbacks {
            #expect(throws: ReceiptRefusal.unauthenticated) {
                try driver.receipts(in: callback.request, now: item.now)
            }
        }
    }

    @Test(arguments: ConformanceCase.all) func eachChangeToWhatIsProvedIsRefused(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        for callback in item.callbacks {
            let genuine = item.proving(callback.request)
            for proof in item.proofs {
                for changed in Self.changes(of: proof, in: genuine) {
                    #expect(throws: ReceiptRefusal.unauthenticated, "\(proof)") {
                        try driver.receipts(in: changed, now: item.now)
                    }
                }
            }
        }
    }

    /// `Host` is the caller's to choose, so nothing may hang on it.
    @Test(arguments: ConformanceCase.all) func theHostIsNotLookedAt(_ item: ConformanceCase) throws {
        var request = item.proving(item.callbacks[0].request)
        request.fields["Host"] = "attacker.example"
        #expect(try item.driver().receipts(in: request, now: item.now) == item.callbacks[0].receipts)
    }

    private static func changes(of proof: ConformanceCase.Proof, in request: HTTPRequest) -> [HTTPRequest] {
        switch proof {
        case .path:
            return ["\(request.path)x", "\(request.path)/", String(request.path.dropLast())].map { path in
                var changed = request
                changed.path = path
                return changed
            }
        case .query:
            return [request.query.map { "\($0)&x=1" } ?? "x=1", String((request.query ?? "xx").dropLast())].map {
                query in
                var changed = request
                changed.query = query
                return changed
            }
        case .body: return Self.bodies(of: request)
        case .field(let name):
            let value = request.fields[name] ?? ""
            return [nil, "", String(value.dropLast()), "\(value)A", Self.flipped(value)].map { value in
                var changed = request
                changed.fields[name] = value
                return changed
            }
        }
    }

    /// One byte more, one less, and each seventh another.
    private static func bodies(of request: HTTPRequest) -> [HTTPRequest] {
        guard !request.body.isEmpty else {
            var changed = request
            changed.body = [0x20]
            return [changed]
        }
        let middles = stride(from: 0, to: request.body.count, by: 7).map { index in
            var body = request.body
            body[index] = body[index] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
            return body
        }
        return ([request.body + [UInt8(ascii: "1")], Array(request.body.dropLast())] + middles).map { body in
            var changed = request
            changed.body = body
            return changed
        }
    }

    /// Another character in the middle.
    private static func flipped(_ text: String) -> String {
        var bytes = Array(text.utf8)
        if bytes.isEmpty { return "A" }
        bytes[bytes.count / 2] = bytes[bytes.count / 2] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: - Inquiries

    @Test(arguments: ConformanceCase.all) func aMessageIsAskedAfterAndAnswered(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        guard let asking = item.asking else {
            let inquiry = Inquiry(reference: Sample.reference, parts: ["1"], recipient: Sample.dispatch().recipient)
            #expect(driver.request(for: inquiry, now: item.now) == nil)
            return
        }
        let request = try #require(driver.request(for: asking.inquiry, now: item.now))
        #expect(request.method == "GET" && request.body.isEmpty)
        #expect(request.url == asking.url)
        #expect(request.fields["Authorization"] == item.sendings[0].fields["Authorization"])
        let answer = HTTPResponse(status: 200, body: Array(asking.answer.utf8))
        #expect(driver.receipts(for: asking.inquiry, response: answer) == asking.receipts)
        #expect(driver.receipts(for: asking.inquiry, response: HTTPResponse(status: 404, body: answer.body)) == [])
        for body in Self.garbage {
            #expect(driver.receipts(for: asking.inquiry, response: HTTPResponse(status: 200, body: body)) == [])
        }
    }

    /// Whose id is another's, or holds what an address would read otherwise.
    @Test(arguments: ConformanceCase.all) func anInquiryIsAboutItsOwnMessage(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        guard let asking = item.asking, !asking.inquiry.parts.isEmpty else { return }
        var other = asking.inquiry
        other.parts = ["../x?y=#z"]
        let url = try #require(driver.request(for: other, now: item.now)?.url)
        #expect(url.contains("..%2Fx%3Fy%3D%23z"))
        let answer = HTTPResponse(status: 200, body: Array(asking.answer.utf8))
        #expect(driver.receipts(for: other, response: answer) == [])
    }
}
