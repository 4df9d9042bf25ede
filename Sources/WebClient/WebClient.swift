import CCurl
import Glibc
public import HTTP
import Polling
import Synchronization

/// Sends HTTP requests, and mails by SMTP, many at a time, on one thread.
///
/// libcurl's multi handle may be used from one thread only, apart from `curl_multi_wakeup`. So one thread owns it;
/// tasks leave transfers in an inbox, wake the thread and suspend.
///
/// A request is written at most once unless it is repeatable; ``WebClientError/Kind`` tells whether the server may
/// have it. Redirects are not followed, proxies not used, certificates verified.
public final class WebClient: Sendable {
    private enum Message: Sendable {
        case begin(Transfer)
        case beginMail(MailTransfer)
        case cancel(ticket: UInt64)
    }

    private enum Phase { case fresh, running, stopping, stopped }

    private struct Inbox {
        var messages: [Message] = []
        var nextTicket: UInt64 = 0
        var phase = Phase.fresh
        var stopped: [CheckedContinuation<Void, Never>] = []
    }

    /// Made here, driven by the thread, woken from anywhere, and cleaned up when neither can reach it any more.
    private nonisolated(unsafe) let multi: UnsafeMutableRawPointer
    private let configuration: Configuration
    private let inbox = Mutex(Inbox())

    public init(_ configuration: Configuration = Configuration()) {
        _ = libraryIsReady
        guard let multi = curl_multi_init() else { preconditionFailure("no memory for a single HTTP client") }
        self.multi = multi
        self.configuration = configuration
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.keptConnectionLimit)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionLimitPerHost)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.connectionLimit)
    }

    deinit { curl_multi_cleanup(self.multi) }

    /// Starts the client's thread, which lives until ``stop()``. Requests sent before wait for it.
    public func start() {
        let isFresh = self.inbox.withLock { inbox in
            defer { if inbox.phase == .fresh { inbox.phase = .running } }
            return inbox.phase == .fresh
        }
        precondition(isFresh, "a client is started once")
        Thread.detach(name: "web-client") { self.loop() }
    }

    /// Refuses new requests, waits until those under way have ended, and ends the thread.
    public func stop() async {
        await withCheckedContinuation { continuation in
            let isStopped = self.inbox.withLock { inbox -> Bool in
                if inbox.phase == .fresh { inbox.phase = .stopped }
                guard inbox.phase != .stopped else { return true }
                inbox.phase = .stopping
                inbox.stopped.append(continuation)
                return false
            }
            if isStopped { continuation.resume() } else { curl_multi_wakeup(self.multi) }
        }
    }

    /// Sends a request and waits for its whole response, whatever its status.
    ///
    /// A cancelled task leaves at once with `.cancelled` and its connection is closed.
    public func send(_ request: WebRequest) async throws(WebClientError) -> HTTPResponse {
        try Self.check(request)
        guard !Task.isCancelled else { throw WebClientError(.cancelled, reason: "the request was cancelled") }
        return try await self.outcome { .begin(Transfer(request, ticket: $0, continuation: $1)) }.get()
    }

    /// Hands a mail to a server and waits for its last reply, whatever that says. Connections are kept for later mails of
    /// the same account, and shared by nobody at once.
    ///
    /// A cancelled task leaves at once with `.cancelled` and its connection is closed.
    public func send(_ mail: MailRequest) async throws(WebClientError) -> MailReply {
        guard mail.isSendable else { throw WebClientError(.notSent, reason: "an address or a name cannot be sent") }
        guard !Task.isCancelled else { throw WebClientError(.cancelled, reason: "the mail was cancelled") }
        return try await self.outcome { .beginMail(MailTransfer(ticket: $0, request: mail, continuation: $1)) }.get()
    }

    // MARK: - Private

    /// Posts what `begin` makes of a ticket, and waits for its outcome.
    private func outcome<Outcome: Sendable>(
        _ begin: (_ ticket: UInt64, _ continuation: CheckedContinuation<Outcome, Never>) -> Message
    ) async -> Outcome {
        let ticket = self.inbox.withLock { inbox in
            defer { inbox.nextTicket += 1 }
            return inbox.nextTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.post(begin(ticket, continuation))
                // A cancellation from before the line above has found nothing to cancel.
                if Task.isCancelled { self.post(.cancel(ticket: ticket)) }
            }
        } onCancel: {
            self.post(.cancel(ticket: ticket))
        }
    }

    /// A line break in a method or field would be a second field, or a second request.
    private static func check(_ request: WebRequest) throws(WebClientError) {
        let isSendable =
            HTTPFields.isSendable(name: request.method, value: "")
            && request.fields.all.allSatisfy { HTTPFields.isSendable(name: $0.name, value: $0.value) }
        guard isSendable else { throw WebClientError(.notSent, reason: "the method or a field cannot be sent") }
    }

    private func post(_ message: Message) {
        let (isTaken, isFirst) = self.inbox.withLock { inbox in
            guard inbox.phase != .stopped else { return (false, false) }
            inbox.messages.append(message)
            return (true, inbox.messages.count == 1)
        }
        // The thread takes all messages at a time, so one wake-up serves those that follow it, too.
        if isFirst { curl_multi_wakeup(self.multi) }
        if !isTaken { Self.refuse(message) }
    }

    private static func refuse(_ message: Message) {
        switch message {
        case .begin(let transfer): transfer.fail(.notSent, "the client has stopped")
        case .beginMail(let transfer): transfer.fail(.notSent, "the client has stopped")
        case .cancel: break
        }
    }

    // MARK: - On the client's thread

    private func loop() {
        blockBrokenPipeSignal()
        do {
            let loop = TransferLoop(self.multi, self.configuration)
            while self.takeMessages(into: loop) {
                loop.advance()
                // A stop whose last transfer has just ended is not woken again.
                if !loop.isIdle || !self.isStopping { loop.wait() }
            }
        }
        // The loop's handles are gone, and with them all but the multi handle itself.
        let stopped = self.inbox.withLock { inbox in
            defer { inbox.stopped = [] }
            return inbox.stopped
        }
        for continuation in stopped { continuation.resume() }
    }

    private var isStopping: Bool { self.inbox.withLock { $0.phase == .stopping } }

    /// False when the client has been told to stop and nothing is under way.
    private func takeMessages(into loop: TransferLoop) -> Bool {
        let (messages, isStopping) = self.inbox.withLock { inbox in
            defer { inbox.messages = [] }
            let isDone = inbox.phase == .stopping && inbox.messages.isEmpty && loop.isIdle
            if isDone { inbox.phase = .stopped }
            return (inbox.messages, inbox.phase != .running)
        }
        for message in messages {
            switch message {
            case .begin where isStopping, .beginMail where isStopping: Self.refuse(message)
            case .begin(let transfer): loop.begin(transfer)
            case .beginMail(let transfer): loop.begin(transfer)
            case .cancel(let ticket): loop.cancel(ticket)
            }
        }
        return !isStopping || !messages.isEmpty || !loop.isIdle
    }
}

/// Keeps a write to a closed connection from killing the process: OpenSSL writes without `MSG_NOSIGNAL`, and libcurl,
/// told to leave signals alone, does not ignore this one.
private func blockBrokenPipeSignal() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
}

/// libcurl wants to be told once that a process will use it.
private let libraryIsReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
