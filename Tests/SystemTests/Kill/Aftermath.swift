import JSON
import Messaging
import Postgres

/// What is left of a load after the kills, and whether it is what was promised.
struct Aftermath {
    private let deployment: Deployment
    private let load: Load
    private let disturbances: [Chaos.Disturbance]

    init(_ deployment: Deployment, load: Load, disturbances: [Chaos.Disturbance]) {
        self.deployment = deployment
        self.load = load
        self.disturbances = disturbances
    }

    /// Waits until nothing is on its way any more.
    func waitForHealing(_ limit: Duration) async throws {
        do {
            try await eventually("every message is final", within: limit) {
                let open: Int = try await self.deployment.value(
                    """
                    SELECT (SELECT count(*) FROM messages WHERE message_rank(state) < 50)
                         + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM scheduled)
                         + (SELECT count(*) FROM unmatched_receipts)
                    """)
                return open == 0
            }
        } catch let failure as Failure {
            throw Failure("\(failure)\n\(try await self.leftovers())")
        }
    }

    func check() async throws {
        try await self.checkAcceptance()
        try await self.checkStates()
        try await self.checkCalls()
        try await self.checkReceipts()
        try await self.deployment.findNothingReadable(of: [Load.canary], numbers: self.load.accepted.map(\.number))
    }

    /// What happened, in four lines.
    func summary() throws -> String {
        let calls = try self.deployment.sends.calls()
        let victims = Dictionary(grouping: self.disturbances, by: \.victim).mapValues(\.count)
        let kills = victims.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        let repeated = self.load.repeated.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        let absences = self.disturbances.filter { $0.victim == .database }
            .map { "\(Self.milliseconds(from: $0.from, to: $0.until)) ms" }.joined(separator: ", ")
        let inFlight = self.disturbances.filter { $0.victim == .worker }.map { kill in
            "\(calls.count { $0.began <= kill.from && $0.ended >= kill.from })"
        }
        return """
            Kills: \(kills). The database was away for \(absences).
            Accepted: \(self.load.accepted.count), after repeating \(repeated).
            Provider calls: \(calls.count), which is \(calls.count - Set(calls.map(\.id)).count) more than messages.
            Calls in flight when a worker was killed: \(inFlight.joined(separator: ", ")).
            """
    }

    // MARK: - Private

    /// The messages stored are those answered with 202, each once.
    private func checkAcceptance() async throws {
        let contradictions = self.load.contradictions
        guard contradictions.isEmpty else { throw Failure("one key, two ids: \(contradictions)") }
        let accepted = Set(self.load.accepted.map { "\($0.id)" })
        let stored = Set(try await self.texts("SELECT id::text FROM messages"))
        try Self.requireNone("accepted and not stored", accepted.subtracting(stored))
        try Self.requireNone("stored and never answered with 202", stored.subtracting(accepted))
    }

    /// The carrier delivers everything that it takes, so everything is delivered.
    private func checkStates() async throws {
        let others = try await self.texts(
            "SELECT id || ' ' || state || ' ' || reason FROM messages WHERE state <> 'delivered'")
        try Self.requireNone("not delivered", others)
    }

    private func checkCalls() async throws {
        let known = Set(self.load.accepted.map(\.id))
        let calls = Dictionary(grouping: try self.deployment.sends.calls(), by: \.id)
        try Self.requireNone("sent and never accepted", Set(calls.keys).subtracting(known))
        try Self.requireNone("accepted and never sent", known.subtracting(calls.keys))
        let unexplained = calls.filter { !self.areExplained($0.value) }
        try Self.requireNone("sent again without a kill", unexplained.map { self.story(of: $0.key, $0.value) })
        try await self.checkArrivals(calls.mapValues(\.count))
    }

    /// How long after its answer an attempt may not yet be written back, on a slow machine.
    private static let settleTime = Duration.seconds(2)

    /// A call is followed by another of the same message only if a worker, which may have been the one that made it, was
    /// killed, or the database away, after the first had begun, before the second began, and while the first was in
    /// flight: from its beginning until its outcome can be expected in the database.
    private func areExplained(_ calls: [ProviderCall]) -> Bool {
        zip(calls, calls.dropFirst()).allSatisfy { first, second in
            self.disturbances.contains { disturbance in
                [.worker, .database].contains(disturbance.victim)
                    && disturbance.until >= first.began && disturbance.from <= second.began
                    && disturbance.from <= first.ended + Self.settleTime
            }
        }
    }

    /// The carrier's own count: every call was taken, except those that the second provider dropped as doubled.
    private func checkArrivals(_ calls: [MessageID: Int]) async throws {
        let arrivals = try await self.deployment.arrivals()
        let numbers = Dictionary(self.load.accepted.map { ($0.id, $0.number) }) { first, _ in first }
        let wrong = calls.filter { id, count in
            let expected = numbers[id]?.hasPrefix("+49") == true ? 1 : count
            return arrivals["\(id)"] != expected
        }
        try Self.requireNone("arrived more or less often than sent", wrong.keys)
        guard arrivals.count == calls.count else { throw Failure("\(arrivals.count) messages arrived") }
    }

    private func checkReceipts() async throws {
        let acknowledged = Set(try self.deployment.receipts.acknowledgedReceipts().map { "\($0)" })
        let stored = try await self.texts(
            #"SELECT message_id || ' part "' || part || '" ' || status FROM receipts"#)
        guard !acknowledged.isEmpty else { throw Failure("no receipt was answered with 2xx") }
        try Self.requireNone("receipts answered with 2xx and not stored", acknowledged.subtracting(stored))
        let statistics = try await self.deployment.carrier("GET", "/statistics").json
        for provider in ["vonage", "infobip"] {
            let lost = statistics[provider]?["receipts"]?["lost"]?.integer
            guard lost == 0 else { throw Failure("receipts of \(provider) given up: \(lost ?? -1)") }
        }
    }

    // MARK: - Words

    private static func requireNone(_ what: String, _ found: some Collection<some Any>) throws {
        guard !found.isEmpty else { return }
        throw Failure("\(found.count) \(what): \(found.prefix(5).map { "\($0)" }.joined(separator: "\n"))")
    }

    private func texts(_ query: SQL) async throws -> [String] {
        try await self.deployment.database.query(query) { row throws(PostgresError) in try row.decode(0) }
    }

    private func leftovers() async throws -> String {
        let rows = try await self.texts(
            """
            SELECT m.id || ' ' || m.state || ' of provider ' || m.provider_id
                || coalesce(', in the outbox with worker ' || coalesce(o.worker_id::text, 'none')
                            || ', attempt ' || o.attempt, '')
                || coalesce(', due ' || s.due_at || ', attempt ' || s.attempt, '')
                || ', ' || (SELECT count(*) FROM attempts a WHERE a.message_id = m.id) || ' attempts settled, '
                || (SELECT count(*) FROM receipts r WHERE r.message_id = m.id) || ' receipts'
            FROM messages m LEFT JOIN outbox o USING (lane, id) LEFT JOIN scheduled s USING (lane, id)
            WHERE message_rank(m.state) < 50 OR o.id IS NOT NULL OR s.id IS NOT NULL
            ORDER BY m.id
            """)
        let workers = try await self.texts(
            "SELECT id || ' ' || name || ' heartbeat ' || heartbeat_at || coalesce(' lost ' || lost_at, '') FROM workers"
        )
        return "\(rows.count) messages left:\n\(rows.prefix(10).joined(separator: "\n"))\nworkers:\n"
            + workers.joined(separator: "\n")
    }

    private func story(of id: MessageID, _ calls: [ProviderCall]) -> String {
        let start = calls[0].began
        let told = calls.map {
            "at \(Self.milliseconds(from: start, to: $0.began)) to \(Self.milliseconds(from: start, to: $0.ended)), \($0.answer)"
        }
        let near = self.disturbances.filter { $0.from < (calls.last?.began ?? start) && $0.until > start - .seconds(5) }
        let kills = near.map {
            "\($0.victim) \(Self.milliseconds(from: start, to: $0.from)) to \(Self.milliseconds(from: start, to: $0.until))"
        }
        return "\(id): calls \(told.joined(separator: "; ")) ms; kills: \(kills.joined(separator: ", "))"
    }

    private static func milliseconds(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Int {
        Int((end - start) / .milliseconds(1))
    }
}
