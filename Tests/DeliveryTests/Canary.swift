import Glibc

/// Listens on 127.0.0.1 where nobody may come.
final class Canary: Sendable {
    let port: UInt16
    private let descriptor: CInt

    init() throws {
        self.descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { [descriptor] address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard status else { throw CanaryError(errno: errno) }
        self.port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(self.descriptor) }

    /// How many have connected since the last count. On this host a connection is there as soon as it is begun.
    func countVisitors() -> Int {
        var count = 0
        while true {
            let visitor = accept(self.descriptor, nil, nil)
            guard visitor >= 0 else { return count }
            count += 1
            close(visitor)
        }
    }
}

struct CanaryError: Error {
    var errno: CInt
}
