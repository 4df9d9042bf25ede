public import Postgres

/// Every SQL statement, each as a function with typed parameters and a typed result.
///
/// A statement lives in the function that runs it. All of them travel unnamed and leave nothing in the session, so they
/// work through PgBouncer in transaction mode, and PostgreSQL plans each with its real values: partitions are pruned
/// while planning, and no plan made for an empty table outlives the day. What that costs is spread over a batch.
public struct Store: Sendable {
    let pool: ConnectionPool

    public init(_ pool: ConnectionPool) {
        self.pool = pool
    }
}
