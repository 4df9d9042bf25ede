import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

/// Messages whose receipts do not come: found once at each age, ended after their provider's window, and corrected by what
/// comes late.
@Suite struct ReconciliationTests {
    private static let age = Duration.seconds(900)
    private static let windows = [ProviderID(rawValue: 1): Duration.seconds(72 * 3600)]

    /// A message that its provider took so long ago; today, or yesterday, for which there are partitions.
    private static func handedOver(
        _ fixture: StoreFixture, age: Duration, accepted: Duration? = nil, parts: [String] = []
    ) async throws -> MessageID {
        var message = fixture.newMessage()
        var generator = SystemRandomNumberGenerator()
        message.id = MessageID(
            lane: fixture.lane, milliseconds: (Timestamp.now - age).milliseconds, using: &generator)
        let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
        try await fixture.accept([message])
        let claims = try await fixture.claim(worker)
        _ = try await fixture.store.settle(
            claims.map { fixture.settled($0, parts: parts) }, lane: fixture.lane, worker: worker)
        _ = try await fixture.pool.execute(
            "UPDATE messages SET accepted_at = now() - \(accepted ?? age) WHERE lane = 0 AND id = \(message.id)")
        return message.id
    }

    /// Has an age begin long ago.
    private static func begin(_ fixture: StoreFixture, age: Duration = Self.age) async throws {
        _ = try await fixture.store.sweepSilent(lane: fixture.lane, age: age, windows: [:], limit: 10)
        _ = try await fixture.pool.execute(
            "UPDATE reconciliation SET reached = first_id_of(now() - interval '30 days')")
    }

    private static func sweep(
        _ fixture: StoreFixture, age: Duration = Self.age, limit: Int32 = 100
    ) async throws -> ReconciliationSweep {
        try await fixture.store.sweepSilent(lane: fixture.lane, age: age, windows: Self.windows, limit: limit)
    }

    @Test func aMessageIsLookedAtOnceAtAnAge() async throws {
        try await StoreFixture.run { fixture async throws in
            try await Self.begin(fixture)
            let old = try await Self.handedOver(fixture, age: .seconds(1000), parts: ["a", "b"])
            _ = try await Self.handedOver(fixture, age: .seconds(800))
            let sweep = try await Self.sweep(fixture)
            #expect(sweep.silent.map(\.id) == [old])
            #expect(sweep.silent.first?.parts == ["a", "b"])
            #expect(sweep.silent.first?.isOver == false)
            #expect(sweep.seen == 1)
            let again = try await Self.sweep(fixture)
            #expect(again.silent.isEmpty && again.seen == 0)
        }
    }

    @Test func anAgeBeginsWithWhatComesIntoIt() async throws {
        try await StoreFixture.run { fixture async throws in
            _ = try await Self.handedOver(fixture, age: .seconds(3600))
            #expect(try await Self.sweep(fixture).seen == 0)
            let fresh = try await Self.handedOver(fixture, age: .seconds(961))
            #expect(try await Self.sweep(fixture).silent.map(\.id) == [fresh])
        }
    }

    @Test func aSweepGoesOnWhereTheLastEnded() async throws {
        try await StoreFixture.run { fixture async throws in
            try await Self.begin(fixture)
            var ids: [MessageID] = []
            for second in 0..<5 { ids.append(try await Self.handedOver(fixture, age: .seconds(2000 - second))) }
            #expect(try await Self.sweep(fixture, limit: 3).silent.map(\.id).sorted() == Array(ids[..<3]))
            #expect(try await Self.sweep(fixture, limit: 3).silent.map(\.id).sorted() == Array(ids[3...]))
        }
    }

    @Test func whoIsAtAnAgeIsAlone() async throws {
        try await StoreFixture.run { fixture async throws in
            try await Self.begin(fixture)
            _ = try await Self.handedOver(fixture, age: .seconds(2000))
            try await fixture.pool.transaction { transaction in
                _ = try await transaction.execute("SELECT FROM reconciliation FOR UPDATE")
                let other = try await Self.sweep(fixture)
                #expect(other.seen == 0 && other.silent.isEmpty)
            }
            #expect(try await Self.sweep(fixture).seen == 1)
        }
    }

    @Test func whatIsDeliveredOrWaitsToBeSentIsNotSilent() async throws {
        try await StoreFixture.run { fixture async throws in
            try await Self.begin(fixture)
            let delivered = try await Self.handedOver(fixture, age: .seconds(2000))
            _ = try await fixture.store.apply([fixture.receipt(delivered)])
            var standby: MessageID?
            for (index, table) in ["scheduled", "standby", "outbox"].enumerated() {
                let id = try await Self.handedOver(fixture, age: .seconds(1900 - index))
                switch table {
                case "outbox":
                    _ = try await fixture.pool.execute(
                        "INSERT INTO outbox (lane, id, account_id, provider_id, priority) VALUES (0, \(id), 1, 1, 0)")
                case "scheduled":
                    _ = try await fixture.pool.execute(
                        """
                        INSERT INTO scheduled (lane, id, account_id, provider_id, priority, due_at)
                        VALUES (0, \(id), 1, 1, 0, now())
                        """)
                default:
                    standby = id
                    _ = try await fixture.pool.execute(
                        """
                        INSERT INTO standby (lane, id, account_id, priority, attempt, series, tried, expires_at)
                        VALUES (0, \(id), 1, 0, 1, 1, 1, now())
                        """)
                }
                #expect(try await fixture.store.endSilent([id], lane: fixture.lane) == 0, "\(table)")
            }
            let sweep = try await Self.sweep(fixture)
            // One on standby is asked for, and ends by itself when its time is over.
            #expect(sweep.seen == 4 && sweep.silent.map(\.id) == [standby])
            #expect(try await fixture.store.endSilent([delivered], lane: fixture.lane) == 0)
        }
    }

    @Test func afterTheWindowAMessageEndsOnceAndALateReceiptStillCorrectsIt() async throws {
        try await StoreFixture.run { fixture async throws in
            try await Self.begin(fixture)
            let id = try await Self.handedOver(fixture, age: .seconds(1000), accepted: .seconds(73 * 3600))
            let sweep = try await Self.sweep(fixture)
            #expect(sweep.silent.map(\.isOver) == [true])
            #expect(try await fixture.store.endSilent([id], lane: fixture.lane) == 1)
            #expect(try await fixture.store.endSilent([id], lane: fixture.lane) == 0)
            let ended = try #require(try await fixture.store.timeline(of: id, account: fixture.account)).message
            #expect(ended.state == .unknown && ended.reason == "no_dlr")
            #expect(try await fixture.count("SELECT count(*) FROM messages WHERE body IS NOT NULL") == 0)
            #expect(try await fixture.count("SELECT sum(silent) FROM tallies") == 1)
            #expect(try await fixture.count("SELECT sum(sent) FROM tallies") == 1)
            _ = try await fixture.store.apply([fixture.receipt(id)])
            #expect(try await fixture.state(of: id) == .delivered)
        }
    }

    @Test func theEndIsAnEvent() async throws {
        try await EventFixture.run { fixture async throws in
            try await fixture.endpoint(types: [.messageUnknown])
            let id = try await fixture.accepted()
            #expect(try await fixture.base.store.endSilent([id], lane: fixture.base.lane) == 1)
            let told: SQL = "SELECT count(*) FROM events WHERE type = 'message.unknown' AND reason = 'no_dlr'"
            #expect(try await fixture.base.count(told) == 1)
        }
    }

    @Test func aMessageThatMayHaveBeenSentIsNotToldTwiceAsUnknown() async throws {
        try await StoreFixture.run { fixture async throws in
            let id = try await fixture.handedOver()
            _ = try await fixture.pool.execute("UPDATE messages SET state = 'unknown', reason = 'network_timeout'")
            let before = try await fixture.count("SELECT sequence::bigint FROM messages")
            #expect(try await fixture.store.endSilent([id], lane: fixture.lane) == 1)
            #expect(try await fixture.count("SELECT sequence::bigint FROM messages") == before)
            #expect(try await fixture.count("SELECT count(*) FROM messages WHERE reason = 'no_dlr'") == 1)
        }
    }

    @Test func theReportCountsAndLists() async throws {
        try await StoreFixture.run { fixture async throws in
            let waiting = try await fixture.handedOver()
            let ended = try await fixture.handedOver()
            let delivered = try await fixture.handedOver()
            #expect(try await fixture.store.endSilent([ended], lane: fixture.lane) == 1)
            _ = try await fixture.store.apply([fixture.receipt(delivered)])
            _ = try await fixture.store.foldTallies(lane: fixture.lane, limit: 1000)
            let filter = SilenceFilter(
                account: fixture.account, from: .now - .seconds(3600), until: .now + .seconds(60))
            let counts = try await fixture.store.silenceCounts(lanes: [fixture.lane], filter: filter)
            #expect(counts.map(\.sent) == [3] && counts.map(\.ended) == [1] && counts.map(\.waiting) == [1])
            #expect(counts.map(\.country) == ["+41"])
            let page = try await fixture.store.silentMessages(lane: fixture.lane, filter: filter, limit: 10)
            #expect(page.messages.map(\.id) == [ended, waiting].sorted(by: >))
            #expect(page.messages.filter(\.hasEnded).map(\.id) == [ended])
            #expect(page.next == nil)
            var first = try await fixture.store.silentMessages(lane: fixture.lane, filter: filter, limit: 1)
            var rest = filter
            rest.before = first.next
            first = try await fixture.store.silentMessages(lane: fixture.lane, filter: rest, limit: 1)
            #expect(first.messages.map(\.id) == [min(ended, waiting)])
            rest = filter
            rest.account = AccountID(rawValue: 77)
            #expect(try await fixture.store.silentMessages(lane: fixture.lane, filter: rest, limit: 1).messages.isEmpty)
            // A page that looked at as many as it may goes on where it stopped.
            let short = try await fixture.store.silentMessages(
                lane: fixture.lane, filter: filter, limit: 10, scanLimit: 1)
            #expect(short.next != nil)
        }
    }

    @Test func aSweepReadsItsMessagesAndNoOthers() async throws {
        try await StoreFixture.run(limit: 1) { fixture async throws in
            try await PlanTests.fill(fixture)
            try await Self.begin(fixture)
            _ = try await fixture.pool.execute("ANALYZE")
            let before = try await Scans(fixture)
            let sweep = try await Self.sweep(fixture, limit: 200)
            let scans = try await Scans(fixture).since(before)
            #expect(sweep.seen == 200)
            #expect(scans.rows < 3000, "\(scans)")
            // The others are empty, and are looked at from end to end.
            #expect(!scans.sequential.contains("outbox"), "\(scans)")
            #expect(!scans.sequential.contains { $0.hasPrefix("messages_") || $0.hasPrefix("parts_") }, "\(scans)")
        }
    }
}
