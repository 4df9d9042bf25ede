import Channels
import Polling
import ReceiptKeeping
import Store
import Telemetry
import WebClient

/// Makes the transport for each provider that comes into service.
struct Transports: Sendable {
    let client: WebClient
    let poller: Poller
    /// Takes the receipts that come over sessions.
    let keeper: ReceiptKeeper
    let smppMetrics: SMPPMetrics
    let logger: Logger

    func make(_ configured: ConfiguredProvider) -> any Transport {
        switch configured.driver.wire {
        case .http(let driver):
            HTTPTransport(
                provider: configured.provider.name, driver: driver, client: self.client, logger: self.logger)
        case .smtp(let driver):
            SMTPTransport(provider: configured.provider.name, driver: driver, logger: self.logger)
        case .smpp(let driver):
            SMPPTransport(
                provider: configured.provider, driver: driver, poller: self.poller, keeper: self.keeper,
                metrics: self.smppMetrics, logger: self.logger)
        case .nowhere: NowhereTransport()
        }
    }
}
