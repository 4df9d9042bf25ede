import Glibc
public import Lifecycle
import Polling
import Synchronization
public import Telemetry

/// The simulated carrier's mail server: a listener of its own, and a thread for each conversation.
///
/// A mail lies in the inbox as soon as its last line has come. A recipient whose local part is a number of +999 asks for a fault, as
/// ``Carrier`` lists them: 0001 is refused (`550 5.1.1`), 0002 greylisted (`450 4.7.1`), 0003 answered late, 0004 taken and the
/// connection closed, 0005 closed at once, 0006 refused for now (`451`), 0007 taken and answered with a page of HTML.
public final class MailSink: Service {
    public let name = "carrier-smtp"

    /// Conversations at once; more wait to be taken up.
    static let conversationLimit = 64
    /// A silent client is given up after this.
    static let patience = 60

    private struct State {
        var listener: CInt = -1
        var conversations: Set<CInt> = []
        var isDraining = false
    }

    private let carrier: Carrier
    private let address: String
    private let port: UInt16
    private let logger: Logger
    private let onListening: @Sendable (UInt16) -> Void
    private let state = Mutex(State())
    private let ended = Signal()

    /// `address`: of this host, in IPv4. `port`: 0 for any that is free; `onListening` is told which.
    public init(
        _ carrier: Carrier, address: String, port: UInt16, logger: Logger,
        onListening: @escaping @Sendable (UInt16) -> Void = { _ in }
    ) {
        self.carrier = carrier
        self.address = address
        self.port = port
        self.logger = logger
        self.onListening = onListening
    }

    public func run() async throws {
        let (listener, port) = try self.listen()
        let isDraining = self.state.withLock { state in
            state.listener = listener
            return state.isDraining
        }
        if isDraining { shutdown(listener, CInt(SHUT_RDWR)) }
        try Thread.start(name: "mail-sink") { self.accept(listener) }
        self.logger.info("listening", ["service": self.name, "port": Int(port)])
        self.onListening(port)
        await self.ended.wait()
        self.drain()
    }

    /// Ends all conversations, in the middle of whatever they are at.
    public func drain() {
        let descriptors = self.state.withLock { state in
            state.isDraining = true
            return Array(state.conversations) + (state.listener >= 0 ? [state.listener] : [])
        }
        for descriptor in descriptors { shutdown(descriptor, CInt(SHUT_RDWR)) }
    }

    // MARK: - On threads

    private func accept(_ listener: CInt) {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            if descriptor < 0, errno == EINTR || errno == ECONNABORTED { continue }
            guard descriptor >= 0 else { break }
            let isTaken = self.state.withLock { state in
                guard !state.isDraining, state.conversations.count < Self.conversationLimit else { return false }
                state.conversations.insert(descriptor)
                return true
            }
            guard isTaken else {
                close(descriptor)
                continue
            }
            Thread.detach(name: "mail") { self.converse(descriptor) }
        }
        self.state.withLock { $0.listener = -1 }
        close(listener)
        self.ended.ring()
    }

    private func converse(_ descriptor: CInt) {
        var patience = timeval(tv_sec: Self.patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var session = self.carrier.mailSession()
        var isOpen = self.perform([session.greeting], descriptor)
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while isOpen {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            let steps = session.receive(buffer[..<count]) { self.carrier.mailFault(for: $0) }
            isOpen = self.perform(steps, descriptor)
        }
        self.state.withLock { _ = $0.conversations.remove(descriptor) }
        close(descriptor)
    }

    /// False when the conversation is over.
    private func perform(_ steps: [SMTPSession.Step], _ descriptor: CInt) -> Bool {
        for step in steps {
            switch step {
            case .reply(let text): guard Self.send(text + "\r\n", descriptor) else { return false }
            case .wait(let milliseconds): usleep(UInt32(milliseconds) * 1000)
            case .take(let mail): self.carrier.take(mail)
            case .close: return false
            }
        }
        return true
    }

    private static func send(_ text: String, _ descriptor: CInt) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private func listen() throws -> (descriptor: CInt, port: UInt16) {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket", code: errno) }
        var reuse: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<CInt>.size))
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = self.port.bigEndian
        inet_pton(AF_INET, self.address, &place.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &place) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                bind(descriptor, place, length) == 0 && Glibc.listen(descriptor, 64) == 0
                    && getsockname(descriptor, place, &length) == 0
            }
        }
        guard isListening else {
            let code = errno
            close(descriptor)
            throw SystemError("listen", code: code)
        }
        return (descriptor, UInt16(bigEndian: place.sin_port))
    }
}
