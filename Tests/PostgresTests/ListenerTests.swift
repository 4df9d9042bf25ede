import TestDatabase
import Testing

@testable import Postgres

@Suite struct ListenerTests {
    private enum Event: Sendable, Equatable {
        case listening
        case failure
        case notification(String, String)
    }

    /// Runs a listener while `body` does something and looks at what is heard.
    private func withListener(
        _ url: String, channels: [String], keepalive: Duration = .seconds(30),
        _ body: (inout AsyncStream<Event>.Iterator) async throws -> Void
    ) async throws {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        let listener = Listener(url: url, channels: channels, keepalive: keepalive, poller: TestDatabase.poller)
        let running = Task {
            try await listener.run(
                onListening: { continuation.yield(.listening) }, onFailure: { _ in continuation.yield(.failure) }
            ) { channel, payload in continuation.yield(.notification(channel, payload)) }
        }
        var iterator = events.makeAsyncIterator()
        try await body(&iterator)
        running.cancel()
        // Cancelled, it returns: it does not throw.
        try await running.value
    }

    private func expect(
        _ event: Event, from events: inout AsyncStream<Event>.Iterator, at location: SourceLocation = #_sourceLocation
    ) async {
        var next = await events.next(isolation: #isolation)
        // On a busy machine it may take more than one attempt.
        while next == .failure && event != .failure { next = await events.next(isolation: #isolation) }
        #expect(next == event, sourceLocation: location)
    }

    @Test func hearsTheChannelsItListensToAndNoOthers() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            try await self.withListener(url, channels: ["due", "odd \"name\""]) { events in
                await self.expect(.listening, from: &events)
                try await pool.execute("SELECT pg_notify('other', 'x')")
                try await pool.execute("SELECT pg_notify('due', 'lane 1')")
                await self.expect(.notification("due", "lane 1"), from: &events)
                try await pool.execute("SELECT pg_notify('odd \"name\"', '')")
                await self.expect(.notification("odd \"name\"", ""), from: &events)
            }
        }
    }

    @Test func connectsAgainWhenItsConnectionBreaks() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            try await self.withListener(url, channels: ["due"]) { events in
                for _ in 1...3 {
                    await self.expect(.listening, from: &events)
                    try await pool.execute(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND application_name = 'pinpost-listener'
                        """
                    )
                    await self.expect(.failure, from: &events)
                }
                await self.expect(.listening, from: &events)
                try await pool.execute("NOTIFY due, 'again'")
                await self.expect(.notification("due", "again"), from: &events)
            }
        }
    }

    @Test func staysConnectedThroughItsKeepalives() async throws {
        try await TestDatabase.withDatabase { url in
            let pool = TestDatabase.pool(url, limit: 1)
            try await self.withListener(url, channels: ["due"], keepalive: .milliseconds(2)) { events in
                await self.expect(.listening, from: &events)
                for round in 1...50 {
                    try await pool.execute("SELECT pg_notify('due', \("\(round)")), pg_sleep(0.001)")
                    await self.expect(.notification("due", "\(round)"), from: &events)
                }
            }
        }
    }

    @Test func aURLThatCannotBeReadIsThrown() async throws {
        let listener = Listener(url: "nonsense", channels: [], poller: TestDatabase.poller)
        await #expect(throws: PostgresError.self) { try await listener.run { _, _ in } }
    }
}
