import Glibc
import Polling

/// A socket that listens on a port of 127.0.0.1 chosen by the kernel.
func listenOnLoopback() throws(SystemError) -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, length) == 0 && listen(descriptor, 8) == 0
                && getsockname(descriptor, address, &length) == 0
        }
    }
    guard status else { throw SystemError("bind") }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}

func closeDescriptor(_ descriptor: Int32) { close(descriptor) }

/// A port nobody listens on, at the moment.
func freePort() throws(SystemError) -> UInt16 {
    let (descriptor, port) = try listenOnLoopback()
    closeDescriptor(descriptor)
    return port
}
