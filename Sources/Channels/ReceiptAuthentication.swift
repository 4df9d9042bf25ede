import Crypto
import HTTP

/// How receipts that nobody signs prove where they come from: by Basic authentication, by a header or by their address.
///
/// Credentials
/// - `receipt_username` and `receipt_password`: Basic authentication.
/// - `receipt_header_name` and `receipt_header_value`: a header that receipts carry.
/// - `receipt_token`: see ``ReceiptToken``.
///
/// At least one of the three is required, and each that is given proves a receipt's origin by itself, because a provider
/// sends one of them; with several, an account moves from one to another without a gap.
///
/// Settings
/// - `receipt_networks`: see ``ReceiptNetworks``; when given, receipts must come from there, whatever else proves them.
struct ReceiptAuthentication: Sendable {
    let token: ReceiptToken?
    private let networks: ReceiptNetworks
    /// `user:password`.
    private let basic: Secret?
    private let header: (name: String, value: Secret)?

    init(from reader: inout AccountReader) {
        self.networks = ReceiptNetworks(from: &reader)
        self.token = ReceiptToken(from: &reader, networks: self.networks)
        let user = reader.credential("receipt_username")
        let password = reader.credential("receipt_password")
        self.basic = user.flatMap { user in password.map { Secret(user.reveal() + [UInt8(ascii: ":")] + $0.reveal()) } }
        let name = reader.credential("receipt_header_name")
        let value = reader.credential("receipt_header_value")
        self.header = name.flatMap { name in value.map { (name.text, $0) } }
        if (user == nil) != (password == nil) { reader.problem("receipt_username and receipt_password go together") }
        if (name == nil) != (value == nil) {
            reader.problem("receipt_header_name and receipt_header_value go together")
        }
        // RFC 7617: the user's name ends at the first colon.
        if user?.text.contains(":") == true { reader.problem("credential receipt_username holds a colon") }
        if self.token == nil, self.basic == nil, self.header == nil {
            reader.problem(
                "receipt_username and receipt_password, receipt_header_name and receipt_header_value, "
                    + "or receipt_token is needed, or anybody could forge receipts"
            )
        }
    }

    /// True when one of the proofs that the account has is right. Secrets are compared in constant
    /// time, and all are looked at, so that the time does not tell which was right.
    func authenticates(_ request: HTTPRequest) -> Bool {
        let proofs = [
            self.token?.authenticates(request) ?? false,
            self.basic.map { Self.basicCredentials(in: request) == $0 } ?? false,
            self.header.map { Secret(request.fields[$0.name] ?? "") == $0.value } ?? false,
        ]
        return proofs.contains(true) && self.networks.permits(request)
    }

    // MARK: - Private

    /// Empty when there are none, which equals no credentials of an account.
    private static func basicCredentials(in request: HTTPRequest) -> Secret {
        let words = (request.fields["Authorization"] ?? "").split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "basic" else { return Secret("") }
        return Secret(Base64.decode(words[1]) ?? [])
    }
}
