import Callbacks
import Egress
import JSON
import Messaging
import Telling
import Timestamps
import Verification

/// Reads what our own API is told of webhooks, and finds every problem at once.
enum WebhookReader {
    /// A new webhook, and the secret that it is to have.
    static func new(
        _ json: JSON, policy: EgressPolicy
    ) throws(Problem) -> (fields: EndpointFields, key: CallbackSecrets.SigningKey?) {
        try Self.read(json, known: EndpointFields.names.union(["secret"])) { reader in
            let key = reader.parsed(json, "secret", expected: "whsec_ and base64 of 24 to 64 bytes", at: "") {
                CallbackSecrets.SigningKey(text: $0)
            }
            let fields = EndpointFields(json, kind: .standard, urlRequired: true, policy: policy, reader: &reader)
            return (fields, key)
        }
    }

    static func change(
        _ json: JSON, of kind: EndpointKind, policy: EgressPolicy
    ) throws(Problem) -> EndpointFields {
        try Self.read(json, known: EndpointFields.names) { reader in
            EndpointFields(json, kind: kind, urlRequired: false, policy: policy, reader: &reader)
        }
    }

    /// How long the secrets before a new one go on signing.
    static func overlap(_ json: JSON) throws(Problem) -> Duration {
        try Self.read(json, known: ["overlap"]) { reader in
            reader.parsed(json, "overlap", expected: "a time such as 24h, from 0s to 7d", at: "", Self.overlap)
                ?? CallbackSecrets.overlap
        }
    }

    /// Since when events are told again, and behind which of them.
    static func replay(_ json: JSON, lanes: [Lane]) throws(Problem) -> (since: Timestamp, after: EventID?) {
        let read = try Self.read(json, known: ["since", "continue_from"]) { reader in
            let since = reader.parsed(json, "since", expected: "a time in RFC 3339", required: true, at: "") {
                Timestamp($0)
            }
            let after = reader.parsed(json, "continue_from", expected: "what a replay has answered", at: "") { text in
                EventID(text).flatMap { lanes.contains($0.lane) ? $0 : nil }
            }
            return (since: since, after: after)
        }
        guard let since = read.since else { throw .invalid([.init("/since", "is required")]) }
        return (since, read.after)
    }

    /// The webhook that one event is told to.
    static func webhook(_ json: JSON) throws(Problem) -> String {
        try Self.read(json, known: ["webhook"]) { reader in
            reader.string(json, "webhook", required: true, at: "") ?? ""
        }
    }

    // MARK: - Private

    private static let longestOverlap = Duration.seconds(7 * 86_400)

    private static func overlap(_ text: String) -> Duration? {
        ["0", "0s"].contains(text) ? .zero : Period(text, ceiling: Self.longestOverlap)?.duration
    }

    private static func read<Value>(
        _ json: JSON, known: Set<String>, _ body: (inout FieldReader) -> Value
    ) throws(Problem) -> Value {
        var reader = FieldReader()
        guard reader.isObject(json, known: known, at: "") else { throw .invalid(reader.problems) }
        let value = body(&reader)
        guard reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return value
    }
}
