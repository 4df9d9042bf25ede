import Crypto
import HTTP
import JSON
import Messaging
import Synchronization
import Timestamps

/// What Vonage's newer interfaces share, calls and messages: an application, whose key signs what we ask and which signs
/// what it tells us (providers.md sections 2.3 and 3.2).
///
/// Credentials
/// - `application_id`, `private_key`: of the application; the key as the PEM text that Vonage gave out. Required.
/// - `signature_secret`: the account's; callbacks must carry a token that it signed.
/// - `api_key`: when given, the token must name it.
/// - `receipt_token`: see ``ReceiptToken``; required when callbacks are not signed, so that nobody can forge one. With both,
///   both must be right.
///
/// Settings
/// - `receipt_window_seconds`: how old a callback's token may be; 90,000 by default, because Vonage sends a callback again for
///   24 hours and is not known to sign it anew.
struct VonageApplication: Sendable {
    let address: ReceiptAddress
    /// Proves what our addresses name: Vonage signs bodies only.
    let addressKey: Secret
    private let tokens: VonageTokens
    private let receiptToken: ReceiptToken?
    private let signatureSecret: Secret?
    private let apiKey: String?
    private let receiptWindow: Duration

    init(from reader: inout AccountReader) {
        let id = reader.requiredCredential("application_id").text
        let key = reader.privateKey("private_key")
        self.addressKey = reader.multilineCredential("private_key") ?? Secret("")
        self.tokens = VonageTokens(application: id, key: key)
        self.signatureSecret = reader.credential("signature_secret")
        self.apiKey = reader.credential("api_key")?.text
        self.receiptToken = ReceiptToken(from: &reader)
        self.address = ReceiptAddress(from: &reader, token: self.receiptToken)
        self.receiptWindow = .seconds(reader.number("receipt_window_seconds", default: 90_000, in: 300...1_000_000))
        if self.signatureSecret == nil, self.receiptToken == nil {
            reader.problem("signature_secret or receipt_token is needed, or anybody could forge receipts")
        }
    }

    func post(_ url: String, _ body: JSON, now: Timestamp) -> OutgoingRequest {
        .post(url, body, authorization: Secret("Bearer \(self.tokens.token(at: now))"))
    }

    /// The body of a callback that Vonage has sent.
    func event(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> JSON {
        if let token = self.receiptToken, !token.authenticates(request) { throw .unauthenticated }
        if let secret = self.signatureSecret { try self.verify(request, secret, now: now) }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let event = try? JSON(parsing: request.body), event.members != nil else { throw .malformed("no JSON") }
        return event
    }

    /// A callback without any token is answered so that it comes again: Vonage forgets to sign now and then, by its own word.
    func status(of refusal: ReceiptRefusal, of request: HTTPRequest) -> Int {
        let isForgotten = self.signatureSecret != nil && request.fields["Authorization"] == nil
        return refusal == .unauthenticated && isForgotten ? 503 : refusal.status
    }

    // MARK: - Private

    private func verify(_ request: HTTPRequest, _ secret: Secret, now: Timestamp) throws(ReceiptRefusal) {
        let words = (request.fields["Authorization"] ?? "").split(separator: " ")
        guard
            words.count == 2, words[0].lowercased() == "bearer",
            let claims = JSONWebToken.claims(in: words[1], secret: secret, algorithms: [.hs256], now: now),
            self.isFresh(claims, now: now), Self.isAbout(request.body, claims),
            self.apiKey == nil || claims["api_key"]?.string == self.apiKey
        else { throw .unauthenticated }
    }

    private func isFresh(_ claims: JSON, now: Timestamp) -> Bool {
        guard let seconds = claims["iat"]?.integer, (0...Int64(UInt32.max)).contains(seconds) else { return false }
        let age = now - Timestamp(seconds: seconds)
        return age <= self.receiptWindow && age >= .zero - .seconds(300)
    }

    /// Older tokens have no hash.
    private static func isAbout(_ body: [UInt8], _ claims: JSON) -> Bool {
        guard let claim = claims["payload_hash"] else { return true }
        guard let hash = claim.string.flatMap({ Hex.decode($0) }) else { return false }
        return equalInConstantTime(hash, Digest.sha256.hash(body))
    }
}

/// Mints the tokens of an application, and uses each for some minutes: a signature costs as much as a hundred requests.
final class VonageTokens: Sendable {
    private struct Minted {
        var token: String
        var at: Timestamp
    }

    private let application: String
    private let key: RSAPrivateKey?
    private let minted = Mutex<Minted?>(nil)

    /// How long a token is good, and how long it is used.
    static let lifetime = Duration.seconds(900)
    static let use = Duration.seconds(600)

    /// Nil key: of an account that is refused anyway.
    init(application: String, key: RSAPrivateKey?) {
        self.application = application
        self.key = key
    }

    /// A token that is good for five more minutes at least.
    func token(at now: Timestamp) -> String {
        self.minted.withLock { minted in
            if let minted, (.zero..<Self.use).contains(now - minted.at) { return minted.token }
            let token = self.mint(at: now)
            minted = Minted(token: token, at: now)
            return token
        }
    }

    private func mint(at now: Timestamp) -> String {
        guard let key = self.key else { return "" }
        let claims: JSON = [
            "application_id": .string(self.application), "iat": .integer(now.seconds),
            "exp": .integer((now + Self.lifetime).seconds), "jti": .string(Hex.encode(SystemRandom.bytes(16))),
        ]
        return JSONWebToken.mint(claims, key: key)
    }
}

extension AccountReader {
    /// An RSA key in PEM; a problem, and nil, when it is not given or is none.
    mutating func privateKey(_ name: String) -> RSAPrivateKey? {
        guard let text = self.multilineCredential(name) else {
            self.problem("credential \(name) is missing")
            return nil
        }
        let key = RSAPrivateKey(pem: text)
        if key == nil {
            self.problem("credential \(name) is no RSA key of \(RSAPrivateKey.leastBitCount) bits or more in PEM")
        }
        return key
    }
}
