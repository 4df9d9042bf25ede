import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@Suite(.bothWays) struct ConversionTests {
    /// What was counted and not folded: the sums of converted and of unconverted.
    private static func counted(_ fixture: StoreFixture) async throws -> [Int] {
        try await fixture.pool.query(
            "SELECT coalesce(sum(converted), 0)::bigint, coalesce(sum(unconverted), 0)::bigint FROM tallies"
        ) { row throws(PostgresError) in
            [Int(try row.decode(0, as: Int64.self)), Int(try row.decode(1, as: Int64.self))]
        }[0]
    }

    private func report(
        _ fixture: StoreFixture, _ id: MessageID, _ converted: Bool = true, account: AccountID? = nil,
        at: Timestamp? = nil
    ) async throws -> Bool {
        let report = ConversionReport(
            message: id, account: account ?? fixture.account, converted: converted, at: at)
        return try await fixture.store.report([report])[0]
    }

    @Test func whatIsToldLastHoldsAndEachChangeIsCounted() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.accept([fixture.newMessage()])[0]
            let table: [(Bool, [Int])] = [
                (true, [1, 0]), (true, [1, 0]), (false, [0, 1]), (false, [0, 1]), (true, [1, 0]),
            ]
            for (converted, counts) in table {
                #expect(try await self.report(fixture, id, converted))
                #expect(try await Self.counted(fixture) == counts)
            }
            let rows = try await fixture.count(
                """
                SELECT count(*) FROM conversions c JOIN messages m ON m.id = c.message_id
                WHERE c.account_id = 1 AND c.provider_id = 1 AND c.channel = 'sms' AND c.country = '+41' AND c.converted
                  AND c.source = 'reported'
                """)
            #expect(rows == 1)
            let hours = try await fixture.count(
                """
                SELECT count(DISTINCT hour) FROM tallies
                WHERE account_id = 1 AND provider_id = 1 AND channel = 'sms' AND country = '+41'
                  AND hour = (SELECT date_trunc('hour', accepted_at, 'UTC') FROM messages)
                """)
            #expect(hours == 1)
        }
    }

    @Test func itIsConvertedOnceHoweverOftenItIsTold() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.accept([fixture.newMessage()])[0]
            for (converted, isNew) in [(false, false), (true, true), (true, false), (false, false), (true, true)] {
                let report = ConversionReport(message: id, account: fixture.account, converted: converted)
                #expect(try await fixture.store.reportedMessages([report])[0]?.isNewlyConverted == isNew)
            }
        }
    }

    @Test func manyAreToldInOneStatement() async throws {
        try await StoreFixture.run { fixture async throws in
            let lanes = [Lane(rawValue: 0), Lane(rawValue: 7)]
            var messages: [MessageID] = []
            for lane in lanes {
                messages += try await fixture.accept((0..<10).map { _ in fixture.newMessage(lane: lane) })
            }
            let unknown = fixture.newMessage().id
            var reports = messages.map { ConversionReport(message: $0, account: fixture.account, converted: true) }
            // Told twice in one batch: what is told last holds.
            reports.append(ConversionReport(message: messages[0], account: fixture.account, converted: false))
            reports.append(ConversionReport(message: unknown, account: fixture.account, converted: true))
            reports.append(ConversionReport(message: messages[1], account: AccountID(rawValue: 2), converted: false))
            let known = try await fixture.store.report(reports)
            #expect(known == Array(repeating: true, count: 21) + [false, false])
            #expect(try await Self.counted(fixture) == [19, 1])
            #expect(try await fixture.count("SELECT count(*) FROM conversions") == 20)
            #expect(try await fixture.store.report([]) == [])
        }
    }

    /// Reports of one message at the same time: whatever the order, what is counted is what is stored.
    @Test func countsAreRightWhoeverReportsAtTheSameTime() async throws {
        try await StoreFixture.run(limit: 8) { fixture async throws in
            let ids = try await fixture.accept((0..<10).map { _ in fixture.newMessage() })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<64 {
                    group.addTask {
                        _ = try await self.report(fixture, ids[round % 10], round / 10 % 2 == 0)
                    }
                }
                try await group.waitForAll()
            }
            let converted = try await fixture.count("SELECT count(*) FROM conversions WHERE converted")
            #expect(try await fixture.count("SELECT count(*) FROM conversions") == 10)
            #expect(try await Self.counted(fixture) == [converted, 10 - converted])
        }
    }

    /// A verified code's conversion may be on its way at the same moment.
    @Test func whoWaitsForAnotherCountsNothingTwice() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.accept([fixture.newMessage()])[0]
            try await withThrowingTaskGroup(of: Bool.self) { group in
                try await fixture.pool.transaction { transaction in
                    _ = try await transaction.execute(
                        """
                        INSERT INTO conversions (lane, message_id, account_id, provider_id, channel, country, converted,
                                                 source, converted_at)
                        VALUES (0, \(id), 1, 1, 'sms', '+41', true, 'verified', now())
                        """)
                    group.addTask { try await self.report(fixture, id, false) }
                    while try await fixture.count(TestSystem.lockWaits) == 0 {
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
                #expect(try await group.next() == true)
            }
            #expect(try await Self.counted(fixture) == [0, 0])
            #expect(try await self.report(fixture, id, false))
            #expect(try await Self.counted(fixture) == [-1, 1])
        }
    }

    /// A message from before there were conversions, or whose partition was dropped.
    @Test func ofAMessageWithoutAPartitionNothingIsStored() async throws {
        try await StoreFixture.run { fixture async throws in
            let ids = try await fixture.accept([fixture.newMessage()])
            _ = try await fixture.pool.execute(
                "DO $$ BEGIN EXECUTE 'DROP TABLE conversions_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'); END $$"
            )
            #expect(try await self.report(fixture, ids[0]))
            #expect(try await fixture.count("SELECT count(*) FROM tallies") == 0)
            #expect(try await !self.report(fixture, MessageID(high: .max, low: .max)))
        }
    }

    @Test func theTimeIsTheCustomersOrNow() async throws {
        try await StoreFixture.run { fixture async throws in
            let ids = try await fixture.accept([fixture.newMessage(), fixture.newMessage()])
            let moment = Timestamp(seconds: 1_700_000_000)
            #expect(try await self.report(fixture, ids[0], at: moment))
            #expect(try await self.report(fixture, ids[1]))
            #expect(try await fixture.count("SELECT count(*) FROM conversions WHERE converted_at = \(moment)") == 1)
            #expect(
                try await fixture.count(
                    "SELECT count(*) FROM conversions WHERE converted_at > now() - interval '1 minute'")
                    == 1)
        }
    }
}
