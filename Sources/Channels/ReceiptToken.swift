import Crypto
import HTTP

/// A secret in the address that receipts are sent to, for providers that sign nothing: who does not know the whole
/// address cannot forge a receipt.
///
/// It travels as the last component of the path. A query would do as well and is accepted (`receipt_token`), but
/// Vonage puts its own parameters there and signs no mixture of query and body.
///
/// Who knows the address, from a log or a proxy, can be kept out by ``ReceiptNetworks`` in addition.
struct ReceiptToken: Sendable {
    private let token: Secret
    private let networks: ReceiptNetworks

    /// The account's credential `receipt_token`: 16 to 64 letters, digits and `-._~`, so that it needs no encoding
    /// and cannot be guessed. With the setting `receipt_networks`, whoever knows it must be there too.
    init?(from reader: inout AccountReader) {
        let networks = ReceiptNetworks(from: &reader)
        // A list that nobody looks at would only look like protection.
        if !networks.isAny, reader.credential("receipt_token") == nil {
            reader.problem("setting receipt_networks goes with credential receipt_token")
        }
        self.init(from: &reader, networks: networks)
    }

    /// Without a problem, beside other proofs that the networks go with as well.
    init?(from reader: inout AccountReader, networks: ReceiptNetworks) {
        guard let token = reader.credential("receipt_token") else { return nil }
        let isSafe = (16...64).contains(token.reveal().count) && PercentEncoding.encode(token.text) == token.text
        if !isSafe { reader.problem("credential receipt_token is not 16 to 64 letters, digits and -._~") }
        self.token = token
        self.networks = networks
    }

    /// The address that the provider is told.
    func url(under url: String) -> String { "\(url)/\(self.token.text)" }

    func authenticates(_ request: HTTPRequest) -> Bool {
        guard self.networks.permits(request) else { return false }
        let component = request.path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let parameter = request.query.flatMap { Form(parsing: $0) }?["receipt_token"] ?? ""
        let isInPath = equalInConstantTime(Array(component.utf8), self.token.reveal())
        let isInQuery = equalInConstantTime(Array(parameter.utf8), self.token.reveal())
        return isInPath || isInQuery
    }
}
