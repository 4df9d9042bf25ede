import Glibc
import Polling
import Testing

@Suite struct ChildProcessTests {
    private func shell(
        _ script: String, environment: [String: String]? = nil, input: String = "", byteLimit: Int = 65536
    ) async throws -> ChildProcess {
        try await ChildProcess.start(
            "/bin/sh", ["-c", script], environment: environment, input: Array(input.utf8),
            output: .captured(byteLimit: byteLimit), errorOutput: .captured(byteLimit: byteLimit)
        )
    }

    @Test(arguments: [
        ("exit 0", ChildProcess.ExitStatus.exited(0)), ("exit 3", .exited(3)), ("exit 255", .exited(255)),
        ("kill -TERM $$", .signalled(SIGTERM)), ("kill -KILL $$", .signalled(SIGKILL)),
    ])
    func tellsHowAChildEnded(script: String, status: ChildProcess.ExitStatus) async throws {
        let child = try await self.shell(script)
        #expect(await child.waitForExit() == status)
        #expect(child.status == status)
    }

    @Test func capturesBothOutputs() async throws {
        let child = try await self.shell("echo out; echo err >&2")
        #expect(await child.waitForExit().isSuccess)
        #expect(child.output == Array("out\n".utf8))
        #expect(child.errorOutput == Array("err\n".utf8))
    }

    @Test func keepsTheFirstBytesOfTooMuchOutputAndLetsTheChildEnd() async throws {
        let child = try await self.shell("printf abcdef; yes | head -c 1000000", byteLimit: 4)
        #expect(await child.waitForExit().isSuccess)
        #expect(child.output == Array("abcd".utf8))
    }

    @Test func readsItsInput() async throws {
        let child = try await self.shell("cat", input: "hello")
        #expect(await child.waitForExit().isSuccess)
        #expect(child.output == Array("hello".utf8))
    }

    @Test func getsTheEnvironmentItIsGivenAndNoOther() async throws {
        let child = try await self.shell("echo $A-$HOME-", environment: ["A": "1"])
        _ = await child.waitForExit()
        #expect(child.output == Array("1--\n".utf8))
    }

    @Test func getsNoDescriptorsButTheStandardOnes() async throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let child = try await self.shell("ls /proc/$$/fd")
        _ = await child.waitForExit()
        #expect(String(decoding: child.output, as: UTF8.self).split(separator: "\n").prefix(4) == ["0", "1", "2"])
        for end in ends { close(end) }
    }

    @Test func startingWhatIsNotThereFails() async throws {
        let error = await #expect(throws: SystemError.self) { try await ChildProcess.start("/nowhere/to/be/found") }
        #expect(error?.code == ENOENT)
    }

    @Test func aLineCanBeWaitedFor() async throws {
        let child = try await self.shell("echo starting; echo listening on 1234; exec sleep 600")
        let line = await child.waitForLine(until: .now + .seconds(30)) { $0.hasPrefix("listening") }
        #expect(line == "listening on 1234")
        child.kill(SIGKILL)
        #expect(await child.waitForExit() == .signalled(SIGKILL))
    }

    @Test func aLineThatNeverComesIsNil() async throws {
        let child = try await self.shell("echo starting")
        #expect(await child.waitForLine(until: .now + .seconds(30)) { $0.hasPrefix("listening") } == nil)
        let silent = try await self.shell("exec sleep 600")
        #expect(await silent.waitForLine(until: .now + .milliseconds(5)) { _ in true } == nil)
        silent.kill(SIGKILL)
        _ = await silent.waitForExit()
    }

    @Test func waitingForAnEndHasADeadline() async throws {
        let child = try await self.shell("exec sleep 600")
        #expect(await child.waitForExit(until: .now + .milliseconds(5)) == nil)
        child.kill(SIGTERM)
        #expect(await child.waitForExit(until: .now + .seconds(30)) == .signalled(SIGTERM))
        // Its number may be another's by now: this does nothing.
        child.kill(SIGTERM)
    }

    @Test func aCancelledWaitEndsAtOnceButTheUnconditionalOneDoesNot() async throws {
        let child = try await self.shell("exec sleep 600")
        let conditional = Task { await child.waitForExit(until: .now + .seconds(600)) }
        let unconditional = Task { await child.waitForExit() }
        conditional.cancel()
        unconditional.cancel()
        #expect(await conditional.value == nil)
        child.kill(SIGKILL)
        #expect(await unconditional.value == .signalled(SIGKILL))
    }

    @Test func appendsToAFile() async throws {
        let path = "/tmp/pinpost-child-\(getpid())"
        defer { unlink(path) }
        for text in ["one", "two"] {
            let child = try await ChildProcess.start("/bin/echo", [text], output: .file(path))
            #expect(await child.waitForExit().isSuccess)
        }
        let reader = try await ChildProcess.start("/bin/cat", [path], output: .captured(byteLimit: 100))
        _ = await reader.waitForExit()
        #expect(reader.output == Array("one\ntwo\n".utf8))
    }

    @Test func signalsIgnoredHereAreNotIgnoredThere() async throws {
        signal(SIGUSR1, SIG_IGN)
        defer { signal(SIGUSR1, SIG_DFL) }
        let child = try await self.shell("kill -USR1 $$; echo alive")
        #expect(await child.waitForExit() == .signalled(SIGUSR1))
    }

    @Test func manyChildrenAtOnce() async throws {
        let codes = try await withThrowingTaskGroup(of: ChildProcess.ExitStatus.self) { group in
            for code in 0..<40 { group.addTask { try await self.shell("exit \(code)").waitForExit() } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(codes == Set((0..<40).map { ChildProcess.ExitStatus.exited($0) }))
    }
}
