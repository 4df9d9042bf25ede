import Messaging
import Postgres
import Store
import Testing

/// An account with endpoints, and what claims and settles their events.
struct EventFixture {
    let base: StoreFixture
    let account: AccountID
    let worker: WorkerID

    var store: Store { self.base.store }
    var pool: ConnectionPool { self.base.pool }
    var lane: Lane { self.base.lane }

    static func run(limit: Int = 4, _ body: (EventFixture) async throws -> Void) async throws {
        try await StoreFixture.run(limit: limit) { base async throws in
            let account = try await Self.makeAccount("acme", base)
            let worker = try await base.store.registerWorker(name: "test", lease: .seconds(15))
            try await body(EventFixture(base: base, account: account, worker: worker))
        }
    }

    static func makeAccount(_ name: String, _ base: StoreFixture) async throws -> AccountID {
        try await base.pool.query("INSERT INTO accounts (name) VALUES (\(name)) RETURNING id") {
            row throws(PostgresError) in AccountID(rawValue: try row.decode(0))
        }[0]
    }

    @discardableResult
    func endpoint(
        _ name: String = "main", kind: EndpointKind = .standard, types: [EventType] = [], account: AccountID? = nil,
        inFlight: Int16 = 8, isEnabled: Bool = true
    ) async throws -> EndpointID {
        var settings = EndpointSettings(kind: kind, url: "https://example.com/\(name)")
        settings.types = types.map(\.rawValue)
        settings.inFlightLimit = inFlight
        settings.isEnabled = isEnabled
        let account = account ?? self.account
        let change = try await self.store.changingEndpoints { [settings] transaction throws(PostgresError) in
            try await Store.putEndpoint(name, settings, of: account, in: transaction)
        }
        #expect(change == .made)
        return try #require(try await self.store.endpoint(name, of: account)).id
    }

    /// A message that its provider has taken.
    func accepted(callback: Callback? = nil, account: AccountID? = nil) async throws -> MessageID {
        var message = self.base.newMessage()
        message.callback = callback
        try await self.base.accept([message], account: account ?? self.account)
        let claims = try await self.base.claim(self.worker)
        let (mine, _) = try await self.store.settle(
            claims.map { self.base.settled($0) }, lane: self.lane, worker: self.worker)
        #expect(mine == [message.id])
        return message.id
    }

    func claim(
        limit: Int32 = 100, inFlight: [EndpointID: Int32] = [:], worker: WorkerID? = nil
    ) async throws -> [EventClaim] {
        let request = EventClaimRequest(limit: limit, after: EndpointID(rawValue: 0), inFlight: inFlight)
        return try await self.store.claimEvents(lane: self.lane, worker: worker ?? self.worker, request: request)
            .claims
    }

    @discardableResult
    func settle(
        _ claims: [EventClaim], _ outcome: SettledEvent.Outcome = .delivered, retryAfter: Duration? = nil,
        worker: WorkerID? = nil
    ) async throws -> [EventKey] {
        let settled = claims.map { claim in
            SettledEvent(
                key: claim.key, event: claim.event, attempt: claim.attempt, outcome: outcome,
                status: outcome == .delivered ? 200 : 500, duration: .milliseconds(3), retryAfter: retryAfter)
        }
        return try await self.store.settleEvents(settled, lane: self.lane, worker: worker ?? self.worker).mine
    }

    /// The types of an account's events, the oldest first.
    func types() async throws -> [String] {
        try await self.store.events(lane: self.lane, account: self.account, filter: EventFilter(), limit: 1000)
            .reversed().map(\.type)
    }
}

extension EventClaim {
    var type: EventType? { self.facts?.type }
}
