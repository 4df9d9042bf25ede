/// How the tables are spread over a cluster of PostgreSQL servers with the extension Citus.
///
/// Every table with a lane is distributed by it, all in one group, so that what is in one lane is on one server. Who works is
/// copied to all of them, for claims look there. Everything else stays on the coordinator: Citus distributes no table with
/// triggers, and what hot statements want of them it fetches first.
public enum Distribution {
    /// The table that the others are placed by.
    public static let leader = "messages"

    /// The others with a lane.
    public static let followers = [
        "outbox", "scheduled", "standby", "attempts", "parts", "receipts", "unmatched_receipts", "idempotency_keys",
        "verifications", "recipient_failures", "recipient_limits", "events", "event_outbox", "event_attempts",
        "conversions", "tallies", "rates", "scoped_codes", "look_ups", "reconciliation",
    ]

    /// Copied to every server.
    public static let copied = ["workers"]

    /// What statements call on the servers that hold the rows.
    public static let functions = [
        "first_id_of(timestamptz)", "time_of_id(uuid)", "moment_after(timestamptz, interval)", "new_id(smallint)",
        "message_rank(text)", "calling_code(text)",
    ]

    /// What is done to a table or a function, once.
    public enum Step: Sendable, Hashable {
        case distributeLeader(String)
        case distribute(String, with: String)
        /// A table with numbers of its own: those of an identity column may be no `integer`s on a cluster.
        case copy(String)
        case shareFunction(String)

        /// The table that it is about.
        public var table: String? {
            switch self {
            case .distributeLeader(let table), .distribute(let table, _), .copy(let table): table
            case .shareFunction: nil
            }
        }
    }

    /// What is left to do, in order. `done`: the tables that Citus knows already. Sharing a function again changes nothing.
    public static func steps(done: Set<String>) -> [Step] {
        let all =
            Self.functions.map(Step.shareFunction) + Self.copied.map(Step.copy) + [.distributeLeader(Self.leader)]
            + Self.followers.map { .distribute($0, with: Self.leader) }
        let left = all.filter { $0.table.map { !done.contains($0) } ?? true }
        return left.contains { $0.table != nil } ? left : []
    }
}

/// Why tables were not distributed.
public enum DistributionError: Error, Hashable, CustomStringConvertible {
    case noExtension
    case noServers

    public var description: String {
        switch self {
        case .noExtension: "the database has no extension citus: CREATE EXTENSION citus, on every server of the cluster"
        case .noServers: "the cluster has no server to hold rows: add them with citus_add_node"
        }
    }
}
