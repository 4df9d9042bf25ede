import Egress
import HTTP

/// Networks that receipts may come from, beside whatever proves them: for providers that sign nothing and publish their
/// addresses.
///
/// Compared with the client's end of the connection. Behind a proxy that is the proxy, so the list belongs there then:
/// nothing in a request says reliably whom it was forwarded for.
struct ReceiptNetworks: Sendable, Hashable {
    /// Nil: any.
    private let networks: [Network]?

    /// More than any provider publishes.
    private static let limit = 256

    /// The account's setting `receipt_networks`: networks as `192.0.2.0/24` or single addresses, parted by commas or blanks.
    init(from reader: inout AccountReader) {
        self.networks = reader.setting(
            "receipt_networks", default: nil, expected: "1 to \(Self.limit) networks as in 192.0.2.0/24"
        ) { text in Self.networks(text).map { .some($0) } }
    }

    var isAny: Bool { self.networks == nil }

    func permits(_ request: HTTPRequest) -> Bool {
        guard let networks else { return true }
        guard let address = request.peer.flatMap({ NetworkAddress($0) }) else { return false }
        return networks.contains { $0.contains(address) }
    }

    // MARK: - Private

    private static func networks(_ text: String) -> [Network]? {
        let words = text.split { $0 == "," || $0.isWhitespace }
        let networks = words.compactMap { Network($0) ?? NetworkAddress($0).map { Network($0) } }
        return (1...self.limit).contains(networks.count) && networks.count == words.count ? networks : nil
    }
}
