import HTTP
import Testing
import WebClient

@Suite(.timeLimit(.minutes(1))) struct WebClientTests {
    @Test func givesStatusFieldsAndBodyAndSendsNoFieldOfItsOwnThatMatters() async throws {
        let listener = try RawListener()
        defer { listener.close() }
        let server = Task {
            try await onThread {
                let connection = try listener.accept()
                let request = try connection.receive { $0.hasSuffix("\r\n\r\n{}") }
                connection.send("HTTP/1.1 103 Early Hints\r\nX: no\r\n\r\n")
                connection.send("HTTP/1.1 429 Slow Down\r\nX: a\r\nx:  b \r\nEmpty:\r\nContent-Length: 3\r\n\r\nabc")
                connection.close()
                return request
            }
        }
        try await withClient { client async throws in
            let response = try await client.send(
                WebRequest(
                    method: "PUT", url: url(listener.port, "/a/../b?c=%2B"),
                    fields: ["X-Empty": "", "Content-Length": "99", "Authorization": "Bearer x"],
                    body: Array("{}".utf8)
                )
            )
            #expect(response.status == 429)
            #expect(response.fields.values("x") == ["a", "b"])
            #expect(response.fields["empty"] == "")
            #expect(response.body == Array("abc".utf8))
            let request = try await server.value
            #expect(request.hasPrefix("PUT /a/../b?c=%2B HTTP/1.1\r\n"))
            #expect(request.field("content-length") == "2")
            #expect(request.field("x-empty") == "")
            #expect(request.field("authorization") == "Bearer x")
            #expect(request.field("user-agent") == "Pinpost")
            #expect(request.field("expect") == nil)
            #expect(request.field("content-type") == nil)
            #expect(request.field("transfer-encoding") == nil)
        }
    }

    @Test func aResponseOverItsLimitIsTooLargeAndTheNextIsNot() async throws {
        var configuration = WebClient.Configuration()
        configuration.responseByteLimit = 1000
        try await withServer {
            HTTPResponse(status: 200, body: Array(repeating: 65, count: Int($0.query ?? "") ?? 0))
        } _: { _, port async throws in
            try await withClient(configuration) { client async throws in
                #expect(await client.failure(WebRequest(url: url(port, "/?1001"))) == .tooLarge)
                #expect(try await client.send(WebRequest(url: url(port, "/?500"))).body.count == 500)
            }
        }
    }

    @Test func requestsOverTheConnectionLimitWaitForTheirTurn() async throws {
        var configuration = WebClient.Configuration()
        configuration.connectionLimit = 1
        try await withServer { _ in
            HTTPResponse(status: 200)
        } _: { _, port async throws in
            try await withClient(configuration) { client async throws in
                try await withThrowingTaskGroup { group in
                    for _ in 0..<20 { group.addTask { try await client.send(WebRequest(url: url(port))).status } }
                    for try await status in group { #expect(status == 200) }
                }
            }
        }
    }

    @Test func doesNotFollowRedirects() async throws {
        try await withServer { _ in
            HTTPResponse(status: 302, fields: ["Location": "/else"])
        } _: { _, port async throws in
            try await withClient { client async throws in
                let response = try await client.send(WebRequest(url: url(port)))
                #expect(response.status == 302)
                #expect(response.fields["location"] == "/else")
            }
        }
    }

    @Test func aCancelledTaskLeavesAtOnce() async throws {
        let (arrived, gate) = (Event<Void>(), Gate())
        try await withServer { _ in
            arrived.send()
            await gate.wait()
            return HTTPResponse(status: 200)
        } _: { _, port async throws in
            try await withClient { client async throws in
                let task = Task { await client.failure(WebRequest(url: url(port))) }
                try await arrived.next()
                task.cancel()
                #expect(await task.value == .cancelled)
                // Cancelled before it begins.
                let early = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await client.failure(WebRequest(url: url(port)))
                }
                #expect(await early.value == .cancelled)
            }
            gate.open()
        }
    }

    @Test func aStoppedClientFinishesWhatItHasAndTakesNoMore() async throws {
        let arrived = Event<Void>()
        let released = Event<Void>()
        try await withServer { _ in
            arrived.send()
            try? await released.next()
            return HTTPResponse(status: 204)
        } _: { _, port async throws in
            let client = WebClient()
            client.start()
            let task = Task { try await client.send(WebRequest(url: url(port))) }
            try await arrived.next()
            let stop = Task { await client.stop() }
            released.send()
            #expect(try await task.value.status == 204)
            await stop.value
            #expect(await client.failure(WebRequest(url: url(port))) == .notSent)
            await client.stop()
        }
    }
}
