public import Postgres

/// Every SQL statement, each as a function with typed parameters and a typed result.
///
/// A statement lives in the function that runs it. Most of them travel unnamed and leave nothing in the session, so they
/// work through PgBouncer in transaction mode, and PostgreSQL plans each with its real values: partitions are pruned
/// while planning, and no plan made for an empty table outlives the day. What that costs is spread over a batch. Where the
/// session is ours, those that go by whole keys alone are ``SQL/prepared``, and those of every message's way are
/// ``SQL/preparedForLookUps``, with the ``Days`` of their batch in the text.
public struct Store: Sendable {
    let pool: ConnectionPool

    public init(_ pool: ConnectionPool) {
        self.pool = pool
    }

    /// A transaction of which every statement throws what PostgreSQL says and nothing else.
    func transaction<Value: Sendable>(
        _ body: (borrowing Transaction) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        do {
            return try await self.pool.transaction { transaction in try await body(transaction) }
        } catch {
            // The pool throws no other, and the body cannot.
            throw (error as? PostgresError) ?? .cancelled
        }
    }
}
