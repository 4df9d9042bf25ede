import Glibc

/// Listens where nobody may come, on 127.0.0.1 and, where there is IPv6, on ::1 at the same port.
final class Canary: Sendable {
    let port: UInt16
    private let descriptors: [CInt]

    init() throws {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let v4 = socket(AF_INET, kind, 0)
        self.port = try bindToLoopback(v4, address: 0x7F00_0001, port: 0)
        let v6 = socket(AF_INET6, kind, 0)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = self.port.bigEndian
        address.sin6_addr = in6addr_loopback
        let status = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(v6, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        self.descriptors = status == 0 ? [v4, v6] : [v4]
        for descriptor in self.descriptors where listen(descriptor, 64) != 0 { throw RawError("listen", errno) }
    }

    /// How many have connected since the last count. On this host a connection is there as soon as it is begun.
    func countVisitors() -> Int {
        var count = 0
        for descriptor in self.descriptors {
            while true {
                let visitor = accept(descriptor, nil, nil)
                guard visitor >= 0 else { break }
                count += 1
                _ = Glibc.close(visitor)
            }
        }
        return count
    }

    func close() { for descriptor in self.descriptors { _ = Glibc.close(descriptor) } }
}

/// Binds to an address of this host, and tells the port.
func bindToLoopback(_ descriptor: CInt, address: UInt32, port: UInt16) throws -> UInt16 {
    let status = withLoopback(address, port) { bind(descriptor, $0, $1) }
    guard status == 0 else { throw RawError("bind", errno) }
    var bound = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &bound) { bound in
        bound.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return UInt16(bigEndian: bound.sin_port)
}

func withLoopback<Value>(
    _ address: UInt32, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
) -> Value {
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = address.bigEndian
    place.sin_port = port.bigEndian
    return withUnsafePointer(to: &place) { place in
        place.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}
