import Glibc
import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

/// Every hot table leads with `lane`; a statement that forgets it would ask every shard of a cluster.
@Suite struct LaneTests {
    private static let tables: Set = [
        "messages", "outbox", "scheduled", "attempts", "parts", "receipts", "unmatched_receipts", "idempotency_keys",
        "verifications", "recipient_limits", "recipient_failures", "events", "event_outbox", "event_attempts",
        "conversions", "standby",
        "tallies", "rates", "scoped_codes", "look_ups", "reconciliation",
    ]

    /// The files of Sources/Store, by name.
    static func sources() throws -> [(name: String, text: String)] {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let directory = try #require(opendir("\(root)/Sources/Store"))
        defer { closedir(directory) }
        var files: [(String, String)] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".swift") else { continue }
            let file = try #require(fopen("\(root)/Sources/Store/\(name)", "r"))
            defer { fclose(file) }
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65536)
            while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
            files.append((name, String(decoding: bytes, as: UTF8.self)))
        }
        return files
    }

    /// The statements in a file: its string literals that begin as SQL does.
    private static func statements(in text: String) -> [String] {
        let long = text.split(separator: "\"\"\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        let rest = text.split(separator: "\"\"\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 0 }.map { String($0.element) }.joined(separator: " ")
        let short = rest.split(separator: "\n").flatMap { line -> [String] in
            guard let start = line.firstIndex(of: "\""), let end = line.lastIndex(of: "\""), start < end else {
                return []
            }
            return [String(line[line.index(after: start)..<end])]
        }
        let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"]
        return (long + short).filter { statement in
            verbs.contains { statement.drop(while: \.isWhitespace).hasPrefix($0) }
        }
    }

    /// The pieces of a statement that each read or write tables: itself, and every query in brackets.
    private static func pieces(of statement: String) -> [String] {
        var pieces = [""]
        /// The piece that each open bracket belongs to.
        var open = [0]
        var rest = statement[...]
        while let character = rest.popFirst() {
            if character == "(" {
                let isQuery = ["SELECT", "UPDATE", "DELETE", "INSERT"].contains {
                    rest.drop(while: \.isWhitespace).hasPrefix($0)
                }
                if isQuery { pieces.append("") }
                open.append(isQuery ? pieces.count - 1 : open[open.count - 1])
            }
            pieces[open[open.count - 1]].append(character)
            if character == ")", open.count > 1 { open.removeLast() }
        }
        return pieces
    }

    /// The hot tables that a piece reads or changes, but not those that it inserts into.
    private static func tables(in piece: String) -> [String] {
        let words = piece.split { $0.isWhitespace || $0 == "(" || $0 == ")" || $0 == "," }
        return zip(words, words.dropFirst()).compactMap { before, word in
            ["FROM", "JOIN", "UPDATE", "USING"].contains(before) && Self.tables.contains(String(word))
                ? String(word) : nil
        }
    }

    /// How often a piece compares a lane with a value, or with that of another table.
    private static func lanes(in piece: String) -> Int {
        piece.matches(of: /[^a-z_]lane = (ANY\()?(\\\(|[a-z]+\.(key_)?lane|0)/).count
    }

    @Test func everyStatementOnAHotTableNamesALane() throws {
        var seen: Set<String> = []
        for (name, text) in try Self.sources() {
            for statement in Self.statements(in: text) {
                for piece in Self.pieces(of: statement) {
                    let tables = Self.tables(in: piece)
                    seen.formUnion(tables)
                    let named = Self.lanes(in: piece)
                    #expect(named >= Set(tables).count, "\(name): \(tables) in: \(piece)")
                    if let table = piece.firstMatch(of: /INSERT INTO (\w+) (AS \w+ )?\(([^)]*)\)/),
                        Self.tables.contains(String(table.1)), table.1 != "unmatched_receipts"
                    {
                        seen.insert(String(table.1))
                        #expect(table.3.hasPrefix("lane"), "\(name): \(piece)")
                    }
                }
            }
        }
        // The scan has found them all, so it can find what is wrong.
        #expect(seen == Self.tables)
    }

    @Test(arguments: [
        ("SELECT 1 FROM messages WHERE id = $1", false),
        ("SELECT 1 FROM messages m JOIN outbox o ON o.id = m.id WHERE m.lane = \\(lane)", false),
        ("SELECT 1 FROM messages m JOIN outbox o ON o.lane = m.lane AND o.id = m.id WHERE m.lane = \\(lane)", true),
        ("DELETE FROM outbox USING x WHERE lane = \\(lane.column)", true), ("UPDATE outbox SET x = 1", false),
        ("SELECT 1 FROM workers", true),
        ("WITH a AS (SELECT FROM messages WHERE id = 1) SELECT FROM outbox WHERE lane = \\(lane)", false),
        ("SELECT FROM outbox CROSS JOIN LATERAL (SELECT FROM parts WHERE lane = 0) p WHERE id = f(1)", false),
    ])
    func theScanKnowsGoodFromBad(statement: String, isGood: Bool) {
        let found = Self.pieces(of: statement).allSatisfy { Self.lanes(in: $0) >= Set(Self.tables(in: $0)).count }
        #expect(found == isGood)
    }

    @Test func lanesShareNothing() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test", lease: .seconds(15))
            let lanes = [Lane(rawValue: 0), Lane(rawValue: 1), Lane(rawValue: 255)]
            for lane in lanes { try await fixture.accept([fixture.newMessage(lane: lane)]) }
            let later = fixture.newMessage(lane: lanes[1], sendAt: .now + .seconds(60))
            try await fixture.accept([later])
            _ = try await fixture.pool.execute("UPDATE scheduled SET due_at = now()")
            #expect(try await fixture.store.promote(lane: lanes[0], limit: 10).moved == 0)
            #expect(try await fixture.store.promote(lane: lanes[1], limit: 10).moved == 1)
            let request = ClaimRequest(provider: fixture.provider, limit: 10, after: [:])
            for (lane, count) in zip(lanes, [1, 2, 1]) {
                let claims = try await fixture.store.claim(lane: lane, worker: worker, requests: [request])
                #expect(claims.count == count)
                #expect(claims.allSatisfy { $0.id.lane == lane })
            }
        }
    }

    @Test func idsAreInPostgreSQLsOrderAndTextAndBits() async throws {
        try await StoreFixture.run { fixture async throws in
            var generator = SystemRandomNumberGenerator()
            let ids = (0..<2000).map { _ in
                MessageID(
                    lane: Lane(rawValue: .random(in: 0...255, using: &generator)),
                    milliseconds: .random(in: 0..<1 << 48, using: &generator), using: &generator)
            }
            let rows = try await fixture.pool.query("SELECT u, u::text AS text FROM unnest(\(ids)) AS i (u) ORDER BY u")
            {
                row throws(PostgresError) in
                (try row.decode(0, as: MessageID.self), try row.decode(1, as: String.self))
            }
            #expect(rows.map(\.0) == ids.sorted())
            #expect(rows.map(\.1) == ids.sorted().map(\.description))
            #expect(rows.allSatisfy { MessageID($0.1) == $0.0 })
        }
    }

    @Test func theFirstIDOfAMomentIsPostgreSQLsToo() async throws {
        try await StoreFixture.run { fixture async throws in
            for moment in [
                Timestamp(seconds: 0), Timestamp("2026-11-21T00:00:00Z")!, Timestamp("2099-12-31T23:59:59Z")!,
            ] {
                let first = try await fixture.pool.query("SELECT first_id_of(\(moment))") {
                    row throws(PostgresError) in try row.decode(0, as: MessageID.self)
                }[0]
                #expect(first == MessageID(high: UInt64(moment.milliseconds) << 16, low: 0))
            }
        }
    }
}
