/// The client's side of one SMPP session: what is to be written, what each answer means, what has taken too long.
///
/// A value without a socket or a clock, so every rule can be tried with literals. ``Session`` puts a lock and a connection
/// around it.
struct SessionCore {
    typealias Instant = ContinuousClock.Instant

    enum Phase: Hashable {
        case down, binding, bound
        /// Our `unbind` is on its way.
        case unbinding
        /// The end is decided; what has been said goes out first.
        case ending(Ending)
    }

    enum Effect {
        /// All PDUs of a submission have their result.
        case finished(UInt64, [SubmitResult])
        case deliver(Delivery)
        case bound
    }

    private(set) var phase = Phase.down
    private(set) var throttles = 0
    private let configuration: Session.Configuration
    private var isClosing = false
    private var sequence: UInt32 = 0
    private var output: [UInt8] = []
    private var lastSubmission: UInt64 = 0
    private var submissions: [UInt64: Submission] = [:]
    /// Waiting for a place in the window.
    private var waiting: [Entry] = []
    /// Sent and not answered, by sequence number.
    private var window: [UInt32: Outstanding] = [:]
    /// Of those, the ones that still stand in `output`.
    private var unwritten: [UInt32] = []
    /// Submissions in a row that have had no answer in time.
    private var timeouts = 0
    private var deliveries = 0
    private var lastTraffic = Instant.now
    private var lastHeard = Instant.now
    /// When the bind, the `enquire_link` or the `unbind` under way must have been answered.
    private var answerDue: Instant?
    private var enquiry: UInt32?

    init(_ configuration: Session.Configuration) { self.configuration = configuration }

    /// Octets that may wait to be written; submissions leave half of it to answers.
    static let outputLimit = 1 << 20

    /// How many submissions are under way or wait for that.
    var load: Int { self.window.count + self.waiting.count }
    var windowInUse: Int { self.window.count }

    // MARK: - Life

    /// The connection stands: asks to be let in.
    mutating func connected(now: Instant) {
        self.output = []
        self.timeouts = 0
        self.deliveries = 0
        self.enquiry = nil
        self.lastTraffic = now
        self.lastHeard = now
        self.phase = .binding
        self.answerDue = now + self.configuration.bindTimeout
        self.send(.bind(self.configuration.kind, self.configuration.bind))
    }

    /// The connection is gone, and with it whatever was under way.
    mutating func disconnected() -> [Effect] {
        let isWritten = self.window.values.map { ($0.entry, $0.isWritten) }
        let waiting = self.waiting
        self.window = [:]
        self.waiting = []
        self.unwritten = []
        self.output = []
        self.answerDue = nil
        self.phase = .down
        return isWritten.flatMap { self.resolve($0.0, $0.1 ? .unanswered : .notSent) }
            + waiting.flatMap { self.resolve($0, .notSent) }
    }

    /// Takes no more submissions, and unbinds once those under way are answered.
    mutating func close(now: Instant) {
        self.isClosing = true
        self.unbindIfDone(now: now)
    }

    // MARK: - Submitting

    /// Takes the PDUs of one message. Returns its number, and what is decided already.
    mutating func submit(_ messages: [ShortMessage], deadline: Instant) -> (id: UInt64, effects: [Effect]) {
        self.lastSubmission += 1
        let id = self.lastSubmission
        self.submissions[id] = Submission(
            results: Array(repeating: .notSent, count: messages.count), left: messages.count)
        let entries = messages.enumerated().map { Entry(submission: id, index: $0, message: $1, deadline: deadline) }
        guard self.phase == .bound, !self.isClosing, self.configuration.kind != .receiver else {
            return (id, entries.flatMap { self.resolve($0, .notSent) })
        }
        self.waiting += entries
        return (id, self.pump())
    }

    /// Whoever submitted waits no longer. What may have been written counts as unanswered.
    mutating func abandon(_ id: UInt64) -> [Effect] {
        let waiting = self.waiting.filter { $0.submission == id }
        self.waiting.removeAll { $0.submission == id }
        let outstanding = self.window.filter { $0.value.entry.submission == id }
        for sequence in outstanding.keys { self.window[sequence] = nil }
        return waiting.flatMap { self.resolve($0, .notSent) }
            + outstanding.values.flatMap { self.resolve($0.entry, .unanswered) } + self.pump()
    }

    // MARK: - Writing

    /// What is to be written now; from here on it counts as sent.
    mutating func takeOutput(now: Instant) -> [UInt8] {
        defer { self.output = [] }
        if !self.output.isEmpty { self.lastTraffic = now }
        for sequence in self.unwritten { self.window[sequence]?.isWritten = true }
        self.unwritten.removeAll(keepingCapacity: true)
        return self.output
    }

    /// Answers a delivery.
    mutating func answer(_ delivery: Delivery, _ status: CommandStatus) {
        self.deliveries -= 1
        self.reply(delivery, status)
    }

    // MARK: - Reading

    mutating func receive(_ result: Result<PDU, PDUError>, now: Instant) -> [Effect] {
        self.lastTraffic = now
        self.lastHeard = now
        switch result {
        case .success(let pdu): return self.receive(pdu, now: now)
        case .failure(let error): return self.receive(error)
        }
    }

    /// What came is no sequence of PDUs: says so and ends.
    mutating func loseFraming() {
        self.send(.genericNack, status: .invalidCommandLength, sequence: 0)
        self.end(.framingLost)
    }

    // MARK: - Time

    /// Looks for what has taken too long, and keeps an idle session alive. To be called some ten times a second.
    mutating func tick(now: Instant) -> [Effect] {
        if let due = self.answerDue, due <= now {
            self.end(self.phase == .unbinding ? .closed : .unresponsive)
            return []
        }
        let effects = self.expire(now: now)
        if self.isUnresponsive(now: now) { self.end(.unresponsive) }
        if self.phase == .bound, self.enquiry == nil, now - self.lastTraffic >= self.configuration.enquireInterval {
            self.enquiry = self.send(.enquireLink)
            self.answerDue = now + self.configuration.enquireTimeout
        }
        self.unbindIfDone(now: now)
        return effects
    }

    // MARK: - Private

    private struct Submission {
        var results: [SubmitResult]
        var left: Int
    }

    private struct Entry {
        var submission: UInt64
        var index: Int
        var message: ShortMessage
        var deadline: Instant
    }

    private struct Outstanding {
        var entry: Entry
        var isWritten = false
    }

    /// A short pause can take many answers of one batch beyond their deadline at once, so silence must have lasted too.
    private func isUnresponsive(now: Instant) -> Bool {
        self.timeouts >= self.configuration.timeoutLimit
            && now - self.lastHeard >= self.configuration.enquireTimeout
    }

    private mutating func end(_ ending: Ending) {
        if case .ending = self.phase { return }
        self.phase = .ending(ending)
        self.answerDue = nil
    }

    private mutating func unbindIfDone(now: Instant) {
        guard self.isClosing, self.load == 0, self.deliveries == 0 else { return }
        switch self.phase {
        case .bound:
            self.phase = .unbinding
            self.answerDue = now + self.configuration.unbindTimeout
            self.send(.unbind)
        case .down, .binding: self.end(.closed)
        case .unbinding, .ending: break
        }
    }

    /// Fills the window with what waits.
    private mutating func pump() -> [Effect] {
        guard self.phase == .bound else { return [] }
        var effects: [Effect] = []
        var taken = 0
        while self.window.count < self.configuration.window, taken < self.waiting.count,
            self.output.count < Self.outputLimit / 2
        {
            let entry = self.waiting[taken]
            taken += 1
            let sequence = self.nextSequence()
            do throws(PDUError) {
                self.output += try PDU(.submit(entry.message), sequence: sequence).encoded()
                self.window[sequence] = Outstanding(entry: entry)
                self.unwritten.append(sequence)
            } catch {
                effects += self.resolve(entry, .unfit(error.field))
            }
        }
        if taken > 0 { self.waiting.removeFirst(taken) }
        return effects
    }

    private mutating func resolve(_ entry: Entry, _ result: SubmitResult) -> [Effect] {
        if case .refused(let status) = result, status.isThrottle { self.throttles += 1 }
        guard var submission = self.submissions.removeValue(forKey: entry.submission) else { return [] }
        submission.results[entry.index] = result
        submission.left -= 1
        if submission.left == 0 { return [.finished(entry.submission, submission.results)] }
        self.submissions[entry.submission] = submission
        return []
    }

    private mutating func expire(now: Instant) -> [Effect] {
        let late = self.window.filter { $0.value.entry.deadline <= now }
        for sequence in late.keys { self.window[sequence] = nil }
        self.timeouts += late.count
        let overdue = self.waiting.filter { $0.deadline <= now }
        if !overdue.isEmpty { self.waiting.removeAll { $0.deadline <= now } }
        return late.values.flatMap { self.resolve($0.entry, .unanswered) }
            + overdue.flatMap { self.resolve($0, .notSent) } + self.pump()
    }

    private mutating func receive(_ pdu: PDU, now: Instant) -> [Effect] {
        switch pdu.body {
        case .bindResponse: return self.receiveBindResponse(pdu.status, now: now)
        case .submitResponse(let body):
            return self.settle(
                pdu.sequence, pdu.status == .ok ? .accepted(messageID: body?.messageID ?? "") : .refused(pdu.status))
        case .genericNack: return self.receiveNack(pdu)
        case .deliver(let message): return self.receive(message, .deliver, pdu.sequence)
        case .data(let message): return self.receive(message.shortMessage, .data, pdu.sequence)
        case .enquireLinkResponse: self.receiveEnquiryAnswer(pdu.sequence)
        case .enquireLink: self.send(.enquireLinkResponse, sequence: pdu.sequence)
        case .unbind:
            self.send(.unbindResponse, sequence: pdu.sequence)
            self.end(self.isClosing ? .closed : .unbound)
        case .unbindResponse: if self.phase == .unbinding { self.end(.closed) }
        case .outbind, .alertNotification, .deliverResponse, .dataResponse, .submitMultiResponse, .queryResponse,
            .replaceResponse, .cancelResponse:
            break
        case .bind, .submit, .submitMulti, .query, .replace, .cancel:
            self.send(.genericNack, status: .wrongBindState, sequence: pdu.sequence)
        }
        return []
    }

    private mutating func receiveBindResponse(_ status: CommandStatus, now: Instant) -> [Effect] {
        guard self.phase == .binding else { return [] }
        self.answerDue = nil
        guard status == .ok else {
            self.end(.refused(status))
            return []
        }
        self.phase = .bound
        self.unbindIfDone(now: now)
        return [.bound]
    }

    private mutating func receiveEnquiryAnswer(_ sequence: UInt32) {
        guard self.enquiry == sequence else { return }
        self.enquiry = nil
        // That of an unbind, which may have been sent meanwhile, goes on.
        if self.phase == .bound { self.answerDue = nil }
    }

    private mutating func receiveNack(_ pdu: PDU) -> [Effect] {
        if pdu.sequence == 0 {
            self.end(.framingLost)
            return []
        }
        if self.phase == .binding {
            return self.receiveBindResponse(pdu.status == .ok ? .bindFailed : pdu.status, now: .now)
        }
        // A nack of an enquiry is a sign of life too.
        self.receiveEnquiryAnswer(pdu.sequence)
        return self.settle(pdu.sequence, .refused(pdu.status == .ok ? .systemError : pdu.status))
    }

    private mutating func settle(_ sequence: UInt32, _ result: SubmitResult) -> [Effect] {
        // One that came too late shows all the same that the SMSC answers.
        if result != .unanswered { self.timeouts = 0 }
        // Unknown then: its message has been settled.
        guard let outstanding = self.window.removeValue(forKey: sequence) else { return [] }
        return self.resolve(outstanding.entry, result) + self.pump()
    }

    private mutating func receive(_ message: ShortMessage, _ command: Command, _ sequence: UInt32) -> [Effect] {
        let delivery = Delivery(sequence: sequence, command: command, message: message)
        guard self.deliveries < Session.deliveryLimit else {
            self.reply(delivery, .queueFull)
            return []
        }
        self.deliveries += 1
        return [.deliver(delivery)]
    }

    private mutating func receive(_ error: PDUError) -> [Effect] {
        guard let header = error.header else { return [] }
        if header.isResponse {
            // Its status could be read, and a refusal has nothing else to say.
            let isRefusal = header.command == .submit && header.status != .ok
            return self.settle(header.sequence, isRefusal ? .refused(header.status) : .unanswered)
        }
        self.send(
            .genericNack, status: error.problem == .command ? .invalidCommand : .invalidMessageLength,
            sequence: header.sequence)
        return []
    }

    private mutating func reply(_ delivery: Delivery, _ status: CommandStatus) {
        let body: PDU.Body =
            delivery.command == .data ? .dataResponse(MessageResponse()) : .deliverResponse(MessageResponse())
        self.send(body, status: status, sequence: delivery.sequence)
    }

    @discardableResult
    private mutating func send(_ body: PDU.Body, status: CommandStatus = .ok, sequence: UInt32? = nil) -> UInt32 {
        let sequence = sequence ?? self.nextSequence()
        // A peer that sends and never reads would fill the memory with our answers.
        guard self.output.count < Self.outputLimit else {
            self.end(.unresponsive)
            return sequence
        }
        do throws(PDUError) {
            self.output += try PDU(body, status: status, sequence: sequence).encoded()
        } catch {
            // Only a bind can be: no SMSC takes one that does not fit.
            self.end(.refused(.bindFailed))
        }
        return sequence
    }

    private mutating func nextSequence() -> UInt32 {
        repeat {
            self.sequence = self.sequence == 0x7FFF_FFFF ? 1 : self.sequence + 1
        } while self.window[self.sequence] != nil
        return self.sequence
    }
}
