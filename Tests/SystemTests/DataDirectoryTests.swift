import Crypto
import Glibc
import Testing

@testable import pinpost

/// The secrets that `pinpost up` makes for itself.
@Suite struct DataDirectoryTests {
    /// Runs `body` with a directory that is removed afterwards, with the files in it.
    private func withDirectory(_ body: (DataDirectory) async throws -> Void) async throws {
        var name = Array("/tmp/pinpost-data-XXXXXX".utf8CString)
        try #require(mkdtemp(&name) != nil)
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for file in self.files(in: path) { unlink("\(path)/\(file)") }
            rmdir(path)
        }
        try await body(DataDirectory(path: path))
    }

    private func files(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
    }

    @Test func aSecretIsMadeOnceAndForItsOwnerOnly() async throws {
        try await self.withDirectory { data in
            let key = try data.apiKey().text
            #expect(APIKey.isWellFormed(key))
            #expect(try data.apiKey().text == key)
            let sealed = try data.masterKeys().seal([1, 2, 3], for: "test")
            #expect(try data.masterKeys().open(sealed, for: "test") == [1, 2, 3])
            // Nothing is left of how they were made.
            #expect(self.files(in: data.path) == ["api.key", "master.key"])
            var status = stat()
            #expect(stat(data.file("master.key"), &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func aNewMasterKeyMayBePutInFront() async throws {
        try await self.withDirectory { data in
            let sealed = try data.masterKeys().seal([1, 2, 3], for: "test")
            let file = try #require(fopen(data.file("master.key"), "r"))
            var old = [CChar](repeating: 0, count: 100)
            fgets(&old, 100, file)
            fclose(file)
            let line = String(decoding: old.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            try self.write("\(MasterKeys.generate(id: 2)),\(line)", to: data.file("master.key"))
            let keys = try data.masterKeys()
            #expect(keys.ids == [2, 1])
            #expect(try keys.open(sealed, for: "test") == [1, 2, 3])
        }
    }

    @Test func processesThatStartTogetherHaveTheSameSecret() async throws {
        for _ in 0..<20 {
            try await self.withDirectory { data in
                let keys = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<8 { group.addTask { try data.apiKey().text } }
                    return try await group.reduce(into: Set<String>()) { $0.insert($1) }
                }
                #expect(keys.count == 1)
                #expect(self.files(in: data.path) == ["api.key"])
            }
        }
    }

    @Test func aDraftThatACrashLeftIsNoHindrance() async throws {
        try await self.withDirectory { data in
            try self.write("", to: data.file("api.key.aB3xY9"))
            #expect(APIKey.isWellFormed(try data.apiKey().text))
        }
    }

    @Test func whatIsThereIsTakenAndNeverOverwritten() async throws {
        try await self.withDirectory { data in
            try self.write("mine-0123456789abcdef\n", to: data.file("api.key"))
            #expect(try data.apiKey().text == "mine-0123456789abcdef")
            try self.write("", to: data.file("master.key"))
            let error = #expect(throws: (any Error).self) { try data.masterKeys() }
            #expect("\(error.map { "\($0)" } ?? "")".contains("master.key is empty"))
            var status = stat()
            #expect(stat(data.file("master.key"), &status) == 0)
            #expect(status.st_size == 0)
        }
    }
}
