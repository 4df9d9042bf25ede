import HTTP
import JSON
import Messaging
import WebClient

/// One message in one request that a provider got.
struct ProviderCall: Sendable {
    var id: MessageID
    var began: ContinuousClock.Instant
    var ended: ContinuousClock.Instant
    var answer: Result<Int, WebClientError>
}

/// One receipt, as the table `receipts` has it.
struct ReportedReceipt: Hashable, Sendable, CustomStringConvertible {
    var message: String
    var part: String
    var status: String

    var description: String { "\(self.message) part \"\(self.part)\" \(self.status)" }
}

extension Tap {
    /// The messages in all requests to providers, in the order of their beginning.
    func calls() throws -> [ProviderCall] {
        try self.passages.flatMap { passage in
            try Self.references(in: passage.request).map { text in
                guard let reference = MessageReference(text) else { throw Failure("a provider was told \(text)") }
                return ProviderCall(
                    id: reference.id, began: passage.began, ended: passage.ended, answer: passage.answer)
            }
        }.sorted { $0.began < $1.began }
    }

    /// The receipts in all callbacks that were answered with 2xx.
    func acknowledgedReceipts() throws -> [ReportedReceipt] {
        try self.passages.filter(\.isAcknowledged).flatMap { try Self.receipts(in: $0.request) }
    }

    // MARK: - Private

    private static func references(in request: HTTPRequest) throws -> [String] {
        if request.path == "/sms/json" {
            return [Form(parsing: request.body)?["client-ref"] ?? ""]
        }
        let messages = try JSON(parsing: request.body)["messages"]?.array ?? []
        return messages.flatMap { $0["destinations"]?.array ?? [] }.map { $0["messageId"]?.string ?? "" }
    }

    private static func receipts(in request: HTTPRequest) throws -> [ReportedReceipt] {
        if let query = request.query, let form = Form(parsing: query) {
            return [
                ReportedReceipt(
                    message: form["client-ref"] ?? "", part: form["messageId"] ?? "", status: form["status"] ?? "")
            ]
        }
        return (try JSON(parsing: request.body)["results"]?.array ?? []).map { result in
            ReportedReceipt(
                message: result["messageId"]?.string ?? "", part: "", status: result["status"]?["name"]?.string ?? "")
        }
    }
}
