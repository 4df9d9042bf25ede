import CPostgres

/// What a statement returned. Owns the `PGresult` and clears it when it goes away.
struct QueryResult: ~Copyable {
    private let handle: OpaquePointer

    /// Takes ownership of `handle`.
    init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { PQclear(self.handle) }

    var affectedRows: Int { Int(String(cString: PQcmdTuples(self.handle))) ?? 0 }

    var hasFailed: Bool {
        let status = PQresultStatus(self.handle)
        return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE
    }

    var isCopy: Bool {
        let status = PQresultStatus(self.handle)
        return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH
    }

    /// Nil if the statement succeeded. `isLost` tells a broken connection from a refusal.
    func error(isLost: Bool) -> PostgresError? {
        switch PQresultStatus(self.handle) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return nil
        default: break
        }
        let message = self.field("M") ?? tidied(PQresultErrorMessage(self.handle))
        guard let state = self.field("C") else {
            return isLost
                ? .connectionLost(message) : .server(SQLState(rawValue: "XX000"), message: message, constraint: nil)
        }
        return .server(SQLState(rawValue: state), message: message, constraint: self.field("n"))
    }

    /// Never `D`: DETAIL holds values.
    private func field(_ code: Unicode.Scalar) -> String? {
        PQresultErrorField(self.handle, Int32(code.value)).map { String(cString: $0) }
    }

    func rows<Value>(_ decode: (borrowing Row) throws(PostgresError) -> Value) throws(PostgresError) -> [Value] {
        let count = PQntuples(self.handle)
        var values: [Value] = []
        values.reserveCapacity(Int(count))
        for index in 0..<count {
            values.append(try decode(Row(result: self.handle, index: index)))
        }
        return values
    }
}

/// libpq's messages end in a newline, and have one a line for each host tried.
func tidied(_ message: UnsafePointer<CChar>?) -> String {
    guard let message else { return "" }
    return String(cString: message).split(separator: "\n").joined(separator: "; ")
}
