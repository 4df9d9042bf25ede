import Glibc
import Polling

/// Listens and takes connections, as far as the kernel does, and never reads a byte of them: whoever asks waits for as long as
/// it can. When it is closed all of them are told at once.
final class HangingEndpoint: Sendable {
    let port: UInt16
    private let descriptor: Int32

    /// Connections that the kernel takes.
    private static let backlog: Int32 = 512

    init() throws {
        (self.descriptor, self.port) = try LocalSocket.listen(backlog: Self.backlog)
    }

    /// To be called once.
    func close() { Glibc.close(self.descriptor) }

    /// Whether anybody has connected.
    var isAskedFor: Bool {
        var entry = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }
}
