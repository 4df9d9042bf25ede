/// What went wrong between us and the database.
///
/// None of them holds a parameter's value: PostgreSQL puts those into DETAIL, which is left behind.
public enum PostgresError: Error, Hashable {
    /// There was no connection, or it broke, and nothing of what was asked can have been committed.
    case connection(String)

    /// The connection broke after the statement was sent and before its answer came.
    case connectionLost(String)

    /// The server refused the statement. `constraint` is the one violated, if it was one.
    case server(SQLState, message: String, constraint: String?)

    /// A column, counted from 0, did not hold what the caller asked for. The statement itself was carried out.
    case decoding(column: Int?, expected: String)

    /// The statement's deadline passed. The server has been asked to stop it; the connection is closed.
    case timedOut

    /// The task was cancelled. A statement in flight was stopped as if its deadline had passed.
    case cancelled

    /// No connection became free in time, or too many were waiting for one.
    case poolExhausted

    /// For `PostgresDecodable.init`: the bytes hold no value of `type`. The column is filled in on the way up.
    public static func undecodable<Value>(_ type: Value.Type) -> PostgresError {
        .decoding(column: nil, expected: "\(type)")
    }

    /// The server's code, if it was the server that refused.
    public var sqlState: SQLState? {
        if case .server(let state, _, _) = self { state } else { nil }
    }

    /// True if the statement was, or may have been, sent and its answer never came.
    ///
    /// False means that nothing can have been committed. It errs on the side of true: a timed-out or cancelled statement
    /// inside a transaction says true, although only COMMIT commits.
    public var mayHaveCommitted: Bool {
        switch self {
        case .connectionLost, .timedOut, .cancelled: true
        // PgBouncer says 08P01 when the server went away under a statement; the others come from a dying server.
        case .server(let state, _, _):
            state.category == "08" || state == .adminShutdown || state == .crashShutdown
                || state == .statementCompletionUnknown
        // The answer came; what the statement did stands.
        case .decoding: false
        case .connection, .poolExhausted: false
        }
    }

    /// True if the same thing may well succeed when tried again, after a while and if it is safe to repeat.
    public var isTransient: Bool {
        switch self {
        case .connection, .connectionLost, .timedOut, .poolExhausted: true
        case .server(let state, _, _):
            ["08", "40", "53", "57"].contains(state.category) || state == .lockNotAvailable
                || state == .readOnlyTransaction
        case .decoding, .cancelled: false
        }
    }
}

extension PostgresError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .connection(let reason): "no connection to PostgreSQL: \(reason)"
        case .connectionLost(let reason): "the connection to PostgreSQL broke during a statement: \(reason)"
        case .server(let state, let message, let constraint):
            "PostgreSQL \(state): \(message)" + (constraint.map { " [\($0)]" } ?? "")
        case .decoding(let column, let expected):
            "column \(column.map(String.init) ?? "?") holds no \(expected)"
        case .timedOut: "the statement's deadline passed"
        case .cancelled: "cancelled"
        case .poolExhausted: "no database connection became free in time"
        }
    }
}

extension PostgresError {
    /// As it is for a request that could change nothing, such as preparing: a broken connection left nothing behind.
    var withoutEffect: PostgresError {
        if case .connectionLost(let reason) = self { .connection(reason) } else { self }
    }
}
