import Glibc
import Messaging
import Synchronization

/// What the database can do by itself at the same concurrency: bare libpq, blocking connections on threads of their
/// own, prepared statements. It shares the machine with nothing but its clients.
///
/// A floor of the time, so a ceiling of the rate: not a law of nature, but the plainest program that does the work. The
/// product batches what many callers ask for into one commit, so it may well pass `commits` and `lifecycle`.
struct Floor: Sendable {
    /// To the database whose tables are used.
    var url: String
    /// How long each is measured.
    var seconds: Double

    /// One-row inserts into `messages`, each with its commit.
    func commits(connections: Int) async throws -> Double {
        try await self.rate(connections: connections) { connection in
            try connection.prepare("insert", FloorStatements.insertOne)
            var rows = FloorRows()
            return {
                try connection.execute("insert", rows.nextOne())
                return 1
            }
        }
    }

    /// Messages inserted 100 at a time into `messages` and `outbox`, a commit each.
    func inserts(connections: Int) async throws -> Double {
        try await self.rate(connections: connections) { connection in
            try connection.prepare("insert", FloorStatements.insertMany)
            var rows = FloorRows()
            return {
                try connection.execute("insert", rows.next(100))
                return 100
            }
        }
    }

    /// Messages that were inserted, claimed, settled and got their receipt, each step in batches of 100 with a commit.
    func lifecycles(connections: Int) async throws -> Double {
        try await self.rate(connections: connections) { connection in
            try connection.prepare("insert", FloorStatements.insertMany)
            try connection.prepare("claim", FloorStatements.claim)
            try connection.prepare("settle", FloorStatements.settle)
            try connection.prepare("receipt", FloorStatements.receipt)
            var rows = FloorRows()
            return {
                try connection.execute("insert", rows.next(100))
                let ids = try connection.collect("claim", [], elements: BinaryValue.uuid)
                try connection.execute("settle", [ids.value])
                return try connection.execute("receipt", [ids.value])
            }
        }
    }

    /// A rate, and how long each step took, in milliseconds.
    struct Timed: Sendable {
        var perSecond: Double
        var times: Percentiles?
    }

    /// One-row updates of verifications, each with its commit, and the time of each.
    func updates(of ids: [MessageID], connections: Int) async throws -> Timed {
        let times = Mutex<[Double]>([])
        let rate = try await self.rate(connections: connections) { connection in
            try connection.prepare("update", FloorStatements.update)
            var own: [Double] = []
            return {
                let begin = MonotonicTime.now
                try connection.execute("update", [BinaryValue(uuid: ids[Int.random(in: 0..<ids.count)])])
                own.append((MonotonicTime.now - begin) * 1000)
                if own.count == 100 {
                    times.withLock { $0 += own }
                    own.removeAll(keepingCapacity: true)
                }
                return 1
            }
        }
        return Timed(perSecond: rate, times: times.withLock { Percentiles($0) })
    }

    /// Verifications that are inserted and then updated, one row at a time, each step with its commit.
    func verifications(connections: Int) async throws -> Double {
        try await self.rate(connections: connections) { connection in
            try connection.prepare("insert", FloorStatements.insertVerification)
            try connection.prepare("update", FloorStatements.update)
            var rows = FloorRows()
            return {
                let row = rows.nextOne()
                try connection.execute("insert", row)
                try connection.execute("update", [row[0]])
                return 1
            }
        }
    }

    // MARK: - Private

    /// Work that says how many messages it did.
    private typealias Step = () throws -> Int

    /// Runs what `prepare` returns over and over on each of so many connections, all beginning when the last has
    /// connected. Returns messages per second.
    private func rate(
        connections: Int, _ prepare: @escaping @Sendable (FloorConnection) throws -> Step
    ) async throws -> Double {
        let start = StartingLine(runners: connections)
        return try await withThrowingTaskGroup { group in
            for _ in 0..<connections {
                group.addTask {
                    try await BlockingWork.run("floor") { stop in
                        let connection = try FloorConnection(self.url)
                        return try self.repeat(try prepare(connection), from: try start.wait(stop), stop)
                    }
                }
            }
            return try await group.reduce(0, +) / self.seconds
        }
    }

    private func `repeat`(_ step: Step, from start: MonotonicTime, _ stop: BlockingWork.StopFlag) throws -> Double {
        var count = 0
        while true {
            let done = try step()
            guard MonotonicTime.now - start < self.seconds else { return Double(count) }
            count += done
            try stop.check()
        }
    }
}

/// Where threads wait for each other before they begin.
private final class StartingLine: Sendable {
    private let runners: Int
    private let arrived = Atomic(0)

    init(runners: Int) { self.runners = runners }

    /// Returns the moment of the start, once all are there.
    func wait(_ stop: BlockingWork.StopFlag) throws -> MonotonicTime {
        self.arrived.add(1, ordering: .relaxed)
        while self.arrived.load(ordering: .relaxed) < self.runners {
            usleep(500)
            try stop.check()
        }
        return .now
    }
}
