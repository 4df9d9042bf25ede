import Channels
import HTTP
import JSON
import Messaging
import Postgres
import Store
import Synchronization
import Telemetry
import TestSystem
import Testing

@testable import Intake

/// Numbers looked up at a provider: once each, shared, kept with an age, and never in the way of a code.
@Suite(.timeLimit(.minutes(2))) struct ProviderLookUpTests {
    private static let number = PhoneNumber("+41791234567")!  // A literal.

    /// Answers with the word for reachability that a test gives it, when it lets it.
    private final class Numbers: Sendable {
        private struct State {
            var asked = 0
            var answer: String? = "reachable"
            var isHeld = false
            var waiting: [CheckedContinuation<Void, Never>] = []
        }

        private let state = Mutex(State())
        var asked: Int { self.state.withLock { $0.asked } }
        func answer(_ word: String?) { self.state.withLock { $0.answer = word } }
        func hold() { self.state.withLock { $0.isHeld = true } }

        func release() {
            let waiting = self.state.withLock { state in
                state.isHeld = false
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        func respond() async -> HTTPResponse? {
            await withCheckedContinuation { continuation in
                let goesOn = self.state.withLock { state in
                    state.asked += 1
                    if state.isHeld { state.waiting.append(continuation) }
                    return !state.isHeld
                }
                if goesOn { continuation.resume() }
            }
            return self.state.withLock { $0.answer }.map { HTTPResponse(status: 200, body: Array($0.utf8)) }
        }
    }

    private struct Directory: NumberDirectory {
        init() {}
        init(_ account: ProviderAccount) throws(ProviderProblems) {}
        func request(for number: PhoneNumber) -> OutgoingRequest {
            OutgoingRequest(method: "GET", url: "http://numbers.example", fields: [:], body: [])
        }
        func facts(of number: PhoneNumber, in response: HTTPResponse) -> NumberFacts? {
            NumberFacts.Reachability(rawValue: String(decoding: response.body, as: UTF8.self)).map {
                NumberFacts(reachability: $0)
            }
        }
    }

    private static func run(
        maxAge: Duration = .seconds(3600), timeLimit: Duration = .seconds(20), isConfigured: Bool = true,
        _ body: (_ make: () -> ProviderLookUp, Numbers, TestSystem) async throws -> Void
    ) async throws {
        try await TestSystem.run { system async throws in
            let numbers = Numbers()
            let source = LookUpSource(directory: Directory(), maxAge: maxAge, timeLimit: timeLimit)
            let make = {
                ProviderLookUp(
                    store: system.store, metrics: Metrics(), source: { isConfigured ? source : nil },
                    ask: { _, _ in await numbers.respond() })
            }
            try await body(make, numbers, system)
        }
    }

    @Test(
        arguments: [
            ("reachable", Reachability.reachable), ("unreachable", .unreachable(reason: "no network has it")),
            ("unknown", .unknown), ("garbage", .unknown), (nil, .unknown),
        ] as [(String?, Reachability)])
    func theAnswerIsTheProviders(word: String?, expected: Reachability) async throws {
        try await Self.run { make, numbers, _ async throws in
            numbers.answer(word)
            #expect(await make().reachability(of: Self.number) == expected)
        }
    }

    @Test func whatCannotExistIsNotAskedFor() async throws {
        try await Self.run { make, numbers, _ async throws in
            let answer = await make().reachability(of: try #require(PhoneNumber("+120155501234")))
            guard case .unreachable = answer else { throw Unexpected() }
            #expect(numbers.asked == 0)
        }
        try await Self.run(isConfigured: false) { make, numbers, _ async throws in
            #expect(await make().reachability(of: Self.number) == .unknown)
            #expect(numbers.asked == 0)
        }
    }

    @Test func anAnswerIsUsedAgainByAllProcessesWhileItIsYoung() async throws {
        try await Self.run { make, numbers, system async throws in
            let lookUp = make()
            for _ in 0..<3 { #expect(await lookUp.reachability(of: Self.number) == .reachable) }
            // Another process finds it in the database.
            #expect(await make().reachability(of: Self.number) == .reachable)
            #expect(numbers.asked == 1)
            _ = try await system.pool.execute("UPDATE look_ups SET asked_at = now() - interval '3601 s'")
            numbers.answer("unreachable")
            #expect(await make().facts(of: Self.number)?.reachability == .unreachable)
            #expect(numbers.asked == 2)
            #expect(try await system.count("SELECT count(*) FROM look_ups") == 1)
        }
    }

    @Test func thoseWhoAskAtOnceShareOneQuestion() async throws {
        try await Self.run { make, numbers, _ async throws in
            let lookUp = make()
            numbers.hold()
            try await withThrowingTaskGroup(of: Reachability.self) { group in
                for _ in 0..<20 { group.addTask { await lookUp.reachability(of: Self.number) } }
                while numbers.asked == 0 { try await Task.sleep(for: .milliseconds(2)) }
                numbers.release()
                for try await answer in group { #expect(answer == .reachable) }
            }
            #expect(numbers.asked == 1)
        }
    }

    @Test func aProviderThatHangsHoldsNobodyUpForLong() async throws {
        try await Self.run(timeLimit: .milliseconds(50)) { make, numbers, _ async throws in
            let lookUp = make()
            numbers.hold()
            #expect(await lookUp.reachability(of: Self.number) == .unknown)
            #expect(await lookUp.reachability(of: Self.number) == .unknown)
            numbers.release()
        }
    }

    @Test func aProviderThatFailsAgainAndAgainIsLeftAlone() async throws {
        try await Self.run { make, numbers, _ async throws in
            let lookUp = make()
            numbers.answer(nil)
            for _ in 0..<(LookUpState.failureLimit + 5) {
                #expect(await lookUp.reachability(of: Self.number) == .unknown)
            }
            #expect(numbers.asked == LookUpState.failureLimit)
        }
    }

    @Test func whoHasNothingToSayIsNotAskedAgainAndIsInNoTrouble() async throws {
        try await Self.run { make, numbers, _ async throws in
            let lookUp = make()
            numbers.answer("nothing")
            for _ in 0..<3 { #expect(await lookUp.reachability(of: Self.number) == .unknown) }
            #expect(numbers.asked == 1)
        }
    }

    @Test func afterAPauseOneGoesToSee() async {
        var state = LookUpState()
        let now = ContinuousClock.now
        let later = now + LookUpState.pause + .seconds(1)
        let others = (0..<3).compactMap { PhoneNumber("+4179123456\($0)") }
        _ = await withCheckedContinuation { (waiter: LookUpState.Waiter) in
            var flights: [UInt64] = []
            for number in others {
                guard case .begun(let flight) = state.join(number, waiter, now: now) else { continue }
                flights.append(flight)
                _ = state.giveUp(flight, number)
            }
            for _ in 0..<LookUpState.failureLimit {
                _ = state.end(0, Self.number, nil, keptFor: .zero, now: now)
            }
            if case .refused = state.join(others[0], waiter, now: now) {} else { Issue.record("asked in the pause") }
            if case .begun = state.join(others[0], waiter, now: later) {} else { Issue.record("nobody went to see") }
            if case .refused = state.join(others[1], waiter, now: later) {} else { Issue.record("two went to see") }
            _ = state.end(flights[0], Self.number, NumberFacts(reachability: .unknown), keptFor: .zero, now: later)
            if case .begun = state.join(others[2], waiter, now: later) {} else { Issue.record("still left alone") }
            waiter.resume(returning: nil)
        }
    }

    @Test func oldAnswersAreForgotten() async throws {
        try await Self.run { make, _, system async throws in
            _ = await make().reachability(of: Self.number)
            try await system.apply([
                "look_up": [
                    "kind": "vonage", "credentials": ["api_key": "k", "api_secret": "s"], "max_age": 3600,
                ]
            ])
            #expect(try await system.store.dropLookUps(limit: 10) == 0)
            _ = try await system.pool.execute("UPDATE look_ups SET asked_at = now() - interval '2 hours'")
            #expect(try await system.store.dropLookUps(limit: 10) == 1)
        }
    }

    private struct Unexpected: Error {}
}
