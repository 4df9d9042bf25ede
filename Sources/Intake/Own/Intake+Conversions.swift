import HTTP
import JSON
import Messaging
import Store
import Timestamps

// Whether messages did what they were sent for.
extension Intake {
    /// A report of this may be so far ahead, for clocks that differ.
    private static let conversionFuture = Duration.seconds(60)

    /// `POST /v1/messages/{id}/conversion`.
    func answerConversion(_ id: MessageID?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let account = try self.principal(of: request, with: .send, .verify).account
        let (converted, moment) = try Self.conversion(request.json)
        guard let id else { throw .notFound }
        let report = ConversionReport(message: id, account: account, converted: converted, at: moment)
        guard try await self.conversions.report(report) else { throw .notFound }
        return Self.ok(["id": .string("\(id)"), "converted": .bool(converted)])
    }

    private static func conversion(_ json: JSON) throws(Problem) -> (converted: Bool, at: Timestamp?) {
        var reader = FieldReader()
        _ = reader.isObject(json, known: ["converted", "at"], at: "")
        let converted = reader.flag(json, "converted", at: "")
        if json.members != nil { _ = reader.value(json, "converted", required: true, at: "") }
        let moment = reader.parsed(
            json, "at", expected: "a time in RFC 3339 that is not to come, as in 2026-11-21T09:15:00Z", at: ""
        ) { Timestamp($0).flatMap { $0 <= .now + Self.conversionFuture ? $0 : nil } }
        guard let converted, reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return (converted, moment)
    }
}
