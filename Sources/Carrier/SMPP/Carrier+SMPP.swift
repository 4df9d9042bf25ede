import Alphabets
import Crypto
import Messaging
import SMPP
import Synchronization

extension Carrier {
    /// Whether a client is let in.
    func admit(_ bind: Bind) -> CommandStatus {
        self.state.withLock { $0[.smpp].requests += 1 }
        let account = self.configuration.smpp
        if account.systemID.isEmpty, self.configuration.acceptsAnyCredential { return .ok }
        guard !account.systemID.isEmpty, bind.systemID == account.systemID else { return .invalidSystemID }
        return Secret(bind.password) == account.password ? .ok : .invalidPassword
    }

    /// Takes one part of a message, or says what becomes of it instead.
    func submit(
        _ message: ShortMessage, by client: String, over session: CenterSession
    ) async -> CenterSession.Answer {
        let number = "+\(message.destination.text)"
        let now = ContinuousClock.now
        let (isTooFast, fault) = self.state.withLock { state in
            state[.smpp].requests += 1
            return (
                !state.smpp.throughput.allows(self.configuration.smpp.perSecond, at: now),
                state.faults.takeForRequest(to: [number], of: .smpp)
            )
        }
        switch fault?.kind {
        case .closeBeforeRead: return .close
        case .internalError: return self.refuse(.systemError)
        case .nack: return .nack
        case .unbind: return .unbind
        case .throttle: return self.refuse(.throttled)
        default: break
        }
        if isTooFast { return self.refuse(.throttled) }
        return await self.take(message, to: number, by: client, over: session, fault)
    }

    /// Sends a receipt over a session of the client it is for; `conclude` is told whether it was taken.
    func deliver(_ post: ReceiptPost, conclude: @escaping @Sendable (Bool) -> Void) {
        guard let place = SMPPReceiptPlace(post.url), let session = self.smppSessions.receiver(at: place) else {
            return conclude(false)
        }
        let receipt = SMPPReceipt(receipt: post.receipts[0], now: self.now())
        session.deliver(receipt.message(for: self.configuration.smpp), conclude: conclude)
    }

    // MARK: - Private

    private func refuse(_ status: CommandStatus) -> CenterSession.Answer {
        self.state.withLock { $0[.smpp].refused += 1 }
        return .status(status, id: nil, after: self.configuration.smpp.latency)
    }

    private func take(
        _ message: ShortMessage, to number: String, by client: String, over session: CenterSession, _ fault: Fault?
    ) async -> CenterSession.Answer {
        guard isRecipient(message.destination.text) else { return self.refuse(.invalidDestination) }
        let messageFault = self.state.withLock { $0.faults.takeForMessage(to: number, of: .smpp) }
        if messageFault?.kind == .refuse { return self.refuse(Self.status(messageFault?.code)) }
        let place = SMPPReceiptPlace(
            session: session.number,
            isElsewhere: self.configuration.smpp.reportsElsewhere || messageFault?.kind == .receiptElsewhere,
            client: client)
        let (id, taken) = self.store(message, to: number, reportingTo: place)
        await self.arrangeReceipts(for: taken, fault: messageFault)
        let latency = self.configuration.smpp.latency
        switch fault?.kind {
        case .dropAnswer: return .close
        case .silence: return .none
        case .garbage: return .garbage
        case .slow: return .status(.ok, id: id, after: latency + .milliseconds(fault?.milliseconds ?? 0))
        default: return .status(.ok, id: id, after: latency)
        }
    }

    private func store(
        _ message: ShortMessage, to number: String, reportingTo place: SMPPReceiptPlace
    ) -> (id: String, taken: TakenMessage) {
        let part = SMPPPart(message, alphabet: self.configuration.smpp.alphabet)
        let now = self.now()
        return self.state.withLock { state in
            let sequence = state.smpp.nextID(&state.random)
            let taken = TakenMessage(
                provider: .smpp, to: number, from: message.source.text, content: .text(TextContent(part.text)),
                reference: nil, ids: [self.configuration.smpp.receiptIDs.text(of: sequence)], segments: 1,
                receiptURL: message.registeredDelivery & 0x03 == 0 ? nil : place.url,
                wantsIntermediate: message.registeredDelivery & 0x10 != 0, takenAt: now)
            if let text = state.smpp.parts.add(part, from: message.source.text, to: number) {
                var whole = taken
                whole.content = .text(TextContent(text))
                whole.segments = part.total
                state.take(whole)
            }
            return (self.configuration.smpp.ids.text(of: sequence), taken)
        }
    }

    /// The status that somebody asked for; an invalid destination unless they said which.
    private static func status(_ code: String?) -> CommandStatus {
        guard let code else { return .invalidDestination }
        let number = code.hasPrefix("0x") ? UInt32(code.dropFirst(2), radix: 16) : UInt32(code)
        return number.map { CommandStatus(rawValue: $0) } ?? .invalidDestination
    }
}

/// What the SMSC remembers under the carrier's lock.
struct SMPPState {
    var throughput = Throughput()
    var parts = SMPPParts()
    private var lastID: UInt64?

    /// Ten digits that grow.
    mutating func nextID(_ random: inout CarrierRandom) -> UInt64 {
        let id = self.lastID.map { $0 + 1 } ?? 1_000_000_000 + random.next() % 1_000_000_000
        self.lastID = id
        return id
    }

    /// Submissions of the second that runs.
    struct Throughput {
        private var since = ContinuousClock.now
        private var count = 0

        /// Whether one more may come now; 0 is no limit.
        mutating func allows(_ perSecond: Int, at now: ContinuousClock.Instant) -> Bool {
            if now - self.since >= .seconds(1) { (self.since, self.count) = (now, 0) }
            guard perSecond > 0 else { return true }
            self.count += 1
            return self.count <= perSecond
        }
    }
}

/// Where a receipt goes, written in the place where other contracts have an address.
struct SMPPReceiptPlace: Hashable {
    /// The number of the session that submitted.
    var session: UInt64
    var isElsewhere: Bool
    var client: String

    var url: String { "smpp:\(self.session):\(self.isElsewhere ? 1 : 0):\(self.client)" }

    init(session: UInt64, isElsewhere: Bool, client: String) {
        self.session = session
        self.isElsewhere = isElsewhere
        self.client = client
    }

    init?(_ url: String) {
        let pieces = url.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
        guard pieces.count == 4, let session = UInt64(pieces[1]) else { return nil }
        self.init(session: session, isElsewhere: pieces[2] == "1", client: String(pieces[3]))
    }
}
