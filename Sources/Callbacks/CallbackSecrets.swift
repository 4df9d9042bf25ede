import Channels
import Crypto
public import JSON
public import Timestamps

/// What signs and authenticates the requests to an endpoint: the object that is sealed in `endpoints.secrets`.
public struct CallbackSecrets: Sendable, Equatable {
    /// Of the kind `standard`, the newest first.
    public var signingKeys: [SigningKey]
    /// Of the other kinds, by names that each documents.
    public var fields: [String: String]

    public init(signingKeys: [SigningKey] = [], fields: [String: String] = [:]) {
        self.signingKeys = signingKeys
        self.fields = fields
    }

    /// Reads what ``json`` writes. Nil for anything else.
    public init?(_ json: JSON) {
        guard let members = json.members else { return nil }
        self.init()
        for member in members {
            switch member.name {
            case "signing_keys":
                guard let keys = member.value.array else { return nil }
                for key in keys {
                    guard let key = SigningKey(key) else { return nil }
                    self.signingKeys.append(key)
                }
            case "fields":
                guard let fields = member.value.members else { return nil }
                for field in fields {
                    guard let text = field.value.string else { return nil }
                    self.fields[field.name] = text
                }
            default: return nil
            }
        }
    }

    public var json: JSON {
        [
            "signing_keys": .array(self.signingKeys.map(\.json)),
            "fields": .object(self.fields.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }),
        ]
    }

    /// The keys that sign at `now`. The newest always does: an event without a signature is one that nobody takes.
    public func liveKeys(at now: Timestamp) -> [SigningKey] {
        self.signingKeys.prefix(1)
            + self.signingKeys.dropFirst().filter { key in key.expiresAt.map { now < $0 } ?? true }
    }

    /// Keys of one endpoint that sign at the same time.
    public static let keyLimit = 5
    /// How long the keys before a new one go on signing when nobody says.
    public static let overlap = Duration.seconds(24 * 3600)

    /// These secrets with a new key in front. Those before it sign until `overlap`, from 0, is over, and never longer than they had.
    /// Nil when more than ``keyLimit`` would sign.
    public func rotated(to key: SigningKey, at now: Timestamp, overlap: Duration) -> CallbackSecrets? {
        let end = now + overlap
        let older = self.liveKeys(at: now).compactMap { old -> SigningKey? in
            var old = old
            old.expiresAt = min(old.expiresAt ?? end, end)
            return now < end && old.key != key.key ? old : nil
        }
        guard older.count < Self.keyLimit else { return nil }
        return CallbackSecrets(signingKeys: [key] + older, fields: self.fields)
    }

    /// A key of Standard Webhooks.
    public struct SigningKey: Sendable, Equatable {
        /// 24 to 64 bytes.
        public var key: [UInt8]
        /// When it no longer signs, because another has taken its place.
        public var expiresAt: Timestamp?

        /// Nil unless `key` has 24 to 64 bytes.
        public init?(key: [UInt8], expiresAt: Timestamp? = nil) {
            guard StandardWebhookSignature.keyByteCounts.contains(key.count) else { return nil }
            self.key = key
            self.expiresAt = expiresAt
        }

        /// Reads `whsec_` and base64 of 24 to 64 bytes. Nil for anything else.
        public init?(text: String, expiresAt: Timestamp? = nil) {
            guard let key = StandardWebhookSignature.key(text) else { return nil }
            self.init(key: key, expiresAt: expiresAt)
        }

        /// A new one of 32 bytes.
        public static func make() -> SigningKey {
            SigningKey(unchecked: SystemRandom.bytes(32))
        }

        /// As customers' libraries read it: `whsec_` and base64.
        public var text: String { StandardWebhookSignature.keyPrefix + Base64.encode(self.key) }

        public static func == (left: SigningKey, right: SigningKey) -> Bool {
            Secret(left.key) == Secret(right.key) && left.expiresAt == right.expiresAt
        }

        // MARK: - Private

        private init(unchecked key: [UInt8]) { self.key = key }

        fileprivate init?(_ json: JSON) {
            guard let text = json["key"]?.string else { return nil }
            let expiresAt = json["expires_at"]?.string
            self.init(text: text, expiresAt: expiresAt.flatMap { Timestamp($0) })
            // A moment that cannot be read is not "never".
            guard (expiresAt == nil) == (self.expiresAt == nil) else { return nil }
        }

        fileprivate var json: JSON {
            let key = JSON.Member("key", .string(self.text))
            return .object([key] + (self.expiresAt.map { [.init("expires_at", .string("\($0)"))] } ?? []))
        }
    }
}

extension CallbackSecrets: CustomStringConvertible, CustomReflectable {
    public var description: String { "••••" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension CallbackSecrets.SigningKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "••••" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
