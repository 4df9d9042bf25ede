/// Which addresses Pinpost may connect to on a customer's word.
///
/// A customer who names a callback URL makes Pinpost call it, from where Pinpost stands: beside its database, its
/// cloud's metadata service and other people's machines. So only addresses of the public internet are called, and
/// networks an operator has allowed. Names are worth nothing here: every address a name stands for is judged, and again
/// the one that is dialled.
public struct EgressPolicy: Sendable, Hashable {
    /// Networks that may be called although they are not public, at any port and without TLS.
    public let allowed: [Network]
    /// Addresses that may not be called although they are public, such as this machine's own.
    public let denied: [Network]
    /// Ports that may be called at public addresses.
    public let ports: Set<UInt16>

    public init(allowed: [Network] = [], denied: [Network] = [], ports: Set<UInt16> = [443]) {
        self.allowed = allowed
        self.denied = denied
        self.ports = ports
    }

    public func permits(_ address: NetworkAddress) -> Bool { self.exempts(address) || self.isPublic(address) }

    public func permits(_ address: NetworkAddress, port: UInt16) -> Bool {
        self.exempts(address) || (self.ports.contains(port) && self.isPublic(address))
    }

    /// True for addresses in ``allowed``, which need neither be public nor be called by TLS.
    public func exempts(_ address: NetworkAddress) -> Bool { self.allowed.contains { $0.contains(address) } }

    /// True when both addresses of `localhost` are exempt.
    var exemptsLocalhost: Bool {
        self.exempts(NetworkAddress(ipv4: 0x7F00_0001)) && self.exempts(NetworkAddress(ipv6: 1))
    }

    private func isPublic(_ address: NetworkAddress) -> Bool {
        !notPublic.contains { $0.contains(address) } && !self.denied.contains { $0.contains(address) }
    }
}

// MARK: - Private

/// Addresses of special purpose (the registries of RFC 6890) and those that carry an IPv4 address inside, through which
/// a translator would reach any of the others.
private let notPublic: [Network] = networks([
    "0.0.0.0/8",  // this network; Linux takes it for this machine
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  // private
    "100.64.0.0/10",  // shared by carriers, and by clouds' metadata services
    "127.0.0.0/8",  // this machine
    "169.254.0.0/16",  // this link, and clouds' metadata services
    "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // protocols, documentation
    "192.88.99.0/24",  // 6to4 relays
    "198.18.0.0/15",  // measurements
    "224.0.0.0/4", "240.0.0.0/4",  // multicast, reserved, broadcast
    "::/96",  // unspecified, this machine, and IPv4 in its oldest wrapping
    "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48",  // translated to IPv4
    "100::/64",  // discarded
    "2001::/32", "2002::/16",  // Teredo and 6to4: IPv4 inside
    "2001:2::/48", "2001:10::/28", "2001:20::/28",  // measurements, and hashes in the place of addresses
    "2001:db8::/32", "3fff::/20",  // documentation
    "5f00::/16",  // segment routing
    "fc00::/7", "fe80::/10", "fec0::/10",  // private, this link, and the site of old
    "ff00::/8",  // multicast
])

private func networks(_ texts: [String]) -> [Network] {
    // Each is one, as a test of every line shows.
    texts.map { Network($0)! }
}
