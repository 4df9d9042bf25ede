import HTTP
import JSON
import WebClient

/// What guesses at one code came to, as those who made them know it.
struct GuessOutcomes {
    var successes = 0
    /// The attempts that were left, by each guess that was wrong.
    var left: [Int64] = []
    /// Without an answer: charged or not.
    var lost = 0

    var evaluated: Int { self.successes + self.left.count }
}

/// What guesses came to, by whom the code was for.
struct GuessTally {
    private var outcomes: [String: GuessOutcomes] = [:]
    /// Guesses that were refused unevaluated, by the reason.
    private var refusals: [String: Int] = [:]

    /// `recipient`: a number, with or without its plus sign.
    func outcomes(of recipient: String) -> GuessOutcomes {
        self.outcomes[String(recipient.drop { $0 == "+" })] ?? GuessOutcomes()
    }

    var lost: Int { self.outcomes.values.reduce(0) { $0 + $1.lost } }

    var summary: String {
        let evaluated = self.outcomes.values.reduce(0) { $0 + $1.evaluated }
        let refused = self.refusals.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        return "\(evaluated) evaluated, \(self.lost) lost, refused \(refused)"
    }

    mutating func merge(_ other: GuessTally) {
        self.refusals.merge(other.refusals, uniquingKeysWith: +)
        self.outcomes.merge(other.outcomes) { own, others in
            GuessOutcomes(
                successes: own.successes + others.successes, left: own.left + others.left, lost: own.lost + others.lost)
        }
    }

    mutating func noteLoss(_ recipient: String) { self.outcomes[recipient, default: GuessOutcomes()].lost += 1 }

    /// Throws for an answer that a guess cannot have.
    mutating func note(_ response: HTTPResponse, _ recipient: String) throws {
        let json = try response.json
        switch (response.status, json["verified"]?.bool, json["pinError"]?.string) {
        case (200, true, nil): self.outcomes[recipient, default: GuessOutcomes()].successes += 1
        case (200, false, "WRONG_PIN"):
            guard let left = json["attemptsRemaining"]?.integer else { throw Failure("no attemptsRemaining: \(json)") }
            self.outcomes[recipient, default: GuessOutcomes()].left.append(left)
        case (200, false, "NO_MORE_PIN_ATTEMPTS"): self.refusals["spent", default: 0] += 1
        // When the database's answer is lost, the API cannot say either.
        case (503, _, _): self.noteLoss(recipient)
        default: throw Failure("a guess was answered with \(response.status) \(response.text)")
        }
    }
}

/// Somebody who guesses at codes of others, and now and then types the right one.
struct Guesser {
    let deployment: Deployment
    let codes: [ReceivedCode]
    var random: SeededRandom

    /// One guess of so many is right.
    private static let rightEvery = 8
    /// What is between two tries while nobody listens.
    private static let pause = Duration.milliseconds(20)
    private static let timeout = Duration.seconds(10)

    init(deployment: Deployment, codes: [ReceivedCode], seed: UInt64) {
        self.deployment = deployment
        self.codes = codes
        self.random = SeededRandom(seed: seed)
    }

    func guess(_ count: Int) async throws -> GuessTally {
        var random = self.random
        var tally = GuessTally()
        for _ in 0..<count {
            guard let target = self.codes.randomElement(using: &random) else { return tally }
            let isRight = Int.random(in: 0..<Self.rightEvery, using: &random) == 0
            let guess = isRight ? target.code : String(target.code.reversed()) + "X"
            let response: HTTPResponse
            do throws(WebClientError) {
                response = try await self.deployment.guess(guess, at: target.id, timeout: Self.timeout)
            } catch {
                if error.kind != .notSent { tally.noteLoss(target.recipient) }
                try await Task.sleep(for: Self.pause)
                continue
            }
            try tally.note(response, target.recipient)
        }
        return tally
    }
}
