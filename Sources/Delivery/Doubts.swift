import Channels
import Messaging
import Routing
import Store
import WebClient

/// Asks, before a message is sent again that may have been sent already, whether its provider has it.
///
/// Only a provider that goes by our reference can tell: an answer that was lost held the only other name of the message.
struct Doubts: Sendable {
    /// Inquiries of one batch, all at once; what is beyond is sent again without asking, under the same reference.
    static let inquiryLimit = 20
    /// A code that waits for this waits for a second text, so it is short.
    static let timeout = Duration.seconds(1)

    let client: WebClient

    /// The messages of a batch that the provider has already.
    func settled(_ claims: [Claim], by driver: any Driver) async -> Set<MessageID> {
        // One that has come from another provider is new here.
        let doubtful = claims.filter { $0.state == .unknown && $0.tried.rawValue == 0 }.prefix(Self.inquiryLimit)
        guard !doubtful.isEmpty, case .http(let driver) = driver.wire else { return [] }
        let inquirer = Inquirer(driver: driver, client: self.client, timeout: Self.timeout)
        return await withTaskGroup(of: MessageID?.self) { group in
            for claim in doubtful { group.addTask { await self.has(claim, inquirer) ? claim.id : nil } }
            return await group.reduce(into: []) { known, id in if let id { known.insert(id) } }
        }
    }

    private func has(_ claim: Claim, _ inquirer: Inquirer) async -> Bool {
        guard let recipient = Recipient(claim.recipient, channel: claim.channel) else { return false }
        let inquiry = Inquiry(reference: claim.reference, parts: [], recipient: recipient)
        guard case .told? = await inquirer.ask(inquiry) else { return false }
        return true
    }
}
