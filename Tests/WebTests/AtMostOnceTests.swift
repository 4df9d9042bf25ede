import HTTP
import Testing
import WebClient

/// What the server sees of a request that fails, and what its sender is told.
@Suite(.timeLimit(.minutes(1))) struct AtMostOnceTests {
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

    /// A server that dies under a request and stays away must not cost the next request, to whatever server.
    @Test func aFailureLeavesNothingBehindForTheNextRequest() async throws {
        let listener = try RawListener()
        let server = Task {
            try await onThread {
                let connection = try listener.accept()
                _ = try connection.receive { $0.hasSuffix("\r\n\r\nfirst") }
                connection.send(Self.kept)
                _ = try connection.receive { $0.hasSuffix("\r\n\r\nsecond") }
                listener.close()
                connection.close()
            }
        }
        try await withServer { _ in
            HTTPResponse(status: 202)
        } _: { _, port async throws in
            try await withClient { client async throws in
                let first = WebRequest(method: "POST", url: url(listener.port), body: Array("first".utf8))
                #expect(try await client.send(first).status == 200)
                let second = WebRequest(method: "POST", url: url(listener.port), body: Array("second".utf8))
                #expect(await client.failure(second) == .answerLost)
                let third = WebRequest(method: "POST", url: url(port), body: Array("third".utf8))
                #expect(try await client.send(third).status == 202)
                try await server.value
            }
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

    @Test func aRequestThatWaitsInVainForAConnectionIsNotSent() async throws {
        var configuration = WebClient.Configuration()
        configuration.connectionLimit = 1
        let (arrived, gate) = (Event<Void>(), Gate())
        let handled = Count()
        try await withServer { _ in
            handled.add()
            arrived.send()
            await gate.wait()
            return HTTPResponse(status: 200)
        } _: { _, port async throws in
            try await withClient(configuration) { client async throws in
                async let first = client.send(WebRequest(method: "POST", url: url(port)))
                try await arrived.next()
                var second = WebRequest(method: "POST", url: url(port))
                second.timeout = .milliseconds(50)
                #expect(await client.failure(second) == .notSent)
                gate.open()
                #expect(try await first.status == 200)
                #expect(handled.now == 1)
            }
        }
    }
}
