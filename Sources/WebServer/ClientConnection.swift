import CMicroHTTP
import Glibc
import Synchronization

/// One client's connection.
final class ClientConnection: Sendable {
    /// The client's numeric address.
    let peer: String?
    private let descriptor: CInt
    private let opened = ContinuousClock.now
    /// Nanoseconds after `opened` at which it last began to wait for a request; `busy` while a request is answered.
    private let waiting = Atomic<Int64>(0)
    private let isSilent = Atomic<Bool>(false)

    init(_ connection: OpaquePointer) {
        self.descriptor = cmicrohttp_socket(connection)
        self.peer = cmicrohttp_peer(connection).flatMap(SocketAddress.numericText)
    }

    /// A request is complete: the client owes nothing.
    func beginAnswering() { self.waiting.store(Self.busy, ordering: .relaxed) }

    /// The response is sent: the next request may come.
    func endAnswering() { self.waiting.store(self.age, ordering: .relaxed) }

    /// The client is to get no answer, not even a refusal.
    func beSilent() { self.isSilent.store(true, ordering: .relaxed) }

    /// Ends a connection whose client has owed a request for longer than `deadline`. libmicrohttpd then sees its end.
    func shutDown(after deadline: Duration) {
        let waiting = self.waiting.load(ordering: .relaxed)
        guard waiting != Self.busy, .nanoseconds(self.age - waiting) > deadline else { return }
        shutdown(self.descriptor, CInt(SHUT_RD))
    }

    /// Answers a client that sent bytes and never got one back, just before its connection is closed. libmicrohttpd
    /// closes without a word when a first line has no space in it, and when a client is too slow.
    func answerUnheard(by refusal: (_ status: Int) -> [UInt8], patience: Duration) {
        guard !self.isSilent.load(ordering: .relaxed) else { return }
        guard let traffic = Traffic(of: self.descriptor), traffic.isUnheard else { return }
        let bytes = refusal(.nanoseconds(self.age) < patience ? 400 : 408)
        _ = send(self.descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
    }

    // MARK: - Private

    private static let busy = Int64.max

    private var age: Int64 { (ContinuousClock.now - self.opened).wholeNanoseconds }
}

/// What has gone over a socket, from `TCP_INFO`.
private struct Traffic {
    private let state: UInt8
    private let receivedByteCount: UInt64
    private let sentByteCount: UInt64

    /// Nil when the kernel does not count (before Linux 4.19).
    init?(of descriptor: CInt) {
        // glibc's `tcp_info` ends before the counters, so they are read by their places in the kernel's (linux/tcp.h).
        var info = [UInt8](repeating: 0, count: 256)
        var count = socklen_t(info.count)
        guard getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_INFO, &info, &count) == 0, count >= 208 else { return nil }
        self.state = info[0]
        (self.receivedByteCount, self.sentByteCount) = info.withUnsafeBytes {
            ($0.load(fromByteOffset: 128, as: UInt64.self), $0.load(fromByteOffset: 200, as: UInt64.self))
        }
    }

    /// The client has sent something, has been sent nothing, and its connection still takes an answer.
    var isUnheard: Bool {
        let isOpen = self.state == 1 || self.state == 8  // TCP_ESTABLISHED, TCP_CLOSE_WAIT
        return isOpen && self.receivedByteCount > 0 && self.sentByteCount == 0
    }
}

extension Duration {
    /// Clamped to what 64 bits hold: 292 years.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product + attoseconds / 1_000_000_000
    }
}
