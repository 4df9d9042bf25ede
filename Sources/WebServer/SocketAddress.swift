// Both: which of the two declares `sockaddr` for Swift depends on the order in which the compiler meets their headers.
import CMicroHTTP
import Glibc

/// An IPv4 or IPv6 address and a port, as the kernel writes them.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length: socklen_t

    /// Nil unless `address` is a numeric address.
    init?(numeric address: String, port: UInt16) {
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        if inet_pton(AF_INET, address, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            self.length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &self.storage) { $0.storeBytes(of: v4, as: sockaddr_in.self) }
        } else if inet_pton(AF_INET6, address, &v6.sin6_addr) == 1 {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            self.length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &self.storage) { $0.storeBytes(of: v6, as: sockaddr_in6.self) }
        } else {
            return nil
        }
    }

    /// The local end of a socket.
    init?(boundTo descriptor: CInt) {
        self.length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &self.storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &self.length) }
        }
        guard status == 0 else { return nil }
    }

    var family: CInt { CInt(self.storage.ss_family) }

    var port: UInt16 {
        // The port stands at the same place in both kinds of address.
        withUnsafeBytes(of: self.storage) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) }
    }

    mutating func withPointer<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        let length = self.length
        return withUnsafePointer(to: &self.storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// The numeric text of an address without its port; an IPv4 client of an IPv6 socket is told as IPv4.
    static func numericText(of address: UnsafePointer<sockaddr>) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let raw = UnsafeRawPointer(address)
        // By its place: which C module declares `sockaddr` depends on how the compiler is run.
        switch CInt(raw.load(as: UInt16.self)) {
        case AF_INET:
            var v4 = raw.loadUnaligned(as: sockaddr_in.self)
            guard inet_ntop(AF_INET, &v4.sin_addr, &text, socklen_t(text.count)) != nil else { return nil }
        case AF_INET6:
            var v6 = raw.loadUnaligned(as: sockaddr_in6.self)
            guard inet_ntop(AF_INET6, &v6.sin6_addr, &text, socklen_t(text.count)) != nil else { return nil }
        default: return nil
        }
        let numeric = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return numeric.hasPrefix("::ffff:") && numeric.contains(".") ? String(numeric.dropFirst(7)) : numeric
    }
}
