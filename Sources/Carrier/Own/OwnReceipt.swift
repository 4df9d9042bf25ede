import HTTP
import JSON
import Messaging
import Timestamps
import WebClient

/// A receipt by the carrier's own contract: one POST a message. Its proof is the address, which only the carrier was told.
struct OwnReceipt {
    var receipt: CarrierReceipt
    var now: Timestamp

    func request(to url: String) -> WebRequest {
        let (status, code) = self.words
        let body: JSON = [
            "reference": .string(self.receipt.message.reference ?? ""), "id": .string(self.receipt.id),
            "status": .string(status), "code": .string(code), "at": "\(self.now)",
        ]
        return WebRequest(
            method: "POST", url: url, fields: ["Content-Type": "application/json"], body: body.serialized())
    }

    private var words: (status: String, code: String) {
        switch self.receipt.outcome {
        case .delivered: ("delivered", "")
        case .onTheWay: ("on_the_way", "")
        case .failed(let code):
            ("failed", code ?? (self.receipt.message.content.channel == .email ? "hard_bounce" : "no_answer"))
        }
    }
}
