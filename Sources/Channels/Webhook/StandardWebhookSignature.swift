public import Crypto
import HTTP
import Timestamps

/// Signatures as Standard Webhooks 1.0 has them: of what we tell customers, and both ways with an operator's own gateway.
public enum StandardWebhookSignature {
    /// What keys begin with when they are written down.
    public static let keyPrefix = "whsec_"
    /// Bytes of a key.
    public static let keyByteCounts = 24...64

    /// Reads `whsec_` and base64 of 24 to 64 bytes. Nil for anything else.
    public static func key(_ text: String) -> [UInt8]? {
        guard
            text.hasPrefix(Self.keyPrefix), let key = Base64.decode(text.dropFirst(Self.keyPrefix.utf8.count)),
            Self.keyByteCounts.contains(key.count)
        else { return nil }
        return key
    }

    /// `v1,` and the base64 of the HMAC-SHA256 of the id, the time and the body, parted by dots.
    public static func sign(_ body: [UInt8], id: String, seconds: Int64, key: Secret) -> String {
        "v1,\(Base64.encode(Self.code(of: body, id: id, time: String(seconds), key: key)))"
    }

    /// Whether one of the signatures of `request` is right by one of `keys`, and its time is no further from `now` than
    /// `tolerance`.
    static func verifies(_ request: HTTPRequest, keys: [Secret], now: Timestamp, tolerance: Duration) -> Bool {
        guard
            let id = request.fields["webhook-id"], !id.isEmpty, let time = request.fields["webhook-timestamp"],
            let seconds = Int64(time), (0...Int64(UInt32.max)).contains(seconds),
            let list = request.fields["webhook-signature"]
        else { return false }
        let age: Duration = now - Timestamp(seconds: seconds)
        guard age <= tolerance, age >= .zero - tolerance else { return false }
        let given = list.split(separator: " ").prefix(Self.signatureLimit).compactMap { word in
            word.hasPrefix("v1,") ? Base64.decode(word.dropFirst(3)) : nil
        }
        let expected = keys.map { Self.code(of: request.body, id: id, time: time, key: $0) }
        let matches = expected.flatMap { expected in given.map { equalInConstantTime($0, expected) } }
        return matches.contains(true)
    }

    // MARK: - Private

    /// Signatures that are looked at: one for each key of a rotation, and some.
    private static let signatureLimit = 10

    private static func code(of body: [UInt8], id: String, time: String, key: Secret) -> [UInt8] {
        Digest.sha256.authenticate(Array("\(id).\(time).".utf8) + body, key: key)
    }
}
