import Glibc
import Polling

/// TCP on this machine.
enum LocalSocket {
    /// A blocking connection to `port` on 127.0.0.1, without Nagle's delay.
    static func connect(port: UInt16) throws(SystemError) -> Int32 {
        let descriptor = try Self.make()
        var address = Self.address(port: port)
        let status = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let error = SystemError("connect to port \(port)")
            close(descriptor)
            throw error
        }
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }

    /// Listens on a port of 127.0.0.1 that was free.
    static func listen(backlog: Int32) throws -> (descriptor: Int32, port: UInt16) {
        let port = try Self.freePorts(1)[0]
        let descriptor = try Self.make()
        var address = Self.address(port: port)
        let isListening = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            } && Glibc.listen(descriptor, backlog) == 0
        }
        guard isListening else {
            let error = SystemError("listen on port \(port)")
            close(descriptor)
            throw error
        }
        return (descriptor, port)
    }

    /// Ports that nobody listens on, all different. They lie below those that the kernel gives to outgoing connections,
    /// so nothing takes them by chance before they are used.
    static func freePorts(_ count: Int) throws -> [UInt16] {
        var ports: [UInt16] = []
        for port in (UInt16(20000)..<32000).shuffled() {
            if ports.count == count { return ports }
            if try Self.isFree(port) { ports.append(port) }
        }
        throw BenchError("no \(count) free ports between 20000 and 32000")
    }

    // MARK: - Private

    private static func isFree(_ port: UInt16) throws(SystemError) -> Bool {
        let descriptor = try Self.make()
        defer { close(descriptor) }
        var address = Self.address(port: port)
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func make() throws(SystemError) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        return descriptor
    }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
