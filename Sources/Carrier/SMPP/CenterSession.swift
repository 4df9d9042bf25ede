import Lifecycle
import SMPP
import Synchronization

/// One client's session with the carrier's SMSC.
final class CenterSession: Sendable {
    /// What becomes of a submission's answer.
    enum Answer: Sendable {
        case status(CommandStatus, id: String?, after: Duration)
        /// Never given.
        case none
        case nack, unbind
        /// The connection is closed instead.
        case close
        /// No PDU at all.
        case garbage
    }

    private struct Shared {
        var output: [UInt8] = []
        var client: (name: String, kind: BindKind)?
        var sequence: UInt32 = 0
        /// Receipts that were sent and are not answered.
        var pending: [UInt32: Pending] = [:]
        /// Those that wait until one of these is.
        var waiting: ArraySlice<Waiting> = []
        /// Closes once all is written.
        var isEnding = false
    }

    private struct Pending {
        var due: ContinuousClock.Instant
        var conclude: @Sendable (Bool) -> Void
    }

    private struct Waiting {
        var message: ShortMessage
        var conclude: @Sendable (Bool) -> Void
    }

    /// Receipts that are sent and not answered, at once: an SMSC keeps a window, too (SMPP 3.4 section 2.9), and does not throw all
    /// that it has at a client that is a moment behind.
    static let window = 100

    private static let count = Atomic<UInt64>(0)
    /// How often it is looked for receipts without an answer.
    private static let tick = Duration.milliseconds(200)

    /// Of all sessions of this process.
    let number: UInt64
    private let link: Link
    private let carrier: Carrier
    private let shared = Mutex(Shared())
    private let output = Signal()

    init(_ link: Link, carrier: Carrier) {
        self.number = Self.count.add(1, ordering: .relaxed).newValue
        self.link = link
        self.carrier = carrier
    }

    /// The client that is bound so that it gets receipts; nil when none is.
    var receivingClient: String? {
        self.shared.withLock { shared in shared.client.flatMap { $0.kind == .transmitter ? nil : $0.name } }
    }

    func run() async {
        await withTaskGroup { group in
            group.addTask { await self.write() }
            group.addTask { await self.read() }
            group.addTask { await self.watch() }
            await group.next()
            group.cancelAll()
            self.link.shutDown()
        }
        self.concludeAll()
    }

    /// Asks the client to go.
    func unbind() {
        self.send(.unbind)
        self.end()
    }

    /// Sends a receipt; `conclude` is told whether it was taken.
    func deliver(_ message: ShortMessage, conclude: @escaping @Sendable (Bool) -> Void) {
        self.shared.withLock { shared in
            shared.waiting.append(Waiting(message: message, conclude: conclude))
            self.fillWindow(&shared)
        }
        self.output.ring()
    }

    // MARK: - Private

    private func write() async {
        while !Task.isCancelled {
            let (octets, isEnding) = self.shared.withLock { shared in
                defer { shared.output = [] }
                return (shared.output, shared.isEnding)
            }
            if octets.isEmpty {
                if isEnding { return }
                await self.output.wait()
                continue
            }
            do { try await self.link.write(octets) } catch { return }
        }
    }

    private func watch() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.tick)
            let now = ContinuousClock.now
            self.conclude { $0.due <= now }
        }
    }

    private func read() async {
        await withDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            while !Task.isCancelled {
                do {
                    for pdu in try await self.link.receive() {
                        switch pdu {
                        case .success(let pdu): await self.take(pdu, in: &group)
                        case .failure(let error): self.refuse(error)
                        }
                    }
                    self.output.ring()
                } catch is PDUError {
                    self.append(PDU(.genericNack, status: .invalidCommandLength, sequence: 0))
                    self.end()
                    // The writer says so and closes.
                    await Signal().wait()
                } catch {
                    return
                }
            }
        }
    }

    private func take(_ pdu: PDU, in group: inout DiscardingTaskGroup) async {
        switch pdu.body {
        case .bind(let kind, let bind): self.bind(bind, kind, pdu.sequence)
        case .submit(let message): await self.submit(message, pdu.sequence, in: &group)
        case .enquireLink: self.append(PDU(.enquireLinkResponse, sequence: pdu.sequence))
        case .unbind:
            self.append(PDU(.unbindResponse, sequence: pdu.sequence))
            self.end()
        case .deliverResponse, .genericNack:
            self.conclude(pdu.sequence, isTaken: pdu.body != .genericNack && pdu.status == .ok)
        case .unbindResponse: self.end()
        case let body where body.isResponse: break
        default: self.append(PDU(.genericNack, status: .invalidCommand, sequence: pdu.sequence))
        }
    }

    private func bind(_ bind: Bind, _ kind: BindKind, _ sequence: UInt32) {
        let isBound = self.shared.withLock { $0.client != nil }
        let status = isBound ? .alreadyBound : self.carrier.admit(bind)
        guard status == .ok else {
            return self.append(PDU(.bindResponse(kind, nil), status: status, sequence: sequence))
        }
        self.shared.withLock { $0.client = (bind.systemID, kind) }
        var response = BindResponse(systemID: "carrier")
        response.parameters.append(.interfaceVersion, octet: 0x34)
        self.append(PDU(.bindResponse(kind, response), sequence: sequence))
    }

    private func submit(_ message: ShortMessage, _ sequence: UInt32, in group: inout DiscardingTaskGroup) async {
        guard let client = self.shared.withLock({ $0.client }), client.kind != .receiver else {
            return self.append(PDU(.submitResponse(nil), status: .wrongBindState, sequence: sequence))
        }
        switch await self.carrier.submit(message, by: client.name, over: self) {
        case .status(let status, let id, after: .zero): self.answer(sequence, status, id)
        case .status(let status, let id, let delay):
            group.addTask {
                // Cancelled, nobody listens any more.
                try? await Task.sleep(for: delay)
                self.answer(sequence, status, id)
                self.output.ring()
            }
        case .none: break
        case .nack: self.append(PDU(.genericNack, status: .systemError, sequence: sequence))
        case .unbind: self.unbind()
        case .close: self.link.shutDown()
        case .garbage: self.shared.withLock { $0.output += Array("<html><body><h1>It works!</h1></body></html>".utf8) }
        }
    }

    private func answer(_ sequence: UInt32, _ status: CommandStatus, _ id: String?) {
        self.append(PDU(.submitResponse(id.map { MessageResponse(messageID: $0) }), status: status, sequence: sequence))
    }

    private func refuse(_ error: PDUError) {
        guard let header = error.header, !header.isResponse else { return }
        let status: CommandStatus = error.problem == .command ? .invalidCommand : .invalidMessageLength
        self.append(PDU(.genericNack, status: status, sequence: header.sequence))
    }

    private func fillWindow(_ shared: inout Shared) {
        let due = ContinuousClock.now + self.carrier.configuration.postTimeout
        while shared.pending.count < Self.window, let next = shared.waiting.popFirst() {
            let sequence = Self.next(&shared)
            shared.pending[sequence] = Pending(due: due, conclude: next.conclude)
            Self.append(PDU(.deliver(next.message), sequence: sequence), to: &shared)
        }
    }

    private func conclude(_ sequence: UInt32, isTaken: Bool) {
        let pending = self.shared.withLock { shared in
            defer { self.fillWindow(&shared) }
            return shared.pending.removeValue(forKey: sequence)
        }
        pending?.conclude(isTaken)
    }

    /// Gives up receipts that were not answered.
    private func conclude(where isOver: (Pending) -> Bool) {
        let over = self.shared.withLock { shared in
            let over = shared.pending.filter { isOver($0.value) }
            for sequence in over.keys { shared.pending[sequence] = nil }
            self.fillWindow(&shared)
            return over
        }
        self.output.ring()
        for pending in over.values { pending.conclude(false) }
    }

    /// The session has ended: nothing more is sent over it.
    private func concludeAll() {
        let (pending, waiting) = self.shared.withLock { shared in
            defer { (shared.pending, shared.waiting) = ([:], []) }
            return (shared.pending, shared.waiting)
        }
        for pending in pending.values { pending.conclude(false) }
        for waiting in waiting { waiting.conclude(false) }
    }

    private func send(_ body: PDU.Body) {
        self.shared.withLock { shared in Self.append(PDU(body, sequence: Self.next(&shared)), to: &shared) }
        self.output.ring()
    }

    private func end() {
        self.shared.withLock { $0.isEnding = true }
        self.output.ring()
    }

    private func append(_ pdu: PDU) { self.shared.withLock { Self.append(pdu, to: &$0) } }

    private static func append(_ pdu: PDU, to shared: inout Shared) {
        // What does not fit is a mistake of the simulator's settings, and as good as lost.
        shared.output += (try? pdu.encoded()) ?? []
    }

    private static func next(_ shared: inout Shared) -> UInt32 {
        shared.sequence = shared.sequence == 0x7FFF_FFFF ? 1 : shared.sequence + 1
        return shared.sequence
    }
}

/// All sessions with the carrier's SMSC.
final class CenterSessions: Sendable {
    private let sessions = Mutex<[CenterSession]>([])

    var count: Int { self.sessions.withLock { $0.count } }

    func insert(_ session: CenterSession) { self.sessions.withLock { $0.append(session) } }
    func remove(_ session: CenterSession) { self.sessions.withLock { $0.removeAll { $0 === session } } }
    func closeAll() { for session in self.sessions.withLock({ $0 }) { session.unbind() } }

    /// The session that a client gets a receipt over: any that receives, if there is none as asked for.
    func receiver(at place: SMPPReceiptPlace) -> CenterSession? {
        let receivers = self.sessions.withLock { $0 }.filter { $0.receivingClient == place.client }
        return receivers.first { ($0.number == place.session) != place.isElsewhere } ?? receivers.first
    }
}
