import CCurl

/// The client's thread at work: adds, drives, ends and cancels transfers.
///
/// Lives on that thread alone, as libcurl's multi handle and all its easy handles must.
final class TransferLoop {
    private let multi: UnsafeMutableRawPointer
    private let configuration: WebClient.Configuration
    /// What transfers pass before they are dialled; nil without a policy.
    private let gate: EgressGate?
    private var running: [UInt64: any TransferHandle] = [:]
    private var idle: [EasyHandle] = []
    /// No running transfer's deadline is before this; nil when none runs.
    private var earliestDeadline: ContinuousClock.Instant?

    /// Borrows `multi`, which must outlive the loop.
    init(_ multi: UnsafeMutableRawPointer, _ configuration: WebClient.Configuration) {
        self.multi = multi
        self.configuration = configuration
        self.gate = configuration.egress.map { EgressGate($0, configuration) }
    }

    var isIdle: Bool { self.running.isEmpty && self.gate?.isEmpty ?? true }

    func begin(_ transfer: Transfer) {
        if let gate { gate.admit(transfer) } else { self.dial(transfer) }
    }

    /// Mails go where the operator says: no policy of ours judges that.
    func begin(_ transfer: MailTransfer) {
        guard let handle = MailHandle(transfer) else { return transfer.fail(.notSent, "memory is short") }
        self.run(handle, transfer.ticket)
    }

    /// An unknown ticket has ended already.
    func cancel(_ ticket: UInt64) {
        self.gate?.cancel(ticket)
        guard let handle = self.running.removeValue(forKey: ticket) else { return }
        curl_multi_remove_handle(self.multi, handle.easy)
        handle.cancel()
    }

    /// Reads and writes what can be read and written, and ends what has ended.
    func advance() {
        for judged in self.gate?.takeJudged() ?? [] { self.dial(judged.transfer, by: judged.route) }
        self.drive()
        self.expire()
    }

    /// Sleeps until a socket is ready, a timeout is due, or somebody calls `curl_multi_wakeup`.
    func wait() {
        let patience = self.earliestDeadline.map { $0 - .now } ?? longestSleep
        guard let gate else { return self.poll(for: patience, nil, 0) }
        var sockets = gate.sockets.map { socket in
            curl_waitfd(fd: socket.descriptor, events: socket.events, revents: 0)
        }
        self.poll(for: min(patience, gate.patience), &sockets, CUnsignedInt(sockets.count))
        gate.heed(sockets.filter { $0.revents != 0 }.map(\.fd))
    }

    // MARK: - Private

    private func dial(_ transfer: Transfer, by route: Route? = nil) {
        guard let handle = self.idle.popLast() ?? EasyHandle(self.configuration) else {
            return transfer.fail(.notSent, "memory is short")
        }
        handle.begin(transfer, by: route)
        self.run(handle, transfer.ticket)
    }

    private func run(_ handle: any TransferHandle, _ ticket: UInt64) {
        guard curl_multi_add_handle(self.multi, handle.easy) == CURLM_OK else {
            return handle.finish(CURLE_FAILED_INIT)
        }
        self.running[ticket] = handle
        self.earliestDeadline = min(self.earliestDeadline ?? handle.deadline, handle.deadline)
    }

    private func drive() {
        var runningCount: CInt = 0
        curl_multi_perform(self.multi, &runningCount)
        var remainingCount: CInt = 0
        while let message = curl_multi_info_read(self.multi, &remainingCount) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = message.pointee.data.result
            // From here on `message` dangles.
            curl_multi_remove_handle(self.multi, easy)
            guard let ticket = ticket(of: easy), let handle = self.running[ticket] else { continue }
            self.end(handle, ticket, code)
        }
    }

    private func poll(for patience: Duration, _ sockets: UnsafeMutablePointer<curl_waitfd>?, _ count: CUnsignedInt) {
        // Rounded up: waking a moment early would mean waking many times.
        let milliseconds = min(max(.zero, patience), longestSleep) / .milliseconds(1) + 1
        curl_multi_poll(self.multi, sockets, count, CInt(milliseconds), nil)
    }

    /// Ends the transfers whose time is over. libcurl (7.88) sees to that itself, except for those that wait for a
    /// connection because of a limit: these it never looks at.
    private func expire() {
        guard let earliest = self.earliestDeadline else { return }
        let now = ContinuousClock.now
        guard now >= earliest else { return }
        for (ticket, handle) in self.running.filter({ $0.value.deadline <= now }) {
            curl_multi_remove_handle(self.multi, handle.easy)
            self.end(handle, ticket, CURLE_OPERATION_TIMEDOUT)
        }
        self.earliestDeadline = self.running.values.map(\.deadline).min()
    }

    private func end(_ handle: any TransferHandle, _ ticket: UInt64, _ code: CURLcode) {
        self.running[ticket] = nil
        handle.finish(code)
        // A failure may leave something behind in the handle: libcurl (7.88) remembers that it wanted to rewind a body
        // for another try, and does so in the handle's next request.
        if code == CURLE_OK, self.idle.count < idleLimit, let handle = handle as? EasyHandle {
            self.idle.append(handle)
        }
    }
}

/// Nothing needs it; it bounds what a lost wake-up could cost.
private let longestSleep: Duration = .seconds(60)

/// Free handles kept, all of which have seen no failure; each holds some tens of kilobytes of buffers.
private let idleLimit = 256
