import Channels
import Messaging
import Store
import Telemetry
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
    let store: Store
    let lanes: [Lane]
    let logger: Logger

    /// What the provider says of those of these messages that it knows.
    func outcomes(of claims: [Claim], by outlet: Outlet) async -> [MessageID: Outcome] {
        guard !claims.isEmpty, case .http(let driver) = outlet.driver.wire else { return [:] }
        let inquirer = Inquirer(driver: driver, client: self.client, timeout: Self.timeout)
        return await withTaskGroup(of: (MessageID, Outcome?).self) { group in
            for claim in claims.prefix(Self.inquiryLimit) {
                group.addTask { (claim.id, await self.outcome(of: claim, inquirer)) }
            }
            return await group.reduce(into: [:]) { known, told in known[told.0] = told.1 }
        }
    }

    // MARK: - Private

    /// Nil when it knows nothing of the message. A report of failure is what came of the attempt; all others are kept as receipts, for
    /// some providers give each out but once, and whatever message it is of.
    private func outcome(of claim: Claim, _ inquirer: Inquirer) async -> Outcome? {
        guard let recipient = Recipient(claim.recipient, channel: claim.channel) else { return nil }
        let inquiry = Inquiry(reference: claim.reference, parts: [], recipient: recipient)
        let receipts = await inquirer.ask(inquiry)?.receipts ?? []
        let ours = receipts.filter { $0.message?.id == claim.id }
        let failure = ours.first { $0.verdict.state.messageState == .undelivered }
        await self.keep(receipts.filter { $0 != failure }, claim.provider)
        if let failure { return .refused(failure.verdict, code: failure.code, retryAfter: nil) }
        return ours.isEmpty ? nil : .accepted(parts: [])
    }

    private func keep(_ receipts: [Receipt], _ provider: ProviderID) async {
        guard !receipts.isEmpty else { return }
        do {
            let receipts = receipts.map { IncomingReceipt(provider: provider, receipt: $0) }
            _ = try await self.store.apply(receipts, lanes: self.lanes)
        } catch {
            self.logger.warning("could not store what a provider answered", ["error": "\(error)"])
        }
    }
}
