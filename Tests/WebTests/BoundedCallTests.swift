import HTTP
import Testing
import WebClient

/// What a customer's host can do to the client that calls it: nothing but use up the request's own time and bytes.
@Suite(.timeLimit(.minutes(1))) struct BoundedCallTests {
    @Test func aBodyWithoutEndIsTooLarge() async throws {
        try await withEgress(configure: { $0.responseByteLimit = 65536 }) { egress async throws in
            let listener = try egress.publicListener()
            defer { listener.close() }
            let server = Task {
                try await onThread {
                    let connection = try listener.accept()
                    connection.send("HTTP/1.1 200 OK\r\n\r\n")
                    let piece = [UInt8](repeating: 65, count: 16384)
                    while connection.send(piece) {}
                    connection.close()
                }
            }
            #expect(await egress.client.failure(WebRequest(url: "http://127.0.0.2:\(egress.port)/")) == .tooLarge)
            try await server.value
        }
    }

    @Test(arguments: ["HTTP/1.1 100 Continue\r\n\r\n", "X-More: and more\r\n"])
    func aHeadWithoutEndIsTooLarge(piece: String) async throws {
        try await withEgress(configure: { $0.responseByteLimit = 65536 }) { egress async throws in
            let listener = try egress.publicListener()
            defer { listener.close() }
            let server = Task {
                try await onThread {
                    let connection = try listener.accept()
                    if piece.hasPrefix("X") { connection.send("HTTP/1.1 200 OK\r\n") }
                    let pieces = String(repeating: piece, count: 100)
                    while connection.send(pieces) {}
                    connection.close()
                }
            }
            let failure = await egress.client.failure(WebRequest(url: "http://127.0.0.2:\(egress.port)/"))
            // libcurl has a limit of its own for fields, which may come first.
            #expect(failure == .tooLarge || failure == .answerLost)
            try await server.value
        }
    }

    @Test func aHeadThatDripsEndsInTime() async throws {
        try await withEgress { egress async throws in
            let listener = try egress.publicListener()
            defer { listener.close() }
            let server = Task {
                try await onThread {
                    let connection = try listener.accept()
                    _ = try connection.receive { $0.hasSuffix("\r\n\r\n") }
                    connection.send("HTTP/1.1 200 OK\r\nX: ")
                    // A byte every 20 ms, for as long as anybody listens.
                    while !connection.hasInput(within: 20), connection.send("a") {}
                    connection.close()
                }
            }
            var request = WebRequest(url: "http://127.0.0.2:\(egress.port)/")
            request.timeout = .milliseconds(300)
            let duration = try await ContinuousClock().measure { () async throws in
                #expect(await egress.client.failure(request) == .answerLost)
            }
            #expect(duration < .seconds(5))
            try await server.value
        }
    }

    @Test func aHostThatDoesNotAcceptIsLeftInTime() async throws {
        try await withEgress { egress async throws in
            let listener = try RawListener(address: 0x7F00_0002, port: egress.port, backlog: 0)
            defer { listener.close() }
            var request = WebRequest(url: "http://127.0.0.2:\(egress.port)/")
            request.timeout = .milliseconds(300)
            // The first connections fill the queue; the kernel lets the others wait.
            let duration = try await ContinuousClock().measure { () async throws in
                try await withThrowingTaskGroup { group in
                    for _ in 0..<8 { group.addTask { [request] in await egress.client.failure(request) } }
                    for try await failure in group { #expect(failure == .notSent || failure == .answerLost) }
                }
            }
            #expect(duration < .seconds(5))
        }
    }

    @Test func aNameServerThatIsSilentIsLeftInTime() async throws {
        try await withEgress(names: { _, _ in nil }) { egress async throws in
            for (timeout, connectTimeout) in [(10_000, 200), (200, 10_000)] {
                var request = WebRequest(url: egress.url("silent.test"))
                request.timeout = .milliseconds(timeout)
                request.connectTimeout = .milliseconds(connectTimeout)
                let duration = try await ContinuousClock().measure { () async throws in
                    #expect(await egress.client.failure(request) == .notSent)
                }
                #expect(duration < .seconds(5))
            }
        }
    }

    @Test func aNameWithoutAddressesIsNotSent() async throws {
        try await withEgress { egress async throws in
            #expect(await egress.client.failure(WebRequest(url: egress.url("nothing.test"))) == .notSent)
        }
    }

    @Test func aCancelledLookUpLeavesAtOnceAndAStopWaitsForNobodyElse() async throws {
        let asked = Event<Void>()
        try await withEgress(names: { _, _ in
            asked.send()
            return nil
        }) { egress async throws in
            let task = Task { await egress.client.failure(WebRequest(url: egress.url("silent.test"))) }
            try await asked.next()
            task.cancel()
            #expect(await task.value == .cancelled)
        }
    }

    @Test func manyRequestsToAHostThatHangsDoNotStopOthers() async throws {
        try await withEgress(
            allowed: ["127.0.0.2/32", "127.0.0.3/32"], configure: { $0.connectionLimitPerHost = 4 }
        ) { egress async throws in
            let silent = try RawListener(address: 0x7F00_0003, port: egress.port)
            defer { silent.close() }
            let listener = try egress.publicListener()
            defer { listener.close() }
            let hanging = Task {
                await withTaskGroup { group in
                    for _ in 0..<300 {
                        group.addTask {
                            await egress.client.failure(WebRequest(url: "http://127.0.0.3:\(egress.port)/"))
                        }
                    }
                    for await failure in group { #expect(failure == .cancelled) }
                }
            }
            #expect(try await onThread { silent.isAskedFor(within: 10_000) })
            for _ in 0..<20 {
                async let request = listener.answerOnce("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                #expect(try await egress.client.send(WebRequest(url: "http://127.0.0.2:\(egress.port)/")).status == 204)
                _ = try await request
            }
            hanging.cancel()
            await hanging.value
        }
    }

    @Test func manyRequestsToANameThatHangsAreOneLookUpAndDoNotStopOthers() async throws {
        let asked = Event<Void>()
        try await withEgress(
            configure: { $0.lookUpLimit = 2 },
            names: { name, _ in
                guard name == "silent.test" else { return .init(addresses: ["127.0.0.1"]) }
                asked.send()
                return nil
            }
        ) { egress async throws in
            let hanging = Task {
                await withTaskGroup { group in
                    for _ in 0..<300 {
                        group.addTask { await egress.client.failure(WebRequest(url: egress.url("silent.test"))) }
                    }
                    for await failure in group { #expect(failure == .cancelled) }
                }
            }
            try await asked.next()
            for number in 0..<20 {
                let url = egress.url("other-\(number).test")
                #expect(await egress.client.failure(WebRequest(url: url)) == .forbidden)
            }
            hanging.cancel()
            await hanging.value
            // Asked again after a second, were it slow here.
            #expect(egress.names.count(of: "silent.test") <= 3)
        }
    }

    @Test func whatIsCompressedStaysCompressed() async throws {
        try await withEgress { egress async throws in
            let listener = try egress.publicListener()
            defer { listener.close() }
            async let request = listener.answerOnce(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\u{1F}zip")
            let response = try await egress.client.send(WebRequest(url: "http://127.0.0.2:\(egress.port)/"))
            #expect(response.body == Array("\u{1F}zip".utf8))
            #expect(try await request.field("accept-encoding") == nil)
        }
    }
}
