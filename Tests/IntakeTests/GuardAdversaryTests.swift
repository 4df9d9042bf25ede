import Guard
import HTTP
import JSON
import Messaging
import Synchronization
import Testing
import Timestamps

@testable import Intake

/// Attacks on an account through its API, amid its ordinary traffic. How the guard decides is tested with millions of messages apart
/// from this; here it is that every request is judged and every use told.
@Suite(.timeLimit(.minutes(10))) struct GuardAdversaryTests {
    /// Time as the test has it go by.
    private final class Clock: Sendable {
        private let state = Mutex(Timestamp(seconds: 1_800_000_000))
        var now: Timestamp { self.state.withLock { $0 } }
        func pass(_ time: Duration) { self.state.withLock { $0 = $0 + time } }
    }

    /// What the attack would cost, at 0.05 a message.
    private struct Outcome {
        var sent = 0
        var refused: [String: Int] = [:]
        var customersSent = 0
        var customersRefused: [String] = []
    }

    private enum Attack: String, CaseIterable {
        case sequential, slow, aliases

        var count: Int { self == .slow ? 14_000 : 4000 }
        var pause: Duration { self == .slow ? .milliseconds(3600) : .milliseconds(100) }

        func number(_ index: Int) -> String {
            switch self {
            case .sequential: "+99255\(1_000_000 + index)"
            case .slow: "+99255\(1000 + index % 1000)\(100 + index / 1000 * 37)"
            case .aliases: index % 2 == 0 ? "+447500123456" : "+4407500123456"
            }
        }
    }

    /// With the guard off (`watch`) this is red: all of it is sent.
    @Test(arguments: Attack.allCases, ["enforce"]) private func anAttackIsStoppedAndCustomersAreNot(
        attack: Attack, mode: String
    ) async throws {
        let clock = Clock()
        let configuration = GuardFixture.configuration(["*": "on"], guard: ["mode": .string(mode)])
        try await GuardFixture.run(configuration, clock: { clock.now }) { fixture async throws in
            let outcome = try await Self.run(attack, fixture, clock)
            #expect(outcome.sent * 100 < attack.count, "\(outcome.sent) of \(attack.count): \(outcome.refused)")
            #expect(outcome.sent + outcome.refused.values.reduce(0, +) == attack.count)
            #expect(outcome.customersRefused == [])
            #expect(outcome.customersSent >= 60)
        }
    }

    private static func run(_ attack: Attack, _ fixture: GuardFixture, _ clock: Clock) async throws -> Outcome {
        var outcome = Outcome()
        var random = SplitMix(seed: 11)
        for index in 0..<attack.count {
            clock.pass(attack.pause)
            let answer = await fixture.attack(attack.number(index))
            if answer.status == 202 {
                outcome.sent += 1
            } else {
                outcome.refused[answer.code ?? "", default: 0] += 1
            }
            guard index % 60 == 0 else { continue }
            try await Self.logIn(fixture, &random, &outcome)
        }
        return outcome
    }

    /// Somebody in one of four countries gets a code, and of ten about eight use it.
    private static func logIn(
        _ fixture: GuardFixture, _ random: inout SplitMix, _ outcome: inout Outcome
    ) async throws {
        let places = [("+4474", 8), ("+4179", 7), ("+4915", 9), ("+1201", 7)]
        let (prefix, digits) = places[Int.random(in: 0..<places.count, using: &random)]
        let number = prefix + (0..<digits).map { _ in "\(Int.random(in: 2...9, using: &random))" }.joined()
        let caller: JSON = ["address": .string("203.0.113.\(Int.random(in: 0...255, using: &random))")]
        let answer = await fixture.start(number, caller: caller)
        guard let id = answer.json["id"]?.string else { return outcome.customersRefused.append(answer.text) }
        outcome.customersSent += 1
        guard Int.random(in: 0..<10, using: &random) < 8 else { return }
        let code = try await Codes.code(of: id, fixture)
        let check = await fixture.post("/v1/verifications/\(id)/check", ["code": .string(code), "caller": caller])
        #expect(check.json["valid"] == true, "\(check.text)")
    }

    /// Five guesses at the codes of each of many numbers, from a hundred addresses.
    @Test func sprayedGuessesAreStopped() async throws {
        let clock = Clock()
        let configuration = GuardFixture.configuration(["*": "on"], guard: ["ahead": 100_000])
        try await GuardFixture.run(configuration, clock: { clock.now }) { fixture async throws in
            var evaluated = 0
            var ids: [String] = []
            var random = SplitMix(seed: 5)
            for _ in 0..<200 {
                let digits = (0..<8).map { _ in "\(Int.random(in: 2...9, using: &random))" }.joined()
                ids.append(try #require(await fixture.start("+4474\(digits)").json["id"]?.string))
            }
            for guess in 0..<5 {
                for (place, id) in ids.enumerated() {
                    clock.pass(.milliseconds(500))
                    let caller: JSON = ["address": .string("198.51.100.\((place + guess) % 20)")]
                    let answer = await fixture.post("/v1/verifications/\(id)/check", ["code": "x", "caller": caller])
                    if answer.status == 200 { evaluated += 1 } else { #expect(answer.code == "wrong_guesses") }
                }
            }
            #expect(evaluated < 100, "of a thousand")
            #expect(await fixture.start("+447911234567", caller: ["address": "203.0.113.9"]).status == 202)
        }
    }
}

extension GuardFixture {
    /// As ``start(_:caller:)``, without looking the answer over, of which there are many.
    fileprivate func attack(_ number: String) async -> HTTPResponse {
        let body: JSON = [
            "application": .string(Self.application), "template": .string(Self.template), "to": .string(number),
        ]
        return await self.base.intake.respond(
            to: HTTPRequest(
                method: "POST", path: "/v1/verifications", fields: ["Authorization": "Bearer \(Self.key)"],
                body: body.serialized()))
    }
}

/// The same numbers each time.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var word = self.state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
