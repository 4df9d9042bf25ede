import HTTP
import Testing
import WebClient
import WebServer

/// Limits and deadlines.
@Suite(.timeLimit(.minutes(1))) struct WebServerLimitTests {
    private static func configuration(_ change: (inout WebServer.Configuration) -> Void) -> WebServer.Configuration {
        var configuration = WebServer.Configuration()
        change(&configuration)
        return configuration
    }

    /// Sends `text` and gives back all that comes until the server closes.
    private static func answer(_ port: UInt16, _ text: String) async throws -> String {
        try await onThread {
            let connection = try RawConnection(port: port)
            defer { connection.close() }
            connection.send(text)
            return try connection.receiveAll()
        }
    }

    // MARK: - Sizes

    @Test(arguments: [(1000, 200), (1001, 413), (100_000, 413)])
    func aBodyOverItsLimitIsRefused(byteCount: Int, status: Int) async throws {
        let handled = Count()
        let configuration = Self.configuration { $0.bodyByteLimit = 1000 }
        try await withServer(configuration) { _ in
            handled.add()
            return HTTPResponse(status: 200)
        } _: { _, port async throws in
            let body = String(repeating: "x", count: byteCount)
            let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            let announced = try await Self.answer(port, head + "Content-Length: \(byteCount)\r\n\r\n" + body)
            #expect(announced.status == status)
            let chunk = String(byteCount, radix: 16) + "\r\n" + body + "\r\n0\r\n\r\n"
            let chunked = try await Self.answer(port, head + "Transfer-Encoding: chunked\r\n\r\n" + chunk)
            #expect(chunked.status == status)
            #expect(chunked.responseCount == 1)
            #expect(handled.now == (status == 200 ? 2 : 0))
        }
    }

    @Test func aBodyFarOverItsLimitIsRefusedUnread() async throws {
        try await withServer { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            let head = "POST / HTTP/1.1\r\nHost: a\r\n"
            #expect(try await Self.answer(port, head + "Content-Length: 999999999999\r\n\r\n").status == 413)
            let expecting = try await Self.answer(
                port, head + "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")
            #expect(expecting.status == 413)
            #expect(try await Self.answer(port, head + "Content-Length: 99999999999999999999999\r\n\r\n").status == 413)
        }
    }

    @Test func anEndlessChunkedBodyIsCutOff() async throws {
        let configuration = Self.configuration { $0.bodyByteLimit = 1000 }
        try await withServer(configuration) { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            let sentCount = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                let chunk = "10000\r\n" + String(repeating: "x", count: 65536) + "\r\n"
                return (0..<1000).first { _ in !connection.send(chunk) } ?? 1000
            }
            #expect(sentCount < 1000)
        }
    }

    /// Half-sent bodies fill the budget: announced ones from their heads on, a chunked one as it grows.
    @Test(arguments: [["Content-Length: 1000"], ["Content-Length: 500", "Content-Length: 500"], ["chunked"]])
    func bodiesBeyondTheBudgetAreRefusedUntilOthersEnd(framings: [String]) async throws {
        let configuration = Self.configuration {
            $0.bodyByteLimit = 1000
            $0.bodyBudget = 1000
            // One thread takes what holders have sent before it takes what comes after.
            $0.threads = 1
        }
        try await withServer(configuration) { request in
            HTTPResponse(status: 200, body: Array("\(request.body.count)".utf8))
        } _: { _, port async throws in
            let head = "POST / HTTP/1.1\r\nHost: a\r\n"
            let chunked = head + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + String(repeating: "x", count: 1000)
            let one = head + "Connection: close\r\nContent-Length: 1\r\n\r\nx"
            let oneChunked = head + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
            try await onThread {
                let holders = try framings.map { framing in
                    let holder = try RawConnection(port: port)
                    holder.send(framing == "chunked" ? chunked : head + framing + "\r\n\r\nhalf")
                    return holder
                }
                for text in [one, oneChunked] {
                    let refusal = try Self.answers(port, text, until: 503)
                    #expect(refusal.field("retry-after") == "1")
                    #expect(refusal.responseCount == 1)
                }
                // No body needs no budget, and a refusal is not paid for.
                #expect(try Self.answers(port, head + "Connection: close\r\n\r\n", until: 200).hasSuffix("\r\n0"))
                for holder in holders { holder.close() }
                for text in [one, oneChunked] { #expect(try Self.answers(port, text, until: 200).hasSuffix("\r\n1")) }
                for _ in 0..<3 {  // Each gives back what it took: all of the budget.
                    let whole = head + "Connection: close\r\nContent-Length: 1000\r\n\r\n"
                    _ = try Self.answers(port, whole + String(repeating: "x", count: 1000), until: 200)
                }
            }
        }
    }

    /// Asks until the status is the awaited one: what another connection did has no event that could be waited for.
    private static func answers(_ port: UInt16, _ text: String, until status: Int) throws -> String {
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            let connection = try RawConnection(port: port)
            defer { connection.close() }
            connection.send(text)
            let answer = try connection.receiveAll()
            if answer.status == status { return answer }
        }
        throw RawError("waiting for \(status)", 0)
    }

    /// What a handler holds counts until it returns, also when its request was answered for it.
    @Test func aBodyThatAHandlerHoldsCounts() async throws {
        let gate = Gate()
        let configuration = Self.configuration {
            $0.bodyByteLimit = 10
            $0.bodyBudget = 10
            $0.handlerDeadline = .milliseconds(200)
        }
        try await withServer(configuration) { request in
            if request.path == "/hold" { await gate.wait() }
            return HTTPResponse(status: 200)
        } _: { _, port async throws in
            let tail = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789"
            #expect(try await Self.answer(port, "POST /hold" + tail).status == 503)
            #expect(try await Self.answer(port, "POST /" + tail).status == 503)
            gate.open()
            _ = try await onThread { try Self.answers(port, "POST /" + tail, until: 200) }
        }
    }

    @Test func aHeadOverItsLimitIsRefused() async throws {
        let configuration = Self.configuration { $0.headerByteLimit = 4096 }
        try await withServer(configuration) { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            let end = "\r\nConnection: close\r\n\r\n"
            let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
            let filling = String(repeating: "x", count: 4096 - start.utf8.count - end.utf8.count)
            #expect(try await Self.answer(port, start + filling + end).status == 200)
            #expect(try await Self.answer(port, start + filling + "x" + end).status == 431)
            let huge = String(repeating: "x", count: 1 << 20)
            #expect(try await Self.answer(port, start + huge + end).status == 431)
            let many = String(repeating: "A: b\r\n", count: 20_000)
            #expect(try await Self.answer(port, "GET / HTTP/1.1\r\nHost: a\r\n" + many + end).status == 431)
            #expect(try await Self.answer(port, "GET /" + huge + " HTTP/1.1\r\nHost: a" + end).status == 414)
        }
    }

    @Test func moreThanAHundredFieldsAreRefused() async throws {
        try await withServer {
            HTTPResponse(status: 200, body: Array("\($0.fields.count)".utf8))
        } _: { _, port async throws in
            let start = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            let fields = String(repeating: "A: b\r\n", count: 98)
            #expect(try await Self.answer(port, start + fields + "\r\n").hasSuffix("100"))
            #expect(try await Self.answer(port, start + fields + "A: b\r\n\r\n").status == 431)
        }
    }

    @Test func refusalsTakeTheShapeTheyAreGiven() async throws {
        try await withServer { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            let answer = try await Self.answer(port, "GET / HTTP/1.1\r\n\r\n")
            #expect(answer.field("content-type") == "application/problem+json")
            #expect(answer.hasSuffix(#"{"type":"about:blank","title":"Bad Request","status":400}"#))
        }
        let configuration = Self.configuration {
            $0.refusal = { status, path in
                HTTPResponse(
                    status: status, fields: ["Content-Type": "text/xml"], body: Array("<e>\(path ?? "none")</e>".utf8))
            }
        }
        try await withServer(configuration) { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            // Where there is a path, whoever makes the refusal is told it.
            for (text, path) in [("GET /a?b HTTP/1.1\r\n\r\n", "/a"), ("NONSENSE\r\n\r\n", "none")] {
                let answer = try await Self.answer(port, text)
                #expect(answer.status == 400)
                #expect(answer.field("content-type") == "text/xml")
                #expect(answer.hasSuffix("\r\n\r\n<e>\(path)</e>"))
            }
        }
    }

    // MARK: - Load and time

    @Test func requestsOverTheLimitAreRefusedAtOnce() async throws {
        let arrived = Event<Void>()
        let gate = Gate()
        let configuration = Self.configuration { $0.requestLimit = 2 }
        try await withServer(configuration) { _ in
            arrived.send()
            await gate.wait()
            return HTTPResponse(status: 200)
        } _: { _, port async throws in
            try await withClient { client async throws in
                async let first = client.send(WebRequest(url: url(port)))
                async let second = client.send(WebRequest(url: url(port)))
                try await arrived.next()
                try await arrived.next()
                let third = try await client.send(WebRequest(url: url(port)))
                #expect(third.status == 503)
                #expect(third.fields["retry-after"] == "1")
                gate.open()
                #expect(try await [first.status, second.status] == [200, 200])
                #expect(try await client.send(WebRequest(url: url(port))).status == 200)
            }
        }
    }

    @Test func aHandlerPastItsDeadlineIsCancelledAndAnsweredForOnce() async throws {
        let cancelled = Event<Bool>()
        let configuration = Self.configuration { $0.handlerDeadline = .seconds(1) }
        try await withServer(configuration) { request in
            guard request.path == "/slow" else { return HTTPResponse(status: 200) }
            try? await Task.sleep(for: .seconds(600))
            cancelled.send(Task.isCancelled)
            return HTTPResponse(status: 201)
        } _: { _, port async throws in
            let answers = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
                let first = try connection.receiveResponse()
                connection.send("GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return (first, try connection.receiveAll())
            }
            #expect(answers.0.status == 503)
            #expect(answers.1.status == 200)
            #expect(answers.1.responseCount == 1)
            #expect(try await cancelled.next())
        }
    }

    @Test func aSilentClientIsToldAndClosed() async throws {
        let configuration = Self.configuration { $0.idleTimeout = .seconds(1) }
        try await withServer(configuration) { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            #expect(try await Self.answer(port, "GET / HTTP/1.1\r\nHo").status == 408)
        }
    }

    @Test func aClientThatTricklesIsToldAndClosed() async throws {
        let configuration = Self.configuration { $0.requestDeadline = .milliseconds(200) }
        try await withServer(configuration) { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            let answer = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
                while connection.send("x") && !connection.hasInput(within: 5) {}
                return try connection.receiveAll()
            }
            #expect(answer.status == 408)
        }
    }

    @Test func connectionsOverTheLimitOfOneAddressAreClosed() async throws {
        let configuration = Self.configuration { $0.connectionLimitPerAddress = 1 }
        try await withServer(configuration) { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            let (first, second) = try await onThread {
                let first = try RawConnection(port: port)
                defer { first.close() }
                first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try first.receiveResponse()
                let second = try RawConnection(port: port)
                defer { second.close() }
                return (answer, try second.receiveAll())
            }
            #expect(first.status == 200)
            #expect(second == "")
        }
    }
}
