import HTTP
import JSON

/// What Vonage's SMS API answers: always 200, all values strings, one entry a part.
enum VonageAnswer {
    static func taken(_ message: TakenMessage) -> HTTPResponse {
        self.response(
            message.ids.map { id in
                .object(
                    [
                        JSON.Member("to", .string(String(message.to.dropFirst()))),
                        JSON.Member("message-id", .string(id)), JSON.Member("status", "0"),
                        JSON.Member("remaining-balance", "100.00000000"), JSON.Member("message-price", "0.03330000"),
                        JSON.Member("network", "22801"),
                        message.reference.map { JSON.Member("client-ref", .string($0)) },
                    ].compactMap(\.self)
                )
            }
        )
    }

    static func refused(_ refusal: VonageRefusal) -> HTTPResponse {
        self.response([["status": .string(refusal.status), "error-text": .string(refusal.text)]])
    }

    private static func response(_ messages: [JSON]) -> HTTPResponse {
        .json(200, ["message-count": "\(messages.count)", "messages": .array(messages)])
    }
}
