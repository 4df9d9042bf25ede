import Glibc

/// Ports that were free a moment ago.
///
/// Below those that the kernel gives to outgoing connections: a process that is started again must find its port as it
/// left it, and not at the near end of somebody's connection.
enum Ports {
    static func take() -> UInt16 {
        while true {
            let port = UInt16.random(in: 20_000..<32_000)
            if Self.isFree(port) { return port }
        }
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        precondition(descriptor >= 0, "no socket, errno \(errno)")
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
