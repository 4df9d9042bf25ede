import HTTP
import Testing
import WebClient

@Suite(.timeLimit(.minutes(1))) struct WebClientTests {
    private static let kept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// libcurl by itself sends a request again when a kept connection dies before a response.
    @Test(arguments: ["hello", ""]) func aRequestOnADyingKeptConnectionIsWrittenOnce(body: String) async throws {
        let listener = try RawListener()
        defer { listener.close() }
        let server = Task {
            try await onThread { () -> (second: String, afterwards: String) in
                let connection = try listener.accept()
                _ = try connection.receive { $0.hasSuffix("\r\n\r\nfirst") }
                connection.send(Self.kept)
                let second = try connection.receive { $0.hasSuffix("\r\n\r\n" + body) }
                connection.close()
                // libcurl may connect once more before it learns that it must not write.
                guard listener.isAskedFor(within: 300) else { return (second, "") }
                let third = try listener.accept()
                defer { third.close() }
                return (second, try third.receiveAll())
            }
        }
        try await withClient { client async throws in
            let first = WebRequest(method: "POST", url: url(listener.port), body: Array("first".utf8))
            #expect(try await client.send(first).body == Array("ok".utf8))
            let second = WebRequest(method: "POST", url: url(listener.port, "/sms"), body: Array(body.utf8))
            #expect(await client.failure(second) == .answerLost)
            let seen = try await server.value
            #expect(seen.second.hasPrefix("POST /sms HTTP/1.1\r\n"))
            #expect(seen.second.hasSuffix("\r\n\r\n" + body))
            #expect(seen.afterwards == "")
        }
    }

    /// The other half: what may be repeated is, and so gets through.
    @Test func aRepeatableRequestSurvivesADyingKeptConnection() async throws {
        let listener = try RawListener()
        defer { listener.close() }
        let server = Task {
            try await onThread {
                let connection = try listener.accept()
                _ = try connection.receive { $0.hasSuffix("\r\n\r\n") }
                connection.send(Self.kept)
                _ = try connection.receive { $0.hasSuffix("\r\n\r\n") }
                connection.close()
                let again = try listener.accept()
                _ = try again.receive { $0.hasSuffix("\r\n\r\n") }
                again.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
                again.close()
            }
        }
        try await withClient { client async throws in
            #expect(try await client.send(WebRequest(url: url(listener.port))).status == 200)
            #expect(try await client.send(WebRequest(url: url(listener.port))).status == 201)
            try await server.value
        }
    }

    /// A kept connection the server has closed meanwhile is noticed before anything is written.
    @Test func aConnectionClosedWhileKeptIsReplaced() async throws {
        let listener = try RawListener()
        defer { listener.close() }
        let closed = Event<Void>()
        let server = Task {
            try await onThread {
                for isFirst in [true, false] {
                    let connection = try listener.accept()
                    _ = try connection.receive { $0.hasSuffix("\r\n\r\nx") }
                    connection.send(Self.kept)
                    connection.close()
                    if isFirst { closed.send() }
                }
            }
        }
        try await withClient { client async throws in
            let request = WebRequest(method: "POST", url: url(listener.port), body: Array("x".utf8))
            #expect(try await client.send(request).status == 200)
            try await closed.next()
            #expect(try await client.send(request).status == 200)
            try await server.value
        }
    }

    @Test func whatCannotBeSentIsNotSent() async throws {
        let listener = try RawListener()
        listener.close()
        try await withClient { client async throws in
            #expect(await client.failure(WebRequest(method: "POST", url: url(listener.port))) == .notSent)
            #expect(await client.failure(WebRequest(url: "http://nobody.invalid/")) == .notSent)
            #expect(await client.failure(WebRequest(url: "ftp://127.0.0.1/")) == .notSent)
            #expect(await client.failure(WebRequest(url: "not a url")) == .notSent)
            #expect(await client.failure(WebRequest(url: url(1), fields: ["X": "a\r\nY: b"])) == .notSent)
            #expect(await client.failure(WebRequest(method: "GET /x", url: url(1))) == .notSent)
        }
    }

    @Test func aFailedTLSHandshakeIsNotSent() async throws {
        let listener = try RawListener()
        defer { listener.close() }
        let server = Task {
            try await onThread {
                let connection = try listener.accept()
                connection.send("this is no TLS\r\n\r\n")
                _ = try connection.receiveAll()
                connection.close()
            }
        }
        try await withClient { client async throws in
            let request = WebRequest(
                method: "POST", url: "https://127.0.0.1:\(listener.port)/", body: Array("secret".utf8)
            )
            #expect(await client.failure(request) == .notSent)
            try await server.value
        }
    }

    @Test func aTimeoutDuringTheHandshakeIsNotSentAndOneAfterWritingLosesTheAnswer() async throws {
        let listener = try RawListener()
        defer { listener.close() }
        let server = Task {
            try await onThread {
                let silent = try listener.accept()
                _ = try silent.receiveAll()
                let reader = try listener.accept()
                let text = try reader.receiveAll()
                silent.close()
                reader.close()
                return text
            }
        }
        try await withClient { client async throws in
            var request = WebRequest(
                method: "POST", url: "https://127.0.0.1:\(listener.port)/", body: Array("body".utf8)
            )
            request.connectTimeout = .milliseconds(100)
            #expect(await client.failure(request) == .notSent)
            request.url = url(listener.port)
            request.timeout = .milliseconds(100)
            #expect(await client.failure(request) == .answerLost)
            #expect(try await server.value.hasSuffix("\r\n\r\nbody"))
        }
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "nonsense\r\n\r\n"])
    func aBrokenAnswerIsLost(answer: String) async throws {
        let listener = try RawListener()
        defer { listener.close() }
        let server = Task {
            try await onThread {
                let connection = try listener.accept()
                _ = try connection.receive { $0.hasSuffix("\r\n\r\nbody") }
                connection.send(answer)
                connection.close()
                return listener.isAskedFor(within: 100)
            }
        }
        try await withClient { client async throws in
            let request = WebRequest(method: "POST", url: url(listener.port), body: Array("body".utf8))
            #expect(await client.failure(request) == .answerLost)
            #expect(try await server.value == false)
        }
    }

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
