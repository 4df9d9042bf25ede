import HTTP
import JSON
import Postgres
import Testing

extension SystemTests {
    /// A database that takes connections and statements, and answers none: nothing breaks, and nothing comes.
    @Suite struct HangingDatabaseTests {
        private static let message: JSON = ["to": "+41791234567", "body": "Your code is 493817"]

        /// No statement's limit ends the wait here, only the API's own promise.
        @Test func aDatabaseThatHangsIsToldWithinTwoSeconds() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                try await deployment.start(.api, settings: ["PINPOST_DATABASE_TIMEOUT": "60s"])
                try await deployment.locking("messages") {
                    for (method, body, key) in [
                        ("POST", Self.message, "k"), ("POST", Self.message, nil), ("GET", nil, nil),
                    ] {
                        let clock = ContinuousClock.now
                        let response = try await deployment.api(method, "/v1/messages", body: body, idempotencyKey: key)
                        #expect(ContinuousClock.now - clock < .seconds(2))
                        #expect(response.status == 503)
                        #expect(response.fields["Retry-After"] == "1")
                        #expect(try response.json["code"]?.string == "not_answered")
                    }
                }
                // Both may have been accepted, and were; the key finds its message instead of doubling it.
                try await eventually("the key is free again") {
                    try await deployment.api("POST", "/v1/messages", body: Self.message, idempotencyKey: "k").status
                        == 202
                        ? true : nil
                }
                #expect(try await deployment.api("GET", "/v1/messages").json["messages"]?.array?.count == 2)
            }
        }

        @Test func readsThatHangHoldUpNoAccepts() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                try await deployment.start(.api)
                let id = try await deployment.accept(to: "+41791234567", "Your code is 493817")
                try await deployment.locking("attempts") {
                    try await withThrowingTaskGroup(of: Int.self) { group in
                        for _ in 0..<40 {
                            group.addTask { try await deployment.api("GET", "/v1/messages/\(id)").status }
                        }
                        try await eventually("all connections for reads wait") {
                            try await deployment.lockWaits == 4
                        }
                        let clock = ContinuousClock.now
                        for _ in 0..<3 { _ = try await deployment.accept(to: "+41791234567", "Your code is 493817") }
                        #expect(try await deployment.lockWaits == 4)
                        #expect(ContinuousClock.now - clock < .seconds(1))
                        for try await status in group { #expect(status == 503) }
                    }
                }
                #expect(try await deployment.api("GET", "/v1/messages/\(id)").status == 200)
            }
        }
    }
}

extension Deployment {
    /// Statements of the API's readers that wait for a lock.
    fileprivate var lockWaits: Int {
        get async throws {
            let counts = try await self.database.query(
                """
                SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                AND application_name = 'pinpost-api-reads'
                """
            ) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }
            return counts[0]
        }
    }
}
