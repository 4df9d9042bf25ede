import Crypto
import Messaging
import Store
import Telemetry

/// Looks up what a call says once it is answered.
struct Scripts: Sendable {
    let store: Store
    let masterKeys: MasterKeys
    let logger: Logger

    /// Nil when there is nothing to say any more: the message is over, or is none of this provider's.
    func speech(of id: MessageID, through provider: ProviderID) async throws -> Speech? {
        guard
            let stored = try await self.store.content(of: id, through: provider), !stored.state.isFinal,
            let sealed = stored.body
        else { return nil }
        let content = (try? self.masterKeys.open(sealed, for: id.sealingContext(account: stored.account))).flatMap {
            Content(decoding: $0, channel: stored.channel)
        }
        if content == nil {
            self.logger.error(
                "cannot open the body; is the master key the one it was sealed with?", ["message": "\(id)"])
        }
        return content?.spoken
    }
}
