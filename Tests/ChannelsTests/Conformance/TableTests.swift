import Channels
import Glibc
import Messaging
import Testing

/// The tables of codes, whoever's they are.
@Suite struct TableTests {
    /// Those that no case of ``ConformanceCase`` stands for have suites of their own.
    static let others: Set<ProviderKind> = [.smtp, .smpp, .carrier]

    @Test func eachKindWithATableIsHeldToTheContract() {
        let withTable = Set(ProviderKind.allCases.filter { !$0.codes.isEmpty })
        #expect(Set(ConformanceCase.all.map(\.account.kind)).union(Self.others) == withTable)
    }

    @Test func eachFileIsTheTableOfSomeKind() throws {
        let tables = Set(ProviderKind.allCases.map(\.codes).filter { !$0.isEmpty })
        #expect(try Self.fileCount() == tables.count)
    }

    /// A line whose action the policy never takes would promise what does not happen.
    @Test(arguments: ProviderKind.allCases) func noActionIsDead(_ kind: ProviderKind) throws {
        for line in kind.codes.split(separator: "\n") where !line.hasPrefix("#") {
            let columns = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            try #require(columns.count == 6, "\(line)")
            let verdict = Verdict(
                try #require(.init(rawValue: columns[2])), try #require(.init(rawValue: columns[3])),
                try #require(.init(rawValue: columns[4])), try #require(.init(rawValue: columns[5])))
            #expect(verdict.way(series: 1) == Self.way(of: verdict.action), "\(line)")
        }
    }

    // MARK: - Private

    private static func way(of action: Verdict.Action) -> Settlement.Way? {
        switch action {
        case .failover, .failoverOnce, .haltProvider, .throttle, .retrySame: .any
        case .failoverChannel: .otherChannel
        case .none, .wait, .stop, .stopSuppress: nil
        }
    }

    private static func fileCount() throws -> Int {
        // Beside the tests in the same repository.
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let directory = try #require(opendir("/\(root)/Sources/Channels/Tables"))
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".csv") { count += 1 }
        }
        return count
    }
}
