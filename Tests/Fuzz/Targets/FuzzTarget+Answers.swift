import Channels
import HTTP
import Messaging

extension FuzzTarget {
    /// Providers' answers: `KIND STATUS COUNT`, fields and a body. Each message that was handed over gets one outcome, with
    /// which the policy can do something.
    static let answers = FuzzTarget(name: "answers") { bytes in
        let message = FuzzMessage(bytes)
        guard case .http(let driver)? = FuzzAccounts.driver(message.word(0))?.wire else { return }
        let response = HTTPResponse(
            status: Int(message.word(1)).map { min(max($0, 200), 599) } ?? 200, fields: message.fields,
            body: message.body)
        let count = min(max(Int(message.word(2)) ?? 1, 1), min(driver.batchLimit, 4))
        for dispatches in Self.dispatches(count, channels: driver.channels) {
            let outcomes = driver.outcomes(for: dispatches, response: response)
            try promise("each message has an outcome", outcomes.count == dispatches.count)
            for outcome in outcomes { try Self.check(outcome) }
        }
        let inquiry = Inquiry(reference: reference(0), parts: ["0A0000001234567B"], recipient: .phone(Self.number))
        if driver.request(for: inquiry, now: Self.now) != nil {
            for receipt in driver.receipts(for: inquiry, response: response) {
                for text in [receipt.part, receipt.status, receipt.code] { try Self.checkStored(text) }
            }
        }
    }

    // MARK: - Private

    /// Ten digits behind the plus are always a number.
    private static let number = PhoneNumber("+447700900000")!
    private static let policy = RetryPolicy()

    private static func reference(_ index: Int) -> MessageReference {
        MessageReference(
            id: MessageID(high: 0x0192_D1E4_7000_7000, low: 0x8000_0000_0000_0001 + UInt64(index)), series: 1)
    }

    /// So many messages on each of the channels.
    private static func dispatches(_ count: Int, channels: Set<Channel>) -> [[Dispatch]] {
        channels.map { channel in
            (0..<count).map { index in
                Dispatch(
                    reference: self.reference(index), recipient: self.recipient(channel),
                    content: self.content(channel),
                    validity: .seconds(180))
            }
        }
    }

    private static func recipient(_ channel: Channel) -> Recipient {
        // A literal that is an address.
        channel == .email ? .email(EmailAddress("anna@example.com")!) : .phone(self.number)
    }

    private static func content(_ channel: Channel) -> Content {
        switch channel {
        case .sms: .text(TextContent("Your code is 123456"))
        case .voice: .speech(Speech("1, 2, 3"))
        case .email: .mail(Mail(subject: "Code", text: "123456"))
        }
    }

    private static func check(_ outcome: Outcome) throws {
        switch outcome {
        case .accepted(let parts):
            try promise("parts have a limit", parts.count <= 4096)
            for part in parts { try Self.checkStored(part) }
        case .refused(_, let code, let wait):
            try Self.checkStored(code)
            try promise("nobody waits for the past", wait.map { $0 >= .zero } ?? true)
        case .notSent: throw BrokenPromise(description: "what was answered was sent")
        case .unanswered: break
        }
        for priority in Priority.allCases { try Self.checkSettlement(outcome, priority) }
    }

    private static func checkSettlement(_ outcome: Outcome, _ priority: Priority) throws {
        let settlement = self.policy.settle(
            outcome, attempt: 1, series: 1, priority: priority, remaining: .seconds(100_000), random: 0.5)
        guard case .retry(let delay, _, _, _) = settlement else { return }
        try promise("a delay has a limit", delay >= .zero && delay <= .seconds(900))
    }
}
