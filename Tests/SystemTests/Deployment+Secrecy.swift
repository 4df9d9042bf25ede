import Polling

extension Deployment {
    /// Throws when a secret, one of `texts` or the whole of one of `numbers` stands in what any process has printed, or
    /// when one of `texts` stands in a file of the database.
    func findNothingReadable(of texts: [String], numbers: some Sequence<String>) async throws {
        let digits = Set(numbers.map { String($0.dropFirst()) })
        for (name, log) in self.logs {
            guard !log.isEmpty else { throw Failure("\(name) has logged nothing, so nothing was looked at") }
            for (index, secret) in (self.secrets.all + [self.masterKey]).enumerated() where log.contains(secret) {
                throw Failure("secret number \(index) stands in the log of \(name)")
            }
            for text in texts where log.contains(text) { throw Failure("a text stands in the log of \(name)") }
            let runs = log.split { !$0.isASCII || !$0.isNumber }.filter { $0.utf8.count >= 7 }
            if let number = runs.first(where: { digits.contains(String($0)) }) {
                throw Failure("the whole number +\(number) stands in the log of \(name)")
            }
        }
        for text in texts {
            let files = try await self.filesHolding(text)
            guard files.isEmpty else { throw Failure("a text stands in \(files.joined(separator: ", "))") }
        }
    }

    /// Files of the database, its log and its journal with `text` in them.
    func filesHolding(_ text: String) async throws -> [String] {
        let search = try await ChildProcess.start(
            "/bin/grep", ["-rlaF", "--", text, "\(self.directory)/postgres/"], output: .captured(byteLimit: 1 << 20))
        let status = await search.waitForExit()
        // 1 says that there is none.
        guard [.exited(0), .exited(1)].contains(status) else { throw Failure("the search \(status)") }
        return String(decoding: search.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Those of many texts that stand in any file below `directory`.
    func found(_ texts: [String], in directory: String) async throws -> Set<String> {
        let list = "\(self.directory)/sought"
        try Self.write(Array(texts.joined(separator: "\n").utf8), to: list)
        let search = try await ChildProcess.start(
            "/bin/grep", ["-raohF", "-f", list, "--", "\(directory)/"], environment: ["LC_ALL": "C"],
            output: .captured(byteLimit: 16 << 20), errorOutput: .captured(byteLimit: 4096))
        let status = await search.waitForExit()
        // 1 says that there is none.
        guard [.exited(0), .exited(1)].contains(status) else {
            throw Failure("the search \(status): \(String(decoding: search.errorOutput, as: UTF8.self))")
        }
        return Set(String(decoding: search.output, as: UTF8.self).split(separator: "\n").map(String.init))
    }
}
