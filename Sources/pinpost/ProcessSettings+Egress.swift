import Egress
import Glibc
import Settings

/// Where customers may have us call.
extension ProcessSettings {
    /// Name servers that are asked at most.
    private static let nameServerLimit = 4

    static func egress(isPrivate: Bool, _ reader: inout SettingsReader) -> EgressPolicy {
        let allowed = reader.value(
            "PINPOST_CALLBACK_ALLOW", kind: "a list of networks", hint: "write them as in 10.0.0.0/8,fd00::/8, or none",
            default: isPrivate ? Self.thisMachine : [],
            help: "Networks customers' endpoints may be in although they are not public; none, unless `up` has a "
                + "private database.",
            show: { $0.isEmpty ? "none" : $0.map(\.description).joined(separator: ",") },
            parse: { $0 == "none" ? [] : Self.list($0) { Network($0) } })
        let ports = reader.value(
            "PINPOST_CALLBACK_PORTS", kind: "a list of ports", hint: "write them as in 443,8443", default: [443],
            help: "Ports customers' endpoints may be at; in the networks allowed they may be at any.",
            show: { $0.map(\.description).joined(separator: ",") },
            parse: { text in Self.list(text) { UInt16($0).flatMap { $0 > 0 ? $0 : nil } } })
        return EgressPolicy(allowed: allowed ?? [], denied: Self.ownAddresses(), ports: Set(ports ?? []))
    }

    static func nameServers(_ reader: inout SettingsReader) -> [String] {
        reader.value(
            "PINPOST_CALLBACK_NAME_SERVERS", kind: "a list of name servers",
            hint: "write \(Self.nameServerLimit) addresses at most, as in 192.0.2.53,[2001:db8::53]:5353",
            isRequired: false,
            help: "Whom to ask for the addresses of customers' endpoints; the system's name servers when not given.",
            show: { $0.joined(separator: ",") },
            parse: { text in
                let list = Self.list(text, Self.nameServer)
                return list.flatMap { $0.count <= Self.nameServerLimit ? $0 : nil }
            }) ?? []
    }

    // MARK: - Private

    private static let thisMachine = ["127.0.0.0/8", "::1/128"].compactMap { Network($0) }

    /// Parted by commas, behind which spaces may stand. Nil unless every part is a value.
    private static func list<Value>(_ text: String, _ parse: (Substring) -> Value?) -> [Value]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let values = parts.compactMap { part in parse(part.drop { $0 == " " }) }
        return values.count == parts.count ? values : nil
    }

    private static func nameServer(_ text: Substring) -> String? {
        if let address = NetworkAddress(text) {
            return address.family == .ipv6 ? "[\(address)]:53" : "\(address):53"
        }
        guard let place = Address(String(text)), place.port > 0, NetworkAddress(place.host) != nil else { return nil }
        return place.description
    }

    /// The addresses of this machine's interfaces, which may be public: what listens here is not meant for customers.
    private static func ownAddresses() -> [Network] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        return sequence(first: first) { $0?.pointee.ifa_next }.prefix { $0 != nil }.compactMap { interface in
            guard let address = interface?.pointee.ifa_addr else { return nil }
            let isIPv6 = CInt(address.pointee.sa_family) == AF_INET6
            let count = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
            return NetworkAddress(socketAddress: UnsafeRawBufferPointer(start: address, count: count)).map {
                Network($0)
            }
        }
    }
}
