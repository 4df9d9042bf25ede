import HTTP
import Testing
import WebClient
import WebServer

/// The end of a server.
@Suite(.timeLimit(.minutes(1))) struct WebServerDrainTests {
    @Test func aDrainAnswersWhatWasAcceptedAndRefusesTheRest() async throws {
        let arrived = Event<Void>()
        let gate = Gate()
        let body = Array(repeating: UInt8(ascii: "x"), count: 4 << 20)
        try await withServer { request in
            guard request.path == "/slow" else { return HTTPResponse(status: 200) }
            arrived.send()
            await gate.wait()
            return HTTPResponse(status: 200, body: body)
        } _: { server, port async throws in
            let ready = Event<Void>()
            let drained = Event<Void>()
            let kept = Task {
                let (isDrained, wait) = (Gate(), drained)
                Task {
                    try await wait.next(); isDrained.open()
                }
                let connection = try await onThread {
                    let connection = try RawConnection(port: port)
                    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    _ = try connection.receiveResponse()
                    return connection
                }
                ready.send()
                await isDrained.wait()
                return try await onThread {
                    defer { connection.close() }
                    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    return try connection.receiveAll()
                }
            }
            try await withClient(Self.largeResponses) { client async throws in
                async let slow = client.send(WebRequest(url: url(port, "/slow")))
                try await arrived.next()
                try await ready.next()
                server.drain()
                drained.send()
                let refused = try await kept.value
                #expect(refused.status == 503)
                #expect(refused.field("connection")?.lowercased() == "close")
                #expect(refused.field("retry-after") == "1")
                gate.open()
                let answer = try await slow
                #expect(answer.body.count == body.count)
                #expect(answer.fields["connection"]?.lowercased() == "close")
            }
        }
    }

    /// And does not wait, until the last request is answered, for an answer that never comes.
    @Test func whoConnectsDuringADrainIsRefusedAtOnce() async throws {
        let arrived = Event<Void>()
        let gate = Gate()
        try await withServer { _ in
            arrived.send()
            await gate.wait()
            return HTTPResponse(status: 200)
        } _: { server, port async throws in
            try await withClient { client async throws in
                async let slow = client.send(WebRequest(url: url(port)))
                try await arrived.next()
                server.drain()
                #expect(await client.failure(WebRequest(method: "POST", url: url(port))) == .notSent)
                gate.open()
                #expect(try await slow.status == 200)
            }
        }
    }

    private static var largeResponses: WebClient.Configuration {
        var configuration = WebClient.Configuration()
        configuration.responseByteLimit = 8 << 20
        return configuration
    }

    @Test func aCancelledRunCancelsItsHandlersAndSendsTheirAnswers() async throws {
        let (arrived, ports) = (Event<Void>(), Event<UInt16>())
        let server = WebServer(WebServer.Configuration(), name: "test") { _ in
            arrived.send()
            try? await Task.sleep(for: .seconds(600))
            return HTTPResponse(status: Task.isCancelled ? 299 : 200)
        }
        let run = Task { try await server.run { ports.send($0) } }
        let port = try await ports.next()
        try await withClient { client async throws in
            async let response = client.send(WebRequest(url: url(port)))
            try await arrived.next()
            run.cancel()
            #expect(try await response.status == 299)
            try await run.value
            #expect(await client.failure(WebRequest(method: "POST", url: url(port))) == .notSent)
        }
    }

    @Test func aServerDrainedBeforeItRunsDoesNotListen() async throws {
        let listened = Count()
        let server = WebServer(WebServer.Configuration(), name: "test") { _ in HTTPResponse(status: 200) }
        server.drain()
        try await server.run { _ in listened.add() }
        #expect(listened.now == 0)
    }
}
