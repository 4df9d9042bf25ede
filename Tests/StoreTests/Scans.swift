import Postgres
import Testing

/// What has been scanned, by table and index.
struct Scans: CustomStringConvertible {
    private struct Entry {
        var sequential = 0
        var indexed = 0
        var rows = 0
    }

    private var tables: [String: Entry] = [:]
    private var indexScans: [String: Int] = [:]

    init(_ fixture: StoreFixture) async throws {
        _ = try await fixture.count("SELECT count(*) FROM (SELECT pg_stat_force_next_flush()) f")
        let tables = try await fixture.pool.query(
            """
            SELECT relname::text, seq_scan, coalesce(idx_scan, 0), seq_tup_read + coalesce(idx_tup_fetch, 0)
            FROM pg_stat_user_tables
            """
        ) { row throws(PostgresError) in
            (
                try row.decode(0, as: String.self),
                Entry(
                    sequential: Int(try row.decode(1, as: Int64.self)), indexed: Int(try row.decode(2, as: Int64.self)),
                    rows: Int(try row.decode(3, as: Int64.self)))
            )
        }
        self.tables = Dictionary(uniqueKeysWithValues: tables)
        let indexes = try await fixture.pool.query("SELECT indexrelname::text, idx_scan FROM pg_stat_user_indexes") {
            row throws(PostgresError) in
            (try row.decode(0, as: String.self), Int(try row.decode(1, as: Int64.self)))
        }
        self.indexScans = Dictionary(uniqueKeysWithValues: indexes)
    }

    func since(_ before: Scans) -> Scans {
        var difference = self
        for (name, entry) in before.tables {
            difference.tables[name]?.sequential -= entry.sequential
            difference.tables[name]?.indexed -= entry.indexed
            difference.tables[name]?.rows -= entry.rows
        }
        for (name, count) in before.indexScans { difference.indexScans[name, default: 0] -= count }
        return difference
    }

    /// Tables read from end to end.
    var sequential: Set<String> { Set(self.tables.filter { $0.value.sequential > 0 }.keys) }
    var indexes: Set<String> { Set(self.indexScans.filter { $0.value > 0 }.keys) }
    /// Rows read of all tables.
    var rows: Int { self.tables.values.reduce(0) { $0 + $1.rows } }
    func rows(named table: String) -> Int { self.tables[table]?.rows ?? 0 }
    func rows(of table: String) -> Int {
        self.tables.filter { $0.key.hasPrefix("\(table)_2") }.reduce(0) { $0 + $1.value.rows }
    }

    /// The partitions of a table that were looked at in any way.
    func partitions(of table: String) -> Set<String> {
        Set(self.tables.filter { $0.key.hasPrefix("\(table)_2") && $0.value.sequential + $0.value.indexed > 0 }.keys)
    }

    var description: String {
        self.tables.filter { $0.value.sequential + $0.value.indexed > 0 }.sorted { $0.key < $1.key }
            .map { "\($0.key) seq \($0.value.sequential) idx \($0.value.indexed) rows \($0.value.rows)" }
            .joined(separator: ", ") + "; " + self.indexes.sorted().joined(separator: " ")
    }
}

extension StoreFixture {
    /// How the partition of now is called.
    var today: String {
        get async throws {
            try await self.pool.query("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')") {
                row throws(PostgresError) in try row.decode(0, as: String.self)
            }[0]
        }
    }
}
