import Egress

/// How a transfer is dialled whose host has been looked up and judged.
struct Route: Sendable, Hashable {
    /// The URL in the form that was judged.
    let url: String
    /// The name's addresses as libcurl is told them; nil for hosts that are addresses.
    let pin: String?
    /// What is left of the request's times.
    let timeout: Duration
    let connectTimeout: Duration

    init(
        to url: CallbackURL, at addresses: [NetworkAddress], until deadline: ContinuousClock.Instant,
        connectedBy connectDeadline: ContinuousClock.Instant, now: ContinuousClock.Instant = .now
    ) {
        self.url = url.text
        self.pin = url.address == nil ? Self.pin(url, addresses) : nil
        self.timeout = deadline - now
        self.connectTimeout = connectDeadline - now
    }

    /// How long libcurl remembers a pin: longer than any transfer lasts, so that it never looks a name up itself.
    static let pinSeconds = 600
    /// No transfer lasts longer.
    static let longestTimeout = Duration.seconds(300)
    /// Addresses of a name that are dialled at most; more are judged.
    static let addressLimit = 16

    /// The plus lets it be forgotten after ``pinSeconds``; a later pin of the same name and port replaces it.
    private static func pin(_ url: CallbackURL, _ addresses: [NetworkAddress]) -> String {
        let list = addresses.prefix(Self.addressLimit).map { $0.family == .ipv6 ? "[\($0)]" : "\($0)" }
        return "+\(url.host):\(url.port):\(list.joined(separator: ","))"
    }
}
