import Crypto
import HTTP
import JSON
import WebClient

/// Messages of two accounts and codes that come to every end, while workers are killed.
struct EventLoad {
    let deployment: Deployment
    /// Of the second account.
    let secondKey: String

    static let messages = 200
    static let codes = 60
    private static let interval = Duration.milliseconds(80)
    private static let codesInParallel = 6
    /// Of codes that nobody types.
    private static let shortLife = "8s"

    func run() async throws {
        let setup = try await self.deployment.makeCodeSetup(["pinAttempts": 3])
        let short = try await self.deployment.makeCodeSetup(["pinTimeToLive": .string(Self.shortLife)])
        async let messages: Void = self.sendMessages()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<Self.codes {
                if number >= Self.codesInParallel { try await group.next() }
                group.addTask { try await self.sendCode(number, setup, short) }
            }
            try await group.waitForAll()
        }
        try await messages
    }

    // MARK: - Private

    /// To either provider in turn, for either account in turn.
    private func sendMessages() async throws {
        for number in 0..<Self.messages {
            let to = number % 4 < 2 ? "+4179\(6_000_000 + number)" : "+4917\(60_000_000 + number)"
            let response = try await self.deployment.api(
                "POST", "/v1/messages",
                body: ["to": .string(to), "body": "Your code is 493817", "reference": .string("order-\(number)")],
                key: number.isMultiple(of: 2) ? nil : self.secondKey)
            guard response.status == 202 else { throw Failure("not accepted: \(response.status) \(response.text)") }
            try await Task.sleep(for: Self.interval)
        }
    }

    private func sendCode(_ number: Int, _ setup: CodeSetup, _ short: CodeSetup) async throws {
        let recipient = "4179\(7_000_000 + number)"
        guard number % 4 < 3 else { return try await self.sendUnread(short, to: recipient) }
        let sent = try await self.deployment.sendCode(setup, to: recipient)
        let guesses = number % 4 < 2 ? [sent.code] : Array(repeating: String(sent.code.reversed()) + "X", count: 3)
        for guess in guesses {
            let response = try await self.deployment.guess(guess, at: sent.id)
            guard response.status == 200 else { throw Failure("a guess: \(response.status) \(response.text)") }
        }
    }

    private func sendUnread(_ setup: CodeSetup, to recipient: String) async throws {
        _ = try await self.deployment.infobip(
            "POST", "/pin",
            [
                "applicationId": .string(setup.application), "messageId": .string(setup.textTemplate),
                "to": .string(recipient),
            ])
    }
}
