import HTTP
import Testing
import WebClient
import WebServer

@Suite(.timeLimit(.minutes(1))) struct DropConnectionTests {
    private let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
        request.path == "/drop" ? .dropConnection : HTTPResponse(status: 204)
    }

    @Test(arguments: [
        "GET /drop HTTP/1.1\r\nHost: a\r\n\r\n", "POST /drop HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
    ])
    func theConnectionClosesWithoutAByte(text: String) async throws {
        try await withServer(handler: self.handler) { _, port in
            let answer = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send(text)
                return try connection.receiveAll()
            }
            #expect(answer == "")
        }
    }

    @Test func aClientTakesItsAnswerForLostAndTheServerGoesOn() async throws {
        try await withServer(handler: self.handler) { _, port in
            try await withClient { client in
                let request = WebRequest(method: "POST", url: url(port, "/drop"), body: [1])
                #expect(await client.failure(request) == .answerLost)
                let next = try await client.send(WebRequest(url: url(port)))
                #expect(next.status == 204)
            }
        }
    }
}
