import Crypto
import Glibc
import Messaging
import Postgres
import Store
import TestDatabase
import TestSystem
import Timestamps

/// A migrated database for one test, with what most tests need in it.
struct StoreFixture {
    let store: Store
    let pool: ConnectionPool
    let url: String
    var lane = Lane(rawValue: 0)
    let account = AccountID(rawValue: 1)
    let provider = ProviderID(rawValue: 1)

    /// Straight to PostgreSQL, or through PgBouncer where the suite's trait says so.
    static func run(
        limit: Int = 4, _ body: (StoreFixture) async throws -> Void
    ) async throws {
        try await TestSystem.run(limit: limit) { system async throws in
            try await body(StoreFixture(store: system.store, pool: system.pool, url: system.url))
        }
    }

    /// A day of long ago, in days since 1970, as there would be if this had run then.
    func makeDay(_ day: Int32) async throws {
        let script = """
            DO $$ DECLARE base text; day date := DATE '1970-01-01' + \(day); BEGIN
            FOREACH base IN ARRAY ARRAY['messages', 'attempts', 'parts', 'receipts', 'verifications', 'events',
                                        'event_attempts', 'conversions'] LOOP
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    base || '_' || to_char(day, 'YYYYMMDD'), base, first_id_of(day::timestamp AT TIME ZONE 'UTC'),
                    first_id_of((day + 1)::timestamp AT TIME ZONE 'UTC'));
            END LOOP; END $$
            """
        try await self.pool.withConnection { connection in try await connection.executeScript(script) }
    }

    func newMessage(
        provider: ProviderID? = nil, priority: Priority = .otp, lane: Lane? = nil, parts: Int16 = 1,
        recipient: String = "+41790000001", reference: String? = nil, sendAt: Timestamp? = nil,
        timeToLive: Duration = .seconds(600)
    ) -> NewMessage {
        var generator = SystemRandomNumberGenerator()
        return NewMessage(
            id: MessageID(lane: lane ?? self.lane, milliseconds: Timestamp.now.milliseconds, using: &generator),
            provider: provider ?? self.provider, channel: .sms, priority: priority, recipient: recipient,
            sender: "Pinpost", body: [1, 2, 3], parts: parts, reference: reference, metadata: nil, sendAt: sendAt,
            timeToLive: timeToLive)
    }

    @discardableResult
    func accept(_ messages: [NewMessage], account: AccountID? = nil) async throws -> [MessageID] {
        let results = try await self.store.accept([
            Acceptance(account: account ?? self.account, messages: messages, idempotency: nil)
        ])
        precondition(results == [.accepted(balance: nil)], "a request without a key is always accepted")
        return messages.map(\.id)
    }

    func claim(
        _ worker: WorkerID, limit: Int32 = 100, provider: ProviderID? = nil
    ) async throws -> [Claim] {
        let request = ClaimRequest(provider: provider ?? self.provider, limit: limit, after: [:])
        return try await self.store.claim(lane: self.lane, worker: worker, requests: [request])
    }

    func settled(
        _ claim: Claim, state: MessageState? = .accepted, retry: Settled.Retry? = nil, parts: [String] = []
    ) -> Settled {
        Settled(
            id: claim.id, provider: claim.provider, attempt: claim.attempt, series: claim.series,
            outcome: state == .accepted ? "accepted" : "refused", reason: .accepted, code: "",
            duration: .milliseconds(5),
            state: state, retry: retry, parts: parts)
    }

    /// Accepts, claims and settles one message as taken by its provider.
    func handedOver(
        parts: [String] = [], expected: Int16 = 1, on channel: Channel = .sms
    ) async throws -> MessageID {
        let worker = try await self.store.registerWorker(name: "test", lease: .seconds(15))
        var message = self.newMessage(parts: expected)
        message.channel = channel
        let ids = try await self.accept([message])
        let claims = try await self.claim(worker)
        _ = try await self.store.settle(
            claims.map { self.settled($0, parts: parts) }, lane: self.lane, worker: worker)
        return ids[0]
    }

    func receipt(
        _ id: MessageID?, part: String = "", _ state: Verdict.ProviderState = .delivered, covers: Bool = true,
        status: String? = nil, provider: ProviderID? = nil, series: Int16 = 1
    ) -> IncomingReceipt {
        IncomingReceipt(
            provider: provider ?? self.provider,
            receipt: Receipt(
                message: id.map { MessageReference(id: $0, series: series) }, part: part, coversMessage: covers,
                verdict: Verdict(state, .none, .none, state == .delivered ? .ok : .carrierError),
                status: status ?? state.rawValue, code: "0", occurredAt: nil))
    }

    func state(of id: MessageID) async throws -> MessageState? {
        try await self.store.timeline(of: id, account: self.account)?.message.state
    }

    /// Returns when a statement of this database waits for another's lock.
    func waitForALock() async throws {
        let waiting: SQL = """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
            """
        while try await self.count(waiting) == 0 { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// Returns when no other statement runs any more.
    func waitForNoStatement() async throws {
        let running: SQL = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state = 'active'
            """
        while try await self.count(running) > 0 { try await Task.sleep(for: .milliseconds(5)) }
    }

    func count(_ statement: SQL) async throws -> Int {
        try await self.pool.query(statement) { row throws(PostgresError) in Int(try row.decode(0, as: Int64.self)) }[0]
    }
}
