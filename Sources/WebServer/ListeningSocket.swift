import Glibc

/// A bound, listening socket. Whoever makes one closes it.
///
/// Bound here and not by libmicrohttpd, which tells neither the port it got nor why it got none.
struct ListeningSocket {
    let descriptor: CInt
    /// The port really bound.
    let port: UInt16

    init(address: String, port: UInt16) throws(WebServerError) {
        guard var place = SocketAddress(numeric: address, port: port) else { throw .badAddress(address) }
        let descriptor = socket(place.family, CInt(SOCK_STREAM.rawValue) | nonBlockingAndPrivate, CInt(IPPROTO_TCP))
        guard descriptor >= 0 else { throw .cannotListen(address: address, port: port, code: errno) }
        Self.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: descriptor)
        if place.family == AF_INET6 { Self.set(IPV6_V6ONLY, of: CInt(IPPROTO_IPV6), to: 0, on: descriptor) }
        guard place.withPointer({ bind(descriptor, $0, $1) }) == 0, listen(descriptor, SOMAXCONN) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            throw .cannotListen(address: address, port: port, code: code)
        }
        self.descriptor = descriptor
        self.port = SocketAddress(boundTo: descriptor)?.port ?? port
    }

    func close() { _ = Glibc.close(self.descriptor) }

    private static func set(_ option: CInt, of level: CInt, to value: CInt, on descriptor: CInt) {
        var value = value
        _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }
}

private let nonBlockingAndPrivate = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
