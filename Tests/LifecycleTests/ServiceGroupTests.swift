import Synchronization
import Telemetry
import Testing
import Timestamps

@testable import Lifecycle

@Suite(.timeLimit(.minutes(1))) struct ServiceGroupTests {
    let story = Story()
    let stops: AsyncStream<StopRequest>
    let stop: AsyncStream<StopRequest>.Continuation
    let deadlines: AsyncStream<Void>
    let passDeadline: AsyncStream<Void>.Continuation

    init() {
        (self.stops, self.stop) = AsyncStream.makeStream()
        (self.deadlines, self.passDeadline) = AsyncStream.makeStream()
    }

    private func group(_ services: [any Service], logger: Logger = .silent) -> ServiceGroup {
        ServiceGroup(services, drainDeadline: .seconds(20), logger: logger, stops: self.stops) { [deadlines] _ in
            for await _ in deadlines { return }
            throw CancellationError()
        }
    }

    private func runs(_ names: String...) async {
        for name in names { await self.story.waitFor("\(name) runs") }
    }

    private var afterStart: [String] { self.story.lines.filter { !$0.hasSuffix(" runs") } }

    @Test func aStopRequestDrainsInReverseAndReturns() async throws {
        let group = self.group(["a", "b", "c"].map { ScriptedService($0, in: self.story) })
        async let run: Void = group.run()
        await self.runs("a", "b", "c")
        self.stop.yield(StopRequest(reason: "SIGTERM"))
        try await run
        #expect(self.afterStart == ["c drains", "c returns", "b drains", "b returns", "a drains", "a returns"])
    }

    @Test func theNextIsDrainedOnlyWhenTheOneBeforeHasEnded() async throws {
        let slow = ScriptedService("b", in: self.story, heedsDrain: false)
        let group = self.group([ScriptedService("a", in: self.story), slow])
        async let run: Void = group.run()
        await self.runs("a", "b")
        self.stop.yield(StopRequest(reason: "SIGINT"))
        await self.story.waitFor("b drains")
        #expect(self.afterStart == ["b drains"])
        slow.end(.returns)
        try await run
        #expect(self.afterStart == ["b drains", "b returns", "a drains", "a returns"])
    }

    @Test(arguments: [(ScriptedService.Ending.fails, "b failed: Failure()"), (.returns, "b ended by itself")])
    func aServiceThatEndsUnaskedEndsTheGroup(ending: ScriptedService.Ending, told: String) async throws {
        let broken = ScriptedService("b", in: self.story)
        let group = self.group([ScriptedService("a", in: self.story), broken, ScriptedService("c", in: self.story)])
        let run = Task { try await group.run() }
        await self.runs("a", "b", "c")
        broken.end(ending)
        let error = await #expect(throws: ServiceGroupError.self) { try await run.value }
        #expect(error?.description == told)
        #expect(self.afterStart == ["b \(ending)", "c drains", "c returns", "a drains", "a returns"])
    }

    @Test func pastTheDeadlineTheRestIsCancelled() async throws {
        let stubborn = ScriptedService("b", in: self.story, heedsDrain: false)
        let group = self.group([ScriptedService("a", in: self.story), stubborn])
        let run = Task { try await group.run() }
        await self.runs("a", "b")
        self.stop.yield(StopRequest(reason: "SIGTERM"))
        await self.story.waitFor("b drains")
        self.passDeadline.yield()
        let error = await #expect(throws: ServiceGroupError.self) { try await run.value }
        #expect(error?.description == "not done in time and cancelled: a, b")
        #expect(Set(self.afterStart) == ["b drains", "b is cancelled", "a is cancelled"])
    }

    @Test func cancellingTheRunCancelsTheServices() async throws {
        let group = self.group(["a", "b"].map { ScriptedService($0, in: self.story, heedsDrain: false) })
        let run = Task { try await group.run() }
        await self.runs("a", "b")
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }
        #expect(Set(self.afterStart).isSuperset(of: ["a is cancelled", "b is cancelled"]))
    }

    @Test func aGroupOfNoServicesEnds() async throws {
        try await self.group([]).run()
    }

    @Test func theReasonAndTheFailureAreLogged() async throws {
        let lines = Mutex("")
        let logger = Logger(label: "pinpost", now: { .init(seconds: 0) }) { line in
            lines.withLock { $0 += String(decoding: line, as: UTF8.self) }
        }
        let broken = ScriptedService("b", in: self.story, heedsDrain: false)
        let group = self.group([broken], logger: logger)
        let run = Task { try await group.run() }
        await self.runs("b")
        self.stop.yield(StopRequest(reason: "SIGTERM"))
        await self.story.waitFor("b drains")
        broken.end(.fails)
        _ = await run.result
        #expect(
            lines.withLock { $0 } == """
                1970-01-01T00:00:00.000Z info pinpost stopping reason=SIGTERM
                1970-01-01T00:00:00.000Z error pinpost a service failed service=b error=Failure()

                """
        )
    }

    @Test func aServiceCanBeMadeOfTwoFunctions() async throws {
        let (drains, drain) = AsyncStream<Void>.makeStream()
        let service = FunctionService(name: "f") {
            self.story.add("f runs")
            for await _ in drains {}
        } drain: {
            drain.finish()
        }
        async let run: Void = self.group([service]).run()
        await self.runs("f")
        self.stop.yield(StopRequest(reason: "SIGTERM"))
        try await run
    }
}
