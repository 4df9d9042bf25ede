import CPostgres

/// A connection to PostgreSQL as plain libpq has it: blocking, with prepared statements and binary values.
///
/// What the floors are measured with. Deliberately not `Sendable`: it lives on one thread.
final class FloorConnection {
    private let handle: OpaquePointer

    /// A planner that met these tables while they were empty would read them whole for ever after, as prepared
    /// statements keep their plans; the floor is to be the database's best, so it is told to use the indexes.
    private static let settings =
        "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off"

    init(_ url: String) throws {
        guard let handle = PQconnectdb(url) else { throw BenchError("libpq has no memory for a connection") }
        self.handle = handle
        guard PQstatus(handle) == CONNECTION_OK else { throw self.error("cannot connect") }
        try self.run(Self.settings)
    }

    deinit { PQfinish(self.handle) }

    func run(_ script: String) throws {
        try self.check(PQexec(self.handle, script), PGRES_COMMAND_OK, "cannot run a script")
    }

    func prepare(_ name: String, _ statement: String) throws {
        try self.check(PQprepare(self.handle, name, statement, 0, nil), PGRES_COMMAND_OK, "cannot prepare \(name)")
    }

    /// Runs a prepared statement that returns nothing; says how many rows it changed.
    @discardableResult
    func execute(_ name: String, _ parameters: [BinaryValue]) throws -> Int {
        let result = self.send(name, parameters)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw self.error("\(name) failed") }
        return Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    /// Runs a prepared statement and returns its first column as an array to give to the next.
    func collect(_ name: String, _ parameters: [BinaryValue], elements: UInt32) throws -> BinaryArray {
        let result = self.send(name, parameters)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK else { throw self.error("\(name) failed") }
        var array = BinaryArray(elements: elements)
        for row in 0..<PQntuples(result) {
            let length = Int(PQgetlength(result, row, 0))
            array.append(UnsafeRawBufferPointer(start: PQgetvalue(result, row, 0), count: length))
        }
        return array
    }

    // MARK: - Private

    private func send(_ name: String, _ parameters: [BinaryValue]) -> OpaquePointer? {
        let lengths = parameters.map { Int32($0.bytes.count) }
        let formats = [Int32](repeating: 1, count: parameters.count)
        let all = parameters.flatMap(\.bytes)
        return all.withUnsafeBytes { all in
            var values: [UnsafePointer<CChar>?] = []
            var offset = 0
            for length in lengths {
                // Never null, which would mean NULL: an array of nothing has its header.
                values.append(all.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) })
                offset += Int(length)
            }
            return PQexecPrepared(self.handle, name, Int32(values.count), values, lengths, formats, 1)
        }
    }

    private func check(_ result: OpaquePointer?, _ expected: ExecStatusType, _ what: String) throws {
        defer { PQclear(result) }
        guard PQresultStatus(result) == expected else { throw self.error(what) }
    }

    private func error(_ what: String) -> BenchError {
        BenchError("the floor's connection: \(what): \(String(cString: PQerrorMessage(self.handle)))")
    }
}
