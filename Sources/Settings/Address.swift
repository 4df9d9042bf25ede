import Glibc

/// Where to listen, or whom to call: a host and a port, as in `127.0.0.1:8080`, `[::1]:8080` or `db.internal:5432`.
public struct Address: Sendable, Hashable, CustomStringConvertible {
    /// A name or a numeric address; IPv6 without its brackets.
    public let host: String
    /// 0 lets the system choose when listening.
    public let port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Nil unless `text` is a host, a colon and a port. IPv6 stands in brackets (RFC 3986 section 3.2.2).
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let (host, port) = (text[..<colon], text[text.index(after: colon)...])
        guard !port.isEmpty, port.utf8.allSatisfy(isDigit), let port = UInt16(port) else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let inner = String(host.dropFirst().dropLast())
            guard isIPv6(inner) else { return nil }
            self.init(host: inner, port: port)
        } else {
            guard isHostName(host) else { return nil }
            self.init(host: String(host), port: port)
        }
    }

    public var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

private func isIPv6(_ text: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET6, text, &address) == 1
}

/// Labels of letters, digits, hyphens and underscores (container networks use them), at most 253 bytes in all.
private func isHostName(_ text: Substring) -> Bool {
    guard (1...253).contains(text.utf8.count) else { return false }
    return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        (1...63).contains(label.utf8.count)
            && label.utf8.allSatisfy { byte in
                isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }
}
