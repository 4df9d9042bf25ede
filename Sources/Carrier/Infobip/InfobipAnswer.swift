import HTTP
import JSON

/// What Infobip's SMS API v3 answers.
enum InfobipAnswer {
    struct Entry {
        var id: String
        var destination: String
        var status: InfobipStatus
        var segments: Int
    }

    static func entries(_ entries: [Entry], bulk: String, withCount: Bool) -> HTTPResponse {
        let messages = entries.map { entry in
            JSON.object(
                [
                    JSON.Member("messageId", .string(entry.id)), JSON.Member("status", entry.status.json),
                    JSON.Member("destination", .string(entry.destination)),
                    withCount ? JSON.Member("details", ["messageCount": JSON(entry.segments)]) : nil,
                ].compactMap(\.self)
            )
        }
        return .json(200, ["bulkId": .string(bulk), "messages": .array(messages)])
    }

    static func problem(_ problem: InfobipProblem) -> HTTPResponse {
        self.failure(
            400, "E400", "Request cannot be processed.", "Check the request parameters and try again.",
            violations: [["property": .string(problem.property), "violation": .string(problem.violation)]]
        )
    }

    static let unauthorized = Self.failure(
        401, "E401", "The request lacks valid authentication credentials.", "Check the authentication."
    )

    static let internalError = Self.failure(500, "E500", "Something went wrong.", "Contact support.")

    /// `Retry-After` is in whole seconds, so the wait is rounded up.
    static func throttled(milliseconds: Int) -> HTTPResponse {
        var response = self.failure(429, "E429", "Too many requests sent.", "Reduce the number of requests.")
        response.fields["Retry-After"] = "\((milliseconds + 999) / 1000)"
        return response
    }

    private static func failure(
        _ status: Int, _ code: String, _ description: String, _ action: String, violations: [JSON] = []
    ) -> HTTPResponse {
        .json(
            status,
            [
                "errorCode": .string(code), "description": .string(description), "action": .string(action),
                "violations": .array(violations), "resources": [],
            ]
        )
    }
}
