import Crypto
import HTTP
import JSON
import Timestamps
import WebClient

/// Receipts as Infobip pushes them: an array of reports in one POST.
struct InfobipReport {
    var receipts: [CarrierReceipt]
    var now: Timestamp

    func request(to url: String, from account: Carrier.Configuration.Infobip) -> WebRequest {
        var fields: HTTPFields = ["Content-Type": "application/json"]
        switch account.receiptAuthorization {
        case .none: break
        case .basic(let user, let password):
            fields["Authorization"] =
                "Basic \(Base64.encode(Array(user.utf8) + [UInt8(ascii: ":")] + password.reveal()))"
        case .header(let name, let value): fields[name] = value.text
        }
        return WebRequest(method: "POST", url: url, fields: fields, body: self.body.serialized())
    }

    /// Also what is given out to who asks.
    var body: JSON { ["results": .array(self.receipts.map(self.report))] }

    private func report(_ receipt: CarrierReceipt) -> JSON {
        let message = receipt.message
        let (status, error) = Self.words(for: receipt.outcome)
        return .object(
            [
                message.bulk.map { JSON.Member("bulkId", .string($0)) }, JSON.Member("messageId", .string(receipt.id)),
                JSON.Member("to", .string(String(message.to.dropFirst()))),
                JSON.Member("sender", .string(message.from)),
                JSON.Member("sentAt", .string(Self.date(message.takenAt))),
                JSON.Member("doneAt", .string(Self.date(self.now))),
                JSON.Member("messageCount", JSON(message.segments)), JSON.Member("mccMnc", "22801"),
                message.echo.map { JSON.Member("callbackData", .string($0)) },
                JSON.Member("price", ["pricePerMessage": 0.01, "currency": "EUR"]), JSON.Member("status", status.json),
                JSON.Member("error", error.json),
            ].compactMap(\.self)
        )
    }

    private static func words(for outcome: CarrierReceipt.Outcome) -> (InfobipStatus, InfobipError) {
        switch outcome {
        case .delivered: (.deliveredToHandset, .none)
        case .onTheWay: (.deliveredToOperator, .none)
        case .failed(let code): (.notDelivered, .asked(code))
        }
    }

    /// As in `2019-11-09T16:00:00.000+0100`: an offset without a colon.
    private static func date(_ time: Timestamp) -> String { "\(time.description.dropLast())+0000" }
}
