import Channels
import Messaging
import Telemetry
import Timestamps
import WebClient

/// For ``Wire/http(_:)``: a request for each call.
struct HTTPTransport: Transport {
    /// For log lines.
    let provider: String
    let driver: any HTTPDriver
    let client: WebClient
    let logger: Logger

    func outcomes(of dispatches: [Dispatch], timeout: Duration) async -> [Outcome] {
        let outgoing = self.driver.request(for: dispatches, now: .now)
        do {
            let response = try await self.client.send(WebRequest(outgoing, timeout: timeout))
            return self.driver.outcomes(for: dispatches, response: response)
        } catch {
            self.logger.warning("no answer from the provider", ["provider": self.provider, "error": error.reason])
            return dispatches.map { _ in error.outcome }
        }
    }
}

extension WebRequest {
    init(_ outgoing: OutgoingRequest, timeout: Duration) {
        self.init(
            method: outgoing.method, url: outgoing.url, fields: outgoing.fields, body: outgoing.body, timeout: timeout)
    }
}

extension WebClientError {
    /// What this failure means for the message: only a request that surely was not processed may be repeated freely.
    var outcome: Outcome {
        switch self.kind {
        case .notSent, .forbidden: .notSent(.networkTimeout)
        case .answerLost, .cancelled: .unanswered(.networkTimeout)
        // It answers, and says nothing that could be an answer.
        case .tooLarge: .unanswered(.providerError)
        }
    }
}
