import Crypto
import Polling
import TestDatabase
import Testing

/// `pinpost rotate` as an operator runs it.
@Suite struct RotateTests {
    @Test func theLastLineSaysWhichKeysMayGo() async throws {
        try await TestDatabase.withDatabase { url in
            let keys = "\(MasterKeys.generate(id: 2)),\(MasterKeys.generate(id: 1))"
            let settings = ["DATABASE_URL": url, "PINPOST_MASTER_KEY": keys]
            let early = try await Executable.run(["rotate"], environment: settings)
            #expect(early.status == .exited(1) && early.errorOutput.contains("pinpost migrate"))
            _ = try await Executable.run(["migrate"], environment: settings)
            let result = try await Executable.run(["rotate"], environment: settings)
            #expect(result.status == .exited(0), "\(result.errorOutput)")
            #expect(
                result.output.split(separator: "\n").last
                    == "Key 1 may be taken away now, if every process was restarted with key 2 in front.")
        }
    }
}
