import Glibc
import Postgres
import PostgresServer
import TestDatabase
import Testing

/// A statement as PostgreSQL planned it, in the words of EXPLAIN.
struct PlannedStatement {
    var text: String
    var plan: [Substring]

    /// Of its lines in the log; the plan begins with the first that has a cost.
    init(_ lines: some Sequence<Substring>) {
        let lines = Array(lines)
        let start = lines.firstIndex { $0.contains("  (cost=") } ?? lines.endIndex
        self.text = lines[..<start].joined(separator: "\n")
        self.plan = Array(lines[start...])
    }

    /// Where it reads or changes a table.
    var tables: [TableNode] {
        var nodes: [TableNode] = []
        var isInNode = false
        for line in self.plan {
            if let node = TableNode(line) {
                nodes.append(node)
                isInNode = true
            } else if line.contains("  (cost=") {
                isInNode = false
            } else if isInNode, line.contains("Cond: ") || line.contains("Filter: ") {
                nodes[nodes.count - 1].conditions += line
            }
        }
        return nodes
    }

    /// Of the partitions that it has, as in `20261122`.
    var days: Set<String> {
        Set(self.plan.flatMap { $0.matches(of: /_(\d{8})\b/).map { String($0.output.1) } })
    }

    /// Partitions that it has were left out when it was carried out.
    var isPrunedLate: Bool { self.plan.contains { $0.contains("Subplans Removed") } }

    /// The parameters that the statement computes by itself, and that are no values of ours. In a plan for any values both are
    /// written alike: one that its text holds against a lane is a value, and what a part depends on as a whole is a condition.
    var computed: Set<String> {
        Self.parameters(in: self.plan.filter { $0.contains("Plan ") && $0.contains("(returns ") })
            .subtracting(Self.parameters(in: self.plan.filter { $0.contains("One-Time Filter: $") }))
            .subtracting(self.text.matches(of: /lane = (\$\d+)/).map { String($0.output.1) })
    }

    private static func parameters(in lines: [Substring]) -> Set<String> {
        Set(lines.flatMap { $0.matches(of: /\$\d+/).map { String($0.output) } })
    }
}

/// A scan of a table, or a change of it.
struct TableNode {
    /// Without the day of a partition.
    var table: String
    /// Not for what is changed where a scan below has found it, nor for what is inserted.
    var isScan: Bool
    var conditions = ""

    init?(_ line: Substring) {
        let pattern = /(Scan|Insert|Update|Delete)( Backward)?( using \w+)? on public\.([a-z_]+?)(_\d{8})?( |$)/
        guard line.contains("(cost="), let found = line.firstMatch(of: pattern) else { return nil }
        self.table = String(found.output.4)
        self.isScan = found.output.1 == "Scan"
    }

    /// What its lane is held against: a constant, as its number, or a parameter, with its sign.
    var lanes: [String] {
        self.conditions.matches(of: /[^a-z_]lane = (\$\d+|'?(\d+)('::smallint)?)/).map {
            String($0.output.2 ?? $0.output.1)
        }
    }
}

/// What PostgreSQL writes of its plans into its log; by `auto_explain`, which sees each statement as it really is carried out, its
/// values and all.
final class PlanLog {
    private let admin: ConnectionPool
    private let path: String
    private var offset = 0

    /// Has the plans of one database be logged, of connections made from now on.
    init(ofDatabaseAt url: String) async throws {
        let name = String(try #require(url.prefix { $0 != "?" }.split(separator: "/").last))
        self.admin = TestDatabase.pool(try await TestDatabase.server.url(database: name), limit: 1)
        try await self.admin.withConnection { connection in
            try await connection.executeScript(
                """
                ALTER DATABASE \(name) SET session_preload_libraries = 'auto_explain';
                ALTER DATABASE \(name) SET auto_explain.log_min_duration = 0;
                ALTER DATABASE \(name) SET auto_explain.log_verbose = on;
                """)
        }
        let paths = try await self.admin.query("SELECT current_setting('data_directory')") {
            row throws(PostgresError) in try row.decode(0, as: String.self)
        }
        self.path = paths[0].split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/postgres.log"
        _ = try self.new()
    }

    func close() { self.admin.close() }

    /// The statements since this was asked last.
    func new() throws -> [PlannedStatement] {
        let file = try #require(fopen(self.path, "r"))
        defer { fclose(file) }
        fseek(file, self.offset, SEEK_SET)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        self.offset += bytes.count
        let text = String(decoding: bytes, as: UTF8.self)
        return Self.plans(in: text)
    }

    /// A plan is what follows a line that says so, each line of it behind a tab.
    static func plans(in log: String) -> [PlannedStatement] {
        var plans: [PlannedStatement] = []
        var lines = log.split(separator: "\n", omittingEmptySubsequences: false)[...]
        while let line = lines.popFirst() {
            guard line.hasSuffix("plan:") else { continue }
            let body = lines.prefix { $0.hasPrefix("\t") }
            lines = lines.dropFirst(body.count)
            plans.append(PlannedStatement(body.map { $0.dropFirst() }))
        }
        return plans
    }
}
