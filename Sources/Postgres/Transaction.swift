/// An open transaction. Borrowed by the closure that runs in it, so it cannot outlive it.
public struct Transaction: ~Copyable {
    private let connection: Connection

    fileprivate init(_ connection: Connection) { self.connection = connection }

    /// As `Connection.execute`. A connection that breaks is `.connection`: without COMMIT, nothing is committed.
    @discardableResult
    public func execute(_ statement: SQL, timeout: Duration? = nil) async throws(PostgresError) -> Int {
        do {
            return try await self.connection.execute(statement, timeout: timeout)
        } catch {
            throw error.withoutEffect
        }
    }

    /// As `Connection.query`. A connection that breaks is `.connection`: without COMMIT, nothing is committed.
    public func query<Value>(
        _ statement: SQL, timeout: Duration? = nil,
        decode: (borrowing Row) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> [Value] {
        do {
            return try await self.connection.query(statement, timeout: timeout, decode: decode)
        } catch {
            throw error.withoutEffect
        }
    }

    /// As `Connection.executeScript`, for a script without BEGIN and COMMIT of its own.
    public func executeScript(_ script: String, timeout: Duration? = nil) async throws(PostgresError) {
        do {
            try await self.connection.executeScript(script, timeout: timeout)
        } catch {
            throw error.withoutEffect
        }
    }
}

extension ConnectionPool {
    /// Runs `body` inside a transaction: committed if it returns, rolled back if it throws.
    ///
    /// Throws what `body` throws, what `withConnection` throws, and what COMMIT says: only then may `mayHaveCommitted` be
    /// true of a broken connection. A body that goes on after a failed statement and returns gets `inFailedTransaction`,
    /// as PostgreSQL would roll back and call it a success. A task cancelled before COMMIT is sent is rolled back.
    public func transaction<Value>(
        _ body: (borrowing Transaction) async throws -> sending Value
    ) async throws -> sending Value {
        try await self.withConnection { connection in
            try await Transaction(connection).execute("BEGIN")
            do {
                let value = try await body(Transaction(connection))
                if connection.isInFailedTransaction { throw goneOnAfterFailure }
                try await connection.execute("COMMIT")
                return value
            } catch {
                // Should this fail too, the connection is not fit to be lent again, and closing it rolls back.
                _ = try? await connection.execute("ROLLBACK")
                throw error
            }
        }
    }
}

// MARK: - Private

private let goneOnAfterFailure = PostgresError.server(
    .inFailedTransaction, message: "a statement of the transaction failed; all of it was rolled back", constraint: nil
)
