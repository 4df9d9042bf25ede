import Channels
import FuzzTargets
import Glibc
import Testing

/// Every input that fuzzers have found worth keeping, and every one that once broke something, run anew.
@Suite struct FuzzTests {
    static let corpus = "\(#filePath.dropLast("FuzzTests/FuzzTests.swift".count))Fuzz/Corpus"

    @Test(arguments: FuzzTarget.all.map(\.name)) func theCorpusHolds(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let files = try Self.files(in: "\(Self.corpus)/\(name)")
        #expect(!files.isEmpty)
        for file in files {
            // The fuzzer's name for an input is what a report of it should have.
            #expect(throws: Never.self, "\(name)/\(file)") {
                try target.run(Self.contents(of: "\(Self.corpus)/\(name)/\(file)"))
            }
        }
    }

    /// Nothing and everything odd, whatever the corpus has.
    @Test(arguments: FuzzTarget.all.map(\.name)) func nothingAndNoiseBreakNothing(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let noise = [[], [0], [0xFF], Array(repeating: 0x5B, count: 10_000), Array(0...255)] as [[UInt8]]
        for bytes in noise { try target.run(bytes) }
    }

    @Test func eachFolderOfTheCorpusHasItsTarget() throws {
        #expect(try Self.files(in: Self.corpus).sorted() == FuzzTarget.all.map(\.name).sorted())
    }

    /// A corpus is for running at every build, so it stays small.
    @Test func theCorpusIsSmall() throws {
        var bytes = 0
        for name in try Self.files(in: Self.corpus) {
            for file in try Self.files(in: "\(Self.corpus)/\(name)") {
                bytes += try Self.contents(of: "\(Self.corpus)/\(name)/\(file)").count
            }
        }
        #expect(bytes < 1 << 20)
    }

    // MARK: - Private

    private static func files(in path: String) throws -> [String] {
        let directory = try #require(opendir(path))
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    private static func contents(of path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }
}

/// A provider without an account here would be fuzzed by nobody.
@Suite struct FuzzAccountTests {
    @Test(arguments: ProviderKind.allCases) func eachKindOfProviderIsFuzzed(_ kind: ProviderKind) {
        #expect(FuzzTarget.drivers.contains(kind.rawValue))
    }
}
