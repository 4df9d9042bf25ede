import Crypto
import HTTP
import Messaging

/// The address at which a provider calls us, as the provider was told it.
///
/// Some providers sign it and some echo nothing of ours but it, so the reference of a message stands in its query. What was
/// signed is rebuilt from the settings: `Host` is the caller's to choose, and behind a proxy it names another host.
struct ReceiptAddress: Sendable {
    /// Without a query; secret for the token in it.
    private let told: Secret?
    /// Without the token.
    private let base: String?

    /// Nobody is told an address when the operator has set none; what comes all the same cannot be checked.
    init(from reader: inout AccountReader, token: ReceiptToken? = nil) {
        self.base = reader.receiptURL()
        self.told = self.base.map { Secret(token?.url(under: $0) ?? $0) }
    }

    /// What the provider is told; nil when receipts are not asked for.
    var url: String? { self.told?.text }

    /// What the provider is told where it echoes nothing else.
    func url(for reference: MessageReference) -> String? {
        self.told.map { "\($0.text)?\(Self.referenceName)=\(reference)" }
    }

    /// As ``url(for:)``, with a proof that we named the message there, for providers that do not sign the query: who may call us
    /// for one message must not speak of another. Sixteen hexadecimal digits of a MAC are 64 bits: nobody guesses one.
    func url(for reference: MessageReference, provedBy key: Secret) -> String? {
        self.url(for: reference).map { "\($0)&\(Self.proofName)=\(Self.proof(of: reference, key))" }
    }

    /// The reference that ``url(for:provedBy:)`` put into the query; nil without the proof.
    static func reference(in request: HTTPRequest, provedBy key: Secret) -> MessageReference? {
        guard
            let reference = Self.reference(in: request),
            let proof = request.query.flatMap({ Form(parsing: $0) })?[Self.proofName],
            equalInConstantTime(Array(proof.utf8), Array(Self.proof(of: reference, key).utf8))
        else { return nil }
        return reference
    }

    /// The reference that ``url(for:)`` put into the query.
    static func reference(in request: HTTPRequest) -> MessageReference? {
        request.query.flatMap { Form(parsing: $0) }?[Self.referenceName].flatMap { MessageReference($0) }
    }

    /// What `request` was sent to, without its query: the address from the settings and what stands behind it in the request's
    /// path. Nil when none is set.
    func url(of request: HTTPRequest) -> String? {
        self.base.map { $0 + Self.rest(of: request.path) }
    }

    /// ``url(of:)`` with the query, as it came.
    func target(of request: HTTPRequest) -> String? {
        self.url(of: request).map { url in request.query.map { "\(url)?\($0)" } ?? url }
    }

    // MARK: - Private

    private static let referenceName = "message"
    private static let proofName = "proof"

    private static func proof(of reference: MessageReference, _ key: Secret) -> String {
        Hex.encode(Digest.sha256.authenticate(Array("receipt/\(reference)".utf8), key: key).prefix(8))
    }

    /// What follows `/receipts/NAME`, by which the receiver chose the account.
    private static func rest(of path: String) -> Substring {
        var slashes = 0
        let end = path.firstIndex { character in
            if character == "/" { slashes += 1 }
            return slashes == 3
        }
        return path[(end ?? path.endIndex)...]
    }
}
