import HTTP
import Synchronization
import Testing
import WebClient
import WebServer

@Suite(.timeLimit(.minutes(1))) struct WebServerTests {
    @Test func givesTheHandlerTheRequestAsItWasSent() async throws {
        let seen = Event<HTTPRequest>()
        try await withServer { request in
            seen.send(request)
            return HTTPResponse(status: 202, fields: ["X-A": "1", "X-a": "2"], body: request.body.reversed())
        } _: { _, port async throws in
            let answer = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send(
                    "PATCH /a%2Fb//..?q=%41&q&=? HTTP/1.1\r\nhost: x\r\nX-One: é \r\nx-one: 2\r\nContent-Length: 3\r\n\r\nabc"
                )
                return try connection.receiveResponse()
            }
            let request = try await seen.next()
            #expect(request.method == "PATCH")
            #expect(request.path == "/a%2Fb//..")
            #expect(request.query == "q=%41&q&=?")
            #expect(request.target == "/a%2Fb//..?q=%41&q&=?")
            #expect(request.fields.values("X-One") == ["é", "2"])
            #expect(request.fields.all.map(\.name) == ["host", "X-One", "x-one", "Content-Length"])
            #expect(request.body == Array("abc".utf8))
            #expect(request.peer == "127.0.0.1")
            #expect(answer.status == 202)
            #expect(answer.field("date") != nil)
            #expect(answer.field("content-length") == "3")
            #expect(answer.field("x-a") == "1")
            #expect(answer.hasSuffix("\r\n\r\ncba"))
        }
    }

    @Test func aQueryOfThousandsOfPairsIsOnlyText() async throws {
        let query = String(repeating: "a&", count: 5000)
        try await withServer {
            HTTPResponse(status: $0.query == query ? 200 : 500)
        } _: { _, port async throws in
            try await withClient { client async throws in
                #expect(try await client.send(WebRequest(url: url(port, "/?" + query))).status == 200)
            }
        }
    }

    @Test func answersIPv6Clients() async throws {
        var configuration = WebServer.Configuration()
        configuration.address = "::1"
        try await withServer(configuration) {
            HTTPResponse(status: 200, body: Array(($0.peer ?? "").utf8))
        } _: { _, port async throws in
            try await withClient { client async throws in
                let response = try await client.send(WebRequest(url: "http://[::1]:\(port)/"))
                #expect(String(decoding: response.body, as: UTF8.self) == "::1")
            }
        }
    }

    @Test func aHundredSlowHandlersRunAtOnce() async throws {
        let arrived = Event<Void>()
        let gate = Gate()
        try await withServer { _ in
            arrived.send()
            await gate.wait()
            return HTTPResponse(status: 200)
        } _: { _, port async throws in
            try await withClient { client async throws in
                try await withThrowingTaskGroup { group in
                    for _ in 0..<100 {
                        group.addTask { try await client.send(WebRequest(url: url(port))).status }
                    }
                    // Were they not all at once, the hundredth would never arrive.
                    for _ in 0..<100 { try await arrived.next() }
                    gate.open()
                    for try await status in group { #expect(status == 200) }
                }
            }
        }
    }

    @Test func tenThousandRequestsOverThirtyTwoConnectionsAreAnsweredOnce() async throws {
        var configuration = WebClient.Configuration()
        configuration.connectionLimit = 32
        let handled = Count()
        try await withServer { request in
            handled.add()
            return HTTPResponse(status: 200, body: request.body)
        } _: { _, port async throws in
            try await withClient(configuration) { client async throws in
                try await withThrowingTaskGroup { group in
                    for worker in 0..<32 {
                        group.addTask { () async throws in
                            for index in 0..<(10_000 / 32) {
                                let body = Array("\(worker)/\(index)".utf8)
                                let request = WebRequest(method: "POST", url: url(port), body: body)
                                #expect(try await client.send(request).body == body)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
        #expect(handled.now == 10_000 / 32 * 32)
    }

    @Test func aHEADResponseHasNoBody() async throws {
        try await withServer { _ in
            HTTPResponse(status: 200, body: Array("hello".utf8))
        } _: { _, port async throws in
            let answer = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return try connection.receiveAll()
            }
            #expect(answer.status == 200)
            #expect(answer.field("content-length") == "5")
            #expect(answer.hasSuffix("\r\n\r\n"))
            try await withClient { client async throws in
                let response = try await client.send(WebRequest(method: "HEAD", url: url(port)))
                #expect(response.status == 200)
                #expect(response.body.isEmpty)
            }
        }
    }

    @Test func asksForTheBodyOfAClientThatExpectsToBeAsked() async throws {
        try await withServer {
            HTTPResponse(status: 200, body: $0.body)
        } _: { _, port async throws in
            let (asked, answer) = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
                let asked = try connection.receive { $0.hasSuffix("\r\n\r\n") }
                connection.send("ok")
                return (asked, try connection.receiveResponse())
            }
            #expect(asked == "HTTP/1.1 100 Continue\r\n\r\n")
            #expect(answer.status == 200)
            #expect(answer.hasSuffix("ok"))
        }
    }

    @Test(arguments: [
        (HTTPResponse(status: 99), 500), (HTTPResponse(status: 101), 500), (HTTPResponse(status: 1000), 500),
        (HTTPResponse(status: 200, fields: ["X": "a\r\nSet-Cookie: b"]), 500),
        (HTTPResponse(status: 200, fields: ["X\r\nY": "a"]), 500),
        (HTTPResponse(status: 200, fields: ["X": String(repeating: "x", count: 8187)]), 200),
        (HTTPResponse(status: 200, fields: ["X": String(repeating: "x", count: 8188)]), 500),
        (HTTPResponse(status: 200, fields: ["Content-Length": "99", "Transfer-Encoding": "chunked"]), 200),
        (HTTPResponse(status: 204, body: [65]), 204), (HTTPResponse(status: 304), 304),
    ])
    func onlySendableResponsesAreSent(response: HTTPResponse, status: Int) async throws {
        try await withServer { _ in
            response
        } _: { _, port async throws in
            let answer = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return try connection.receiveAll()
            }
            #expect(answer.status == status)
            #expect(answer.responseCount == 1)
            #expect(answer.field("transfer-encoding") == nil)
            #expect(answer.field("set-cookie") == nil)
            #expect(answer.field("content-length") != "99")
        }
    }

    @Test func tellsWhyItCannotListen() async throws {
        try await withServer { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            let second = WebServer(WebServer.Configuration(port: port), name: "second") { _ in HTTPResponse(status: 200)
            }
            let error = await #expect(throws: WebServerError.self) { try await second.run() }
            #expect(error?.description == "cannot listen on 127.0.0.1:\(port): Address already in use")
        }
        var configuration = WebServer.Configuration()
        configuration.address = "localhost"
        let third = WebServer(configuration, name: "third") { _ in HTTPResponse(status: 200) }
        await #expect(throws: WebServerError.badAddress("localhost")) { try await third.run() }
    }
}

/// Closed until it is opened, for any number of waiters.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = self.state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
