import Channels
import Messaging
import Timestamps
import WebClient

/// Asks one provider what became of messages.
struct Inquirer: Sendable {
    let driver: any HTTPDriver
    let client: WebClient
    let timeout: Duration

    enum Answer: Sendable {
        /// It told of the message.
        case told([Receipt])
        /// It knows nothing of it, or nothing that we can read.
        case nothing
        /// No answer came.
        case none

        var receipts: [Receipt] { if case .told(let receipts) = self { receipts } else { [] } }

        /// For metrics.
        var name: String {
            switch self {
            case .told: "told"
            case .nothing: "nothing"
            case .none: "none"
            }
        }
    }

    /// Nil when the provider cannot be asked, or not about this message.
    func ask(_ inquiry: Inquiry) async -> Answer? {
        guard let outgoing = self.driver.request(for: inquiry, now: .now) else { return nil }
        guard let response = try? await self.client.send(WebRequest(outgoing, timeout: self.timeout)) else {
            return Answer.none
        }
        let receipts = self.driver.receipts(for: inquiry, response: response).map { receipt in
            var receipt = receipt
            // We know which message we asked about.
            receipt.message = receipt.message ?? inquiry.reference
            return receipt
        }
        return receipts.isEmpty ? .nothing : .told(receipts)
    }
}
