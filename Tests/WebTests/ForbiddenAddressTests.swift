import CCurl
import Egress
import HTTP
import Testing

@testable import WebClient

/// No name, no spelling and no redirect leads a client with a policy to an address the policy forbids.
@Suite(.timeLimit(.minutes(1))) struct ForbiddenAddressTests {
    static let names: [String: NameServer.Answer] = [
        "loopback.test": .init(addresses: ["127.0.0.1"]),
        "mixed.test": .init(addresses: ["127.0.0.2", "127.0.0.1"]),
        "mixed-kinds.test": .init(addresses: ["127.0.0.2", "::1"]),
        "ipv6.test": .init(addresses: ["::1"]),
        "mapped.test": .init(addresses: ["::ffff:127.0.0.1"]),
        "unspecified.test": .init(addresses: ["0.0.0.0"]),
        "unspecified-ipv6.test": .init(addresses: ["::"]),
        "translated.test": .init(addresses: ["64:ff9b::127.0.0.1"]),
        "private.test": .init(addresses: ["8.8.8.8", "10.0.0.1"]),
        "metadata.test": .init(addresses: ["169.254.169.254"], alias: "metadata.public.test"),
        "alias.test": .init(addresses: ["127.0.0.1"], alias: "localhost"),
        "lasting.test": .init(addresses: ["127.0.0.1"], timeToLive: 3600),
    ]

    @Test(arguments: names.keys.sorted()) func aNameWithOneForbiddenAddressIsForbidden(name: String) async throws {
        try await withEgress(names: { name, _ in Self.names[name] }) { egress async throws in
            for _ in 0..<3 { #expect(await egress.client.failure(WebRequest(url: egress.url(name))) == .forbidden) }
            #expect(egress.canary.countVisitors() == 0)
        }
    }

    /// Else whoever mixes them is dialled until luck picks the one that is meant.
    @Test(arguments: ["mixed.test", "mixed-kinds.test"])
    func theOthersAreNotDialledEither(name: String) async throws {
        try await withEgress(names: { name, _ in Self.names[name] }) { egress async throws in
            let listener = try egress.publicListener()
            defer { listener.close() }
            #expect(await egress.client.failure(WebRequest(url: egress.url(name))) == .forbidden)
            #expect(try await onThread { !listener.isAskedFor(within: 0) })
            #expect(egress.canary.countVisitors() == 0)
        }
    }

    @Test(arguments: [
        "https://127.0.0.1:PORT/", "http://127.0.0.1:PORT/", "https://localhost:PORT/", "https://[::1]:PORT/",
        "https://[::ffff:127.0.0.1]:PORT/", "https://0.0.0.0:PORT/", "https://127.1:PORT/", "https://2130706433:PORT/",
        "https://0x7f.1:PORT/", "https://0177.0.0.1:PORT/", "https://127.0.0.1.:PORT/", "https://user@127.0.0.1:PORT/",
        "https://public.test@127.0.0.1:PORT/", "https://127.0.0.1:PORT\\@public.test/", "https://public.test:22/",
        "http://public.test:PORT/", "ftp://127.0.0.1:PORT/", "file:///etc/passwd", "not a url",
    ])
    func aURLThatIsForbiddenIsNotCalled(text: String) async throws {
        try await withEgress { egress async throws in
            let url = text.split(separator: "PORT", omittingEmptySubsequences: false).joined(
                separator: "\(egress.port)")
            #expect(await egress.client.failure(WebRequest(url: url)) == .forbidden)
            #expect(egress.canary.countVisitors() == 0)
        }
    }

    /// The other half: were these let through, the canary would tell.
    @Test(arguments: ["loopback.test", "ipv6.test", "mapped.test", "alias.test", "unspecified.test"])
    func theCanaryHearsThoseWhoAreLetThrough(name: String) async throws {
        let allowed = ["127.0.0.0/8", "::1/128", "0.0.0.0/32"]
        try await withEgress(allowed: allowed, names: { name, _ in Self.names[name] }) { egress async throws in
            var request = WebRequest(url: egress.url(name))
            request.timeout = .milliseconds(500)
            #expect(await egress.client.failure(request) == .notSent)
            #expect(egress.canary.countVisitors() > 0)
        }
    }

    @Test func aNameThatMovesBetweenTwoRequestsIsJudgedAgain() async throws {
        try await withEgress(names: { _, earlier in
            .init(addresses: [earlier.isMultiple(of: 2) ? "127.0.0.2" : "127.0.0.1"])
        }) { egress async throws in
            let listener = try egress.publicListener()
            defer { listener.close() }
            for _ in 0..<5 {
                async let hello = listener.hearOnce()
                #expect(await egress.client.failure(WebRequest(url: egress.url("rebinding.test"))) == .notSent)
                // The name stands in the TLS greeting, though an address was dialled.
                #expect(try await hello.range(ofFirst: "rebinding.test") != nil)
                #expect(await egress.client.failure(WebRequest(url: egress.url("rebinding.test"))) == .forbidden)
            }
            #expect(egress.names.count(of: "rebinding.test") == 10)
            #expect(egress.canary.countVisitors() == 0)
        }
    }

    /// As `aNameThatMovesBetweenTwoRequestsIsJudgedAgain`, with many at once.
    @Test func aNameThatMovesAmongManyRequestsLeadsNobodyToTheCanary() async throws {
        try await withEgress(names: { _, earlier in
            .init(addresses: [earlier.isMultiple(of: 2) ? "127.0.0.2" : "127.0.0.1"])
        }) { egress async throws in
            await withTaskGroup { group in
                for number in 0..<200 {
                    group.addTask {
                        let url = egress.url(number.isMultiple(of: 3) ? "a.test" : "b.test")
                        // Nobody listens on 127.0.0.2.
                        return await egress.client.failure(WebRequest(url: url))
                    }
                }
                for await failure in group { #expect(failure == .notSent || failure == .forbidden) }
            }
            #expect(egress.canary.countVisitors() == 0)
        }
    }

    @Test func addressesAreUsedAgainForTheirTimeToLiveAndNoLongerThanConfigured() async throws {
        for (timeToLive, age, count) in [(3600, 30, 1), (0, 30, 3), (3600, 0, 3)] as [(UInt32, Int, Int)] {
            try await withEgress(
                configure: { $0.knownNameAge = .seconds(age) },
                names: { _, _ in .init(addresses: ["127.0.0.2"], timeToLive: timeToLive) }
            ) { egress async throws in
                for _ in 0..<3 {
                    #expect(await egress.client.failure(WebRequest(url: egress.url("kept.test"))) == .notSent)
                }
                #expect(egress.names.count(of: "kept.test") == count)
            }
        }
    }

    @Test(arguments: ["http://169.254.169.254/latest", "http://127.0.0.1:PORT/"])
    func aRedirectIsAnAnswerAndNothingElse(location: String) async throws {
        try await withEgress { egress async throws in
            let listener = try egress.publicListener()
            defer { listener.close() }
            let target = location.split(separator: "PORT", omittingEmptySubsequences: false)
                .joined(separator: "\(egress.port)")
            async let request = listener.answerOnce(
                "HTTP/1.1 302 Found\r\nLocation: \(target)\r\nContent-Length: 0\r\n\r\n")
            let response = try await egress.client.send(WebRequest(url: "http://127.0.0.2:\(egress.port)/hook"))
            #expect(response.status == 302)
            #expect(response.fields["location"] == target)
            #expect(try await request.field("host") == "127.0.0.2:\(egress.port)")
            #expect(egress.canary.countVisitors() == 0)
        }
    }

    /// What stands behind the judge of names: the address is judged once more when it is dialled.
    @Test func anAddressIsJudgedWhenItIsDialled() async throws {
        let canary = try Canary()
        defer { canary.close() }
        var configuration = WebClient.Configuration()
        configuration.egress = EgressPolicy(allowed: [Network("127.0.0.2/32")!], ports: [canary.port])
        let lax = EgressPolicy(allowed: [Network("127.0.0.0/8")!], ports: [canary.port])
        for url in ["https://judged.test:\(canary.port)/", "http://127.0.0.1:\(canary.port)/"] {
            let route = Route(
                to: try CallbackURL(url, policy: lax), at: [NetworkAddress("127.0.0.1")!],
                until: .now + .seconds(5), connectedBy: .now + .seconds(5))
            let outcome = await withCheckedContinuation { continuation in
                let transfer = Transfer(WebRequest(url: url), ticket: 0, continuation: continuation)
                let handle = EasyHandle(configuration)!
                handle.begin(transfer, by: route)
                handle.finish(curl_easy_perform(handle.easy))
            }
            #expect(throws: WebClientError.addressForbidden) { try outcome.get() }
            #expect(canary.countVisitors() == 0)
        }
    }
}
