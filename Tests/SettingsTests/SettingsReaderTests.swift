import Crypto
import Glibc
import Settings
import Testing

struct SettingsReaderTests {
    enum Colour: String, CaseIterable { case red, green }

    /// What one read of `X` returns and what `finish()` then has to say.
    private func read<Value>(
        _ text: String?, _ read: (inout SettingsReader) -> Value
    ) -> (value: Value, problems: [String]) {
        var settings = SettingsReader(environment: text.map { ["X": $0] } ?? [:])
        let value = read(&settings)
        do throws(SettingsError) {
            try settings.finish()
            return (value, [])
        } catch {
            return (value, error.problems)
        }
    }

    @Test func anAbsentSettingHasItsDefault() {
        #expect(self.read(nil) { $0.integer("X", default: 7, in: 1...10, help: "h") }.value == 7)
        #expect(self.read(nil) { $0.string("X", default: "d", help: "h") }.value == "d")
        #expect(self.read(nil) { $0.boolean("X", default: true, help: "h") }.value)
        #expect(self.read(nil) { $0.optionalString("X", help: "h") }.value == nil)
        #expect(self.read(nil) { $0.optionalSecret("X", help: "h") } == (nil, []))
        #expect(self.read("") { $0.string("X", default: "d", help: "h") } == ("d", []))
    }

    @Test func aRequiredSettingThatIsAbsentIsAProblem() {
        #expect(
            self.read(nil) { $0.string("X", help: "where the database is") }.problems
                == ["X: is not set; it needs text (where the database is)"]
        )
        #expect(self.read("") { $0.secret("X", help: "h") }.problems == ["X: is not set; it needs a secret (h)"])
        #expect(self.read(nil) { $0.duration("X", in: .zero ... .seconds(1), help: "h") }.problems.count == 1)
    }

    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("5s", .seconds(5)), ("10m", .seconds(600)), ("72h", .seconds(259_200)),
        ("0s", .zero),
    ])
    func aDurationIsANumberAndAUnit(text: String, duration: Duration) {
        let read = self.read(text) {
            $0.duration("X", default: .seconds(1), in: .zero ... .seconds(1_000_000), help: "h")
        }
        #expect(read == (duration, []))
    }

    @Test(arguments: ["5x", "5", "s", "-5s", "1.5s", "5 s", "99999999999999999999s", "9999999999999999h"])
    func anythingElseIsNoDuration(text: String) {
        let read = self.read(text) { $0.duration("X", default: .seconds(1), in: .zero ... .seconds(100), help: "h") }
        #expect(read.problems == ["X: \"\(text)\" is no duration; write a number and ms, s, m or h"])
    }

    @Test func whatIsOutOfRangeIsToldWithTheRange() {
        #expect(
            self.read("2h") { $0.duration("X", default: .seconds(5), in: .seconds(1) ... .seconds(90), help: "h") }
                .problems == ["X: 2h is not between 1s and 90s"]
        )
        #expect(
            self.read("0") { $0.integer("X", default: 5, in: 1...10, help: "h") }.problems
                == ["X: 0 is not between 1 and 10"]
        )
        #expect(
            self.read("2GiB") { $0.byteCount("X", default: 1024, in: 1024...1_048_576, help: "h") }.problems
                == ["X: 2GiB is not between 1KiB and 1MiB"]
        )
    }

    @Test(arguments: [("512", 512), ("512B", 512), ("64KiB", 65536), ("1MiB", 1_048_576), ("2GiB", 2_147_483_648)])
    func aSizeIsBytesOrANumberAndAUnit(text: String, bytes: Int) {
        #expect(self.read(text) { $0.byteCount("X", default: 1, in: 0...(1 << 40), help: "h") } == (bytes, []))
    }

    @Test(arguments: ["64KB", "64k", "KiB", "-1", "9999999999999GiB"]) func anythingElseIsNoSize(text: String) {
        let read = self.read(text) { $0.byteCount("X", default: 1, in: 0...(1 << 40), help: "h") }
        #expect(
            read.problems
                == ["X: \"\(text)\" is no size; write a number of bytes, or a number and KiB, MiB or GiB"]
        )
    }

    @Test(arguments: [("true", true), ("YES", true), ("1", true), ("off", false), ("False", false), ("0", false)])
    func aBooleanHasManySpellings(text: String, value: Bool) {
        #expect(self.read(text) { $0.boolean("X", default: !value, help: "h") } == (value, []))
    }

    @Test func otherKindsSayWhatTheyWant() {
        #expect(
            self.read("maybe") { $0.boolean("X", default: true, help: "h") }.problems
                == [#"X: "maybe" is no boolean; write true or false"#]
        )
        #expect(
            self.read("ten") { $0.integer("X", default: 1, in: 0...9, help: "h") }.problems
                == [#"X: "ten" is no whole number"#]
        )
        #expect(
            self.read("8080") { $0.address("X", help: "h") }.problems
                == [#"X: "8080" is no address; write host:port, an IPv6 host in brackets"#]
        )
        #expect(
            self.read("blue") { $0.choice("X", default: Colour.red, help: "h") }.problems
                == [#"X: "blue" is not one of red, green"#]
        )
        #expect(self.read("green") { $0.choice("X", default: Colour.red, help: "h") } == (.green, []))
        #expect(self.read("h:1") { $0.address("X", help: "h") } == (Address(host: "h", port: 1), []))
    }

    @Test func allProblemsAreToldTogether() {
        var settings = SettingsReader(environment: ["A": "x", "C": "3"])
        _ = settings.integer("A", default: 1, in: 0...9, help: "a")
        _ = settings.string("B", help: "b")
        _ = settings.integer("C", default: 1, in: 0...9, help: "c")
        settings.note("C: contradicts A")
        let error = #expect(throws: SettingsError.self) { try settings.finish() }
        #expect(
            error?.description == """
                A: "x" is no whole number
                B: is not set; it needs text (b)
                C: contradicts A
                """
        )
    }

    @Test func aSecretShowsNowhere() {
        var settings = SettingsReader(environment: ["KEY": "hunter2"])
        let secret = settings.secret("KEY", help: "the key")
        #expect(secret.text == "hunter2")
        #expect(!settings.help.contains("hunter2"))
        #expect(!"\(secret)".contains("hunter2"))
    }

    @Test func helpListsWhatWasRead() {
        var settings = SettingsReader(environment: [:])
        _ = settings.duration("LEASE", default: .seconds(15), in: .seconds(1) ... .seconds(60), help: "How long.")
        _ = settings.string("URL", help: "Where.")
        _ = settings.optionalString("NAME", help: "Who.")
        #expect(
            settings.help == """
                  LEASE (a duration, default 15s)
                      How long.
                  URL (text, required)
                      Where.
                  NAME (text, optional)
                      Who.

                """
        )
    }

    @Test func variablesThatNobodyReadAreFoundWithTheirLikelyMeaning() {
        var settings = SettingsReader(
            environment: ["PINPOST_LESAE": "5s", "PINPOST_LEASE_FILE": "", "PINPOST_ZZZZZZZZZZZ": "1", "HOME": "/"]
        )
        _ = settings.duration("PINPOST_LEASE", default: .seconds(15), in: .zero ... .seconds(60), help: "h")
        let unread = settings.unread(prefix: "PINPOST_")
        #expect(unread.map(\.name) == ["PINPOST_LESAE", "PINPOST_ZZZZZZZZZZZ"])
        #expect(unread.map(\.meant) == ["PINPOST_LEASE", nil])
    }
}

struct SettingsFileTests {
    /// Reads `X` from a file with these bytes.
    private func read(_ bytes: [UInt8], environment: [String: String] = [:]) throws -> (String, [String]) {
        var path = Array("/tmp/settings-test-XXXXXX".utf8CString)
        let file = mkstemp(&path)
        try #require(file >= 0 && write(file, bytes, bytes.count) == bytes.count)
        close(file)
        let name = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(name) }
        return Self.read(environment.merging(["X_FILE": name]) { $1 })
    }

    private static func read(_ environment: [String: String]) -> (String, [String]) {
        var settings = SettingsReader(environment: environment)
        let value = settings.secret("X", help: "h").text
        do throws(SettingsError) {
            try settings.finish()
            return (value, [])
        } catch {
            return (value, error.problems)
        }
    }

    @Test(arguments: ["s3cret", "s3cret\n", "s3cret\r\n"]) func theValueMayStandInAFile(text: String) throws {
        #expect(try self.read(Array(text.utf8)) == ("s3cret", []))
    }

    @Test func onlyTheLastLineFeedIsDropped() throws {
        #expect(try self.read(Array("a\n\n".utf8)) == ("a\n", []))
    }

    @Test func whatCannotBeReadIsToldOnce() throws {
        #expect(Self.read(["X_FILE": "/nowhere/x"]).1 == ["X_FILE: cannot open the file: No such file or directory"])
        #expect(Self.read(["X_FILE": "/tmp"]).1 == ["X_FILE: cannot read the file: Is a directory"])
        #expect(try self.read([]).1 == ["X_FILE: the file is empty"])
        #expect(try self.read([0xFF]).1 == ["X_FILE: the file is no UTF-8"])
        #expect(try self.read(Array(repeating: 0x61, count: 65537)).1 == ["X_FILE: the file has more than 65536 bytes"])
    }

    @Test func settingBothIsAProblem() throws {
        #expect(try self.read([0x61], environment: ["X": "b"]).1 == ["X_FILE: X is set too; set one of them"])
    }
}
