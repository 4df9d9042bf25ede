import JSON
import Polling
import Postgres
import Testing

extension SystemTests {
    /// A provider that hangs, then refuses, then throttles, and then is well again, under a steady traffic of codes.
    @Suite struct OutageTests {
        /// Between two codes to each country.
        private static let interval = Duration.milliseconds(40)
        private static let perSecond = 25
        /// How long the provider is out in each way.
        private static let phase = Duration.seconds(8)
        private static let limit = Duration.seconds(2)

        @Test func codesGoOnByAnotherProviderAndComeBackWithoutABurst() async throws {
            try await Deployment.run { deployment in
                try await Self.start(deployment)
                try await withThrowingTaskGroup { group in
                    group.addTask { try await Self.send(deployment) }
                    try await Self.outage(deployment)
                    let healed: String = try await deployment.value("SELECT now()::text")
                    try await Self.waitForReturn(deployment)
                    group.cancelAll()
                    try await Self.check(deployment, healed: healed)
                }
            }
        }

        /// Codes to Britain have both providers, those to Germany the second only.
        private static func start(_ deployment: Deployment) async throws {
            try await deployment.prepare()
            let routes: JSON = [
                "routes": [["channel": "sms", "prefix": "+44", "providers": ["vonage", "infobip"]]]
            ]
            let applied = try await deployment.apply(routes)
            guard applied.status.isSuccess else { throw Failure(applied.errorOutput) }
            for role in [ManagedProcess.Role.carrier, .receiver, .api] { try await deployment.start(role) }
            for number in 1...2 { try await deployment.start(.worker, "worker-\(number)") }
        }

        private static func send(_ deployment: Deployment) async throws {
            try await withThrowingDiscardingTaskGroup { group in
                for number in 0... {
                    let digits = String(1_000_000 + number)
                    for prefix in ["+44740", "+49151"] {
                        group.addTask { _ = try await deployment.accept(to: prefix + digits, "Your code is 493817") }
                    }
                    do { try await Task.sleep(for: Self.interval) } catch { return }
                }
            }
        }

        private static func outage(_ deployment: Deployment) async throws {
            try await Task.sleep(for: .seconds(3))
            let faults: [JSON] = [
                ["fault": "slow", "provider": "vonage", "milliseconds": 30_000],
                ["fault": "http_500", "provider": "vonage"],
                ["fault": "throttle", "provider": "vonage", "milliseconds": 1000],
            ]
            for fault in faults {
                _ = try await deployment.carrier("POST", "/faults", body: fault)
                try await Task.sleep(for: Self.phase)
                try await deployment.endFaults()
            }
        }

        private static func waitForReturn(_ deployment: Deployment) async throws {
            try await eventually("the traffic is back", within: .seconds(120)) {
                let count: Int = try await deployment.value(
                    """
                    SELECT count(*) FROM attempts WHERE settled_at > now() - interval '2 s' AND outcome = 'accepted'
                        AND provider_id = (SELECT id FROM providers WHERE name = 'vonage')
                    """)
                return count > Self.perSecond * 3 / 2
            }
        }

        private static func check(_ deployment: Deployment, healed: String) async throws {
            let (british, german) = (try await Self.p99(deployment, "+44%"), try await Self.p99(deployment, "+49%"))
            print("p99 from accepted to taken: \(british) with the failing provider first, \(german) without it")
            #expect(british < Self.limit)
            #expect(german < Self.limit)
            let strayed: Int = try await deployment.value(
                """
                SELECT count(*) FROM attempts a JOIN messages m ON m.lane = a.lane AND m.id = a.message_id
                WHERE m.recipient LIKE '+49%' AND a.outcome <> 'accepted'
                """)
            #expect(strayed == 0)
            let lost: Int = try await deployment.value(
                "SELECT count(*) FROM messages WHERE state IN ('failed', 'expired', 'undelivered')")
            #expect(lost == 0)
            let most: Int = try await deployment.value(
                """
                SELECT max(count) FROM (
                    SELECT count(*) FROM attempts WHERE settled_at > \(healed)::timestamptz AND outcome <> 'skipped'
                        AND provider_id = (SELECT id FROM providers WHERE name = 'vonage')
                    GROUP BY date_trunc('second', settled_at)
                ) AS seconds
                """)
            print("at most \(most) in a second came back to it, of \(Self.perSecond)")
            #expect(most <= Self.perSecond * 3 / 2)
        }

        private static func p99(_ deployment: Deployment, _ recipients: String) async throws -> Duration {
            try await deployment.value(
                """
                SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY a.settled_at - m.accepted_at)
                FROM attempts a JOIN messages m ON m.lane = a.lane AND m.id = a.message_id
                WHERE a.outcome = 'accepted' AND m.recipient LIKE \(recipients)
                """)
        }
    }
}
