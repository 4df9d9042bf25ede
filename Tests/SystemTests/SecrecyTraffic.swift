import Crypto
import HTTP
import JSON

/// What nobody may find who reads files, logs and metrics.
struct Confidential: Sendable {
    var codes: [String] = []
    /// What was typed, and is wrong.
    var guesses: [String] = []
    /// Numbers without their plus signs, and addresses. They do stand in the database.
    var recipients: [String] = []
    /// Those of ``codes`` that are left to expire.
    var shortLived: [ReceivedCode] = []

    /// Stands in every text and placeholder.
    static let canary = "kanarienvogel"

    mutating func merge(_ other: Confidential) {
        self.codes += other.codes
        self.guesses += other.guesses
        self.recipients += other.recipients
        self.shortLived += other.shortLived
    }

    /// As they are, as they are spoken, and as PostgreSQL prints bytes.
    var forms: [String] {
        let plain = self.codes + self.guesses + [Self.canary]
        let spoken = self.codes.map { $0.map(String.init).joined(separator: ", ") }
        return plain + spoken + plain.map { Hex.encode(Array($0.utf8)) }
    }
}

/// Codes and messages by every channel, that come to every end.
struct SecrecyTraffic {
    let deployment: Deployment
    /// Of messages: stored as it is.
    let reference: String

    /// Stands in a template: customers' configuration, which is in the database as it is, and nowhere else.
    static let templateWord = "nachtigall"
    private static let inParallel = 12
    /// Long enough to arrive, and short enough to wait for.
    private static let shortLife = "8s"
    /// How long at most a short life is waited for.
    private static let expiryTime = Duration.seconds(60)

    /// Sends a code for each of `numbers`, and a message now and then.
    func run(_ numbers: Range<Int>) async throws -> Confidential {
        let text = "Code {{pin}}! \(Self.templateWord) {{word}}"
        let setup = try await self.deployment.makeCodeSetup(["pinAttempts": 3], text: text)
        let short = try await self.deployment.makeCodeSetup(["pinTimeToLive": .string(Self.shortLife)], text: text)
        let secrets = try await withThrowingTaskGroup(of: Confidential.self) { group in
            var secrets = Confidential()
            for number in numbers {
                if number - numbers.lowerBound >= Self.inParallel { secrets.merge(try await group.next() ?? .init()) }
                group.addTask { try await self.send(number, setup, short) }
            }
            return try await group.reduce(into: secrets) { $0.merge($1) }
        }
        for sent in secrets.shortLived { try await self.outlive(sent) }
        return secrets
    }

    // MARK: - Private

    private static func recipient(_ number: Int, _ path: String) -> String {
        path == "/email" ? "anna.berg\(number)@example.com" : "4179\(3_000_000 + number)"
    }

    private func send(_ number: Int, _ setup: CodeSetup, _ short: CodeSetup) async throws -> Confidential {
        let path = ["", "/voice", "/email"][number % 3]
        let end = number % 5
        let sent = try await self.deployment.sendCode(
            end == 4 ? short : setup, by: path, to: Self.recipient(number, path),
            word: "\(Confidential.canary)\(number)")
        var secrets = Confidential(codes: [sent.code], recipients: [sent.recipient])
        let wrong = String(sent.code.reversed()) + "7"
        switch end {
        case 0: try await self.guess(sent.code, at: sent, expecting: nil)
        case 1:
            secrets.guesses.append(wrong)
            try await self.guess(wrong, at: sent, expecting: "WRONG_PIN")
            try await self.resend(sent, by: path)
            try await self.guess(sent.code, at: sent, expecting: nil)
        case 2:
            secrets.guesses.append(wrong)
            for _ in 0..<3 { try await self.guess(wrong, at: sent, expecting: "WRONG_PIN") }
            try await self.guess(sent.code, at: sent, expecting: "NO_MORE_PIN_ATTEMPTS")
        case 3: try await self.message(number)
        default: secrets.shortLived.append(sent)
        }
        return secrets
    }

    /// `error`: the `pinError`; nil for a code that is right.
    private func guess(_ guess: String, at sent: ReceivedCode, expecting error: String?) async throws {
        let response = try await self.deployment.guess(guess, at: sent.id)
        let answer = try response.json
        guard response.status == 200, answer["pinError"]?.string == error else {
            throw Failure("a guess was answered with \(response.status) \(response.text)")
        }
    }

    private func resend(_ sent: ReceivedCode, by path: String) async throws {
        _ = try await self.deployment.infobip("POST", "/pin/\(sent.id)/resend\(path)", [:])
        try await eventually("\(sent.recipient) has it again") {
            try await self.deployment.inbox(of: sent.recipient).count == 2
        }
    }

    private func outlive(_ sent: ReceivedCode) async throws {
        try await eventually("the code has expired", within: Self.expiryTime) {
            let answer = try await self.deployment.guess(sent.code, at: sent.id).json
            return answer["pinError"]?.string == "TTL_EXPIRED"
        }
    }

    /// Through our own API, by each channel in turn.
    private func message(_ number: Int) async throws {
        let text = JSON.string("\(Confidential.canary) \(number)")
        let number = JSON.string("+4179\(4_000_000 + number)")
        let reference = JSON.string(self.reference)
        let messages: [JSON] = [
            ["to": number, "body": text, "reference": reference],
            ["channel": "voice", "to": number, "body": text, "reference": reference],
            ["channel": "email", "to": "carl@example.com", "subject": text, "body": text, "reference": reference],
        ]
        for message in messages { _ = try await self.deployment.accept(message) }
    }
}
