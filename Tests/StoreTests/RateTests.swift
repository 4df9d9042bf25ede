import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@Suite(.bothWays) struct RateTests {
    private static func tally(_ fixture: StoreFixture, count: Int32 = 1, lane: Int16 = 0) async throws {
        _ = try await fixture.pool.execute(
            """
            INSERT INTO tallies (lane, account_id, provider_id, channel, country, hour, sent, delivered, undelivered,
                                 converted, unconverted)
            SELECT \(lane), n % 2 + 1, 1, 'sms', '+41', date_trunc('hour', now(), 'UTC'), 3, 2, 1, 1, -1
            FROM generate_series(1, \(count)) n
            """)
    }

    private static func rates(_ fixture: StoreFixture, _ account: Int32 = 1) async throws -> [AccountRate] {
        try await fixture.store.rates(
            lanes: [Lane(rawValue: 0), Lane(rawValue: 3)], account: AccountID(rawValue: account),
            from: .now - .seconds(7200), until: .now)
    }

    @Test func talliesAreFoldedOnceAndAddUp() async throws {
        try await StoreFixture.run { fixture async throws in
            try await Self.tally(fixture, count: 10)
            #expect(try await fixture.store.foldTallies(lane: fixture.lane, limit: 6) == 6)
            #expect(try await fixture.store.foldTallies(lane: fixture.lane, limit: 6) == 4)
            #expect(try await fixture.store.foldTallies(lane: fixture.lane, limit: 6) == 0)
            try await Self.tally(fixture, count: 2, lane: 3)
            #expect(try await fixture.store.foldTallies(lane: fixture.lane, limit: 6) == 0)
            #expect(try await fixture.store.foldTallies(lane: Lane(rawValue: 3), limit: 6) == 2)
            let counts = RateCounts(sent: 18, delivered: 12, undelivered: 6, converted: 6, unconverted: -6)
            for account in [1, 2] as [Int32] {
                #expect(
                    try await Self.rates(fixture, account) == [
                        AccountRate(channel: .sms, country: "+41", counts: counts)
                    ])
            }
            #expect(try await fixture.count("SELECT count(*) FROM tallies") == 0)
        }
    }

    @Test func twoWhoFoldAtTheSameTimeShareTheWork() async throws {
        try await StoreFixture.run { fixture async throws in
            try await Self.tally(fixture, count: 500)
            try await withThrowingTaskGroup(of: Int.self) { group async throws in
                for _ in 0..<4 {
                    group.addTask {
                        var all = 0
                        while case let count = try await fixture.store.foldTallies(lane: fixture.lane, limit: 20),
                            count > 0
                        { all += count }
                        return all
                    }
                }
                let all = try await group.reduce(0, +)
                #expect(all == 500)
            }
            #expect(try await Self.rates(fixture).map(\.counts.sent) == [750])
        }
    }

    @Test func providersRatesAreOverAllAccounts() async throws {
        try await StoreFixture.run { fixture async throws in
            try await Self.tally(fixture, count: 4)
            _ = try await fixture.pool.execute(
                "UPDATE tallies SET country = '+1', provider_id = 2, sent = 10 WHERE account_id = 2")
            _ = try await fixture.store.foldTallies(lane: fixture.lane, limit: 10)
            let rates = try await fixture.store.providerRates(lanes: [fixture.lane], since: .now - .seconds(60))
            #expect(rates.map(\.provider.rawValue) == [2, 1])
            #expect(rates.map(\.country) == ["+1", "+41"])
            #expect(rates.map(\.counts.sent) == [20, 6])
            #expect(try await fixture.store.providerRates(lanes: [fixture.lane], since: .now, limit: 1).count == 1)
            #expect(try await fixture.store.providerRates(lanes: [Lane(rawValue: 9)], since: .now).isEmpty)
        }
    }

    @Test func oldRatesAreDroppedAFewAtATime() async throws {
        try await StoreFixture.run { fixture async throws in
            _ = try await fixture.pool.execute(
                """
                INSERT INTO rates SELECT 0, now() - n * interval '1 day', 1, 1, 'sms', '+41', 1, 0, 0, 0, 0
                FROM generate_series(81, 100) n
                """)
            func drop() async throws -> Int {
                try await fixture.store.dropRates(lane: fixture.lane, olderThan: Store.rateRetention, limit: 6)
            }
            #expect(try await drop() == 6)
            #expect(try await drop() == 5)
            #expect(try await drop() == 0)
            #expect(try await fixture.count("SELECT count(*) FROM rates") == 9)
        }
    }

    @Test(
        arguments: [
            (RateCounts(), nil, nil), (RateCounts(sent: 4), 0, nil), (RateCounts(sent: 4, delivered: 3), 0.75, nil),
            (RateCounts(sent: 4, delivered: 5, converted: 1), 1, 0.25),
            (RateCounts(sent: 4, unconverted: 4), 0, 0), (RateCounts(converted: 1), nil, nil),
        ] as [(RateCounts, Double?, Double?)])
    func ratesAreOfThoseSent(counts: RateCounts, delivery: Double?, conversion: Double?) {
        #expect(counts.deliveryRate == delivery)
        #expect(counts.conversionRate == conversion)
    }
}

/// As ``PlanTests``, of conversions and rates.
@Suite struct OutcomePlanTests {
    private static func scans(_ fixture: StoreFixture, of body: () async throws -> Void) async throws -> Scans {
        let before = try await Scans(fixture)
        try await body()
        return try await Scans(fixture).since(before)
    }

    @Test(arguments: [true, false])
    func reportsGoByTheirKeysInTheirPartition(analyzed: Bool) async throws {
        try await StoreFixture.run(limit: 1) { fixture async throws in
            let today = try await fixture.today
            for _ in 0..<10 { try await fixture.accept((0..<1000).map { _ in fixture.newMessage() }) }
            let ids = try await fixture.accept((0..<100).map { _ in fixture.newMessage() })
            _ = try await fixture.pool.execute(
                """
                INSERT INTO conversions (lane, message_id, account_id, provider_id, channel, country, converted, source,
                                         converted_at)
                SELECT 0, id, 1, 1, 'sms', '+41', true, 'verified', now() FROM messages
                """)
            if analyzed { _ = try await fixture.pool.execute("ANALYZE") }
            let reporting = try await Self.scans(fixture) { () async throws in
                let reports = ids.map { ConversionReport(message: $0, account: fixture.account, converted: false) }
                #expect(try await fixture.store.report(reports).allSatisfy { $0 })
            }
            #expect(reporting.partitions(of: "messages") == ["messages_\(today)"], "\(reporting)")
            #expect(reporting.partitions(of: "conversions") == ["conversions_\(today)"], "\(reporting)")
            #expect(
                reporting.sequential.isDisjoint(with: ["messages_\(today)", "conversions_\(today)"]), "\(reporting)")
        }
    }

    @Test func anAccountsRatesAreReadHourByHour() async throws {
        try await StoreFixture.run(limit: 1) { fixture async throws in
            _ = try await fixture.pool.execute(
                """
                INSERT INTO rates
                SELECT 0, date_trunc('hour', now(), 'UTC') - h * interval '1 hour', a, 1, 'sms', '+41', 1, 1, 0, 0, 0
                FROM generate_series(0, 99) h, generate_series(1, 200) a
                """)
            _ = try await fixture.pool.execute("ANALYZE")
            let reading = try await Self.scans(fixture) { () async throws in
                let rates = try await fixture.store.rates(
                    lanes: [fixture.lane], account: AccountID(rawValue: 7), from: .now - .seconds(24 * 3600),
                    until: .now)
                #expect(rates.map(\.counts.sent) == [25])
            }
            #expect(reading.rows < 200, "\(reading)")
        }
    }
}
