public import Messaging

/// Where an event goes, and in whose words.
public struct CallbackEndpoint: Sendable {
    public var kind: EndpointKind
    /// Where this event goes, whole: of an endpoint that is but an origin, with what the message has behind it.
    public var url: String
    /// Each kind documents its names.
    public var settings: [String: String]
    public var secrets: CallbackSecrets

    public init(
        kind: EndpointKind, url: String, settings: [String: String] = [:],
        secrets: CallbackSecrets = CallbackSecrets()
    ) {
        self.kind = kind
        self.url = url
        self.settings = settings
        self.secrets = secrets
    }
}

extension CallbackEndpoint: CustomStringConvertible, CustomReflectable {
    /// The kind: paths and queries of customers hold tokens.
    public var description: String { "endpoint of the kind \(self.kind.rawValue)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
