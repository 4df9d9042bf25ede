import CCurl

/// A libcurl handle for one mail. libcurl keeps the connection, and the next mail of the same account goes on in it.
///
/// Owned by the client's thread, as ``EasyHandle`` is.
final class MailHandle: TransferHandle {
    let easy: UnsafeMutableRawPointer
    let deadline: ContinuousClock.Instant
    let ticket: UInt64
    private var transfer: MailTransfer?
    private let request: MailRequest
    private var takenByteCount = 0
    private var reply = IncomingReply()
    private var recipients: UnsafeMutablePointer<curl_slist>?

    /// Nil when memory is short.
    init?(_ transfer: MailTransfer) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        self.ticket = transfer.ticket
        self.request = transfer.request
        self.deadline = .now + transfer.request.timeout
        self.transfer = transfer
        self.setHabits()
        self.setCallbacks()
        self.setAuthentication()
        self.setMail()
    }

    deinit {
        curl_easy_cleanup(self.easy)
        curl_slist_free_all(self.recipients)
    }

    func finish(_ code: CURLcode) {
        let outcome = self.outcome(code)
        self.transfer.take()?.finish(outcome)
    }

    func cancel() { self.transfer.take()?.fail(.cancelled, "the mail was cancelled") }

    // MARK: - Options

    private func setHabits() {
        ccurl_set_long(self.easy, CURLOPT_NOSIGNAL, 1)
        ccurl_set_long(self.easy, CURLOPT_QUICK_EXIT, 1)
        ccurl_set_long(self.easy, CURLOPT_TCP_NODELAY, 1)
        ccurl_set_long(self.easy, CURLOPT_MAXAGE_CONN, Self.keptConnectionSeconds)
        ccurl_set_string(self.easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        // An empty proxy also turns off those the environment names.
        ccurl_set_string(self.easy, CURLOPT_PROXY, "")
        // A server that does not offer TLS gets neither a password nor a mail.
        let level = self.request.security == .none ? CURLUSESSL_NONE : CURLUSESSL_ALL
        ccurl_set_long(self.easy, CURLOPT_USE_SSL, Int(level.rawValue))
        if let file = self.request.certificateFile { ccurl_set_string(self.easy, CURLOPT_CAINFO, file) }
    }

    private func setCallbacks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        self.setTicket(self.ticket)
        ccurl_set_pointer(self.easy, CURLOPT_HEADERDATA, context)
        ccurl_set_pointer(self.easy, CURLOPT_READDATA, context)
        ccurl_set_data_callback(self.easy, CURLOPT_HEADERFUNCTION, onReplyLine)
        ccurl_set_data_callback(self.easy, CURLOPT_READFUNCTION, onMessageWanted)
        // A message that has been written is never written again.
        ccurl_set_seek_callback(self.easy) { _, _, _ in CURL_SEEKFUNC_FAIL }
    }

    private func setAuthentication() {
        switch self.request.authentication {
        case .none: break
        case .plain(let user, let password): self.setLogin(user, "AUTH=PLAIN", CURLOPT_PASSWORD, password)
        case .login(let user, let password): self.setLogin(user, "AUTH=LOGIN", CURLOPT_PASSWORD, password)
        case .xoauth2(let user, let token): self.setLogin(user, "AUTH=XOAUTH2", CURLOPT_XOAUTH2_BEARER, token)
        }
    }

    private func setLogin(_ user: String, _ mechanism: String, _ option: CURLoption, _ secret: String) {
        ccurl_set_string(self.easy, CURLOPT_USERNAME, user)
        ccurl_set_string(self.easy, CURLOPT_LOGIN_OPTIONS, mechanism)
        ccurl_set_string(self.easy, option, secret)
    }

    private func setMail() {
        ccurl_set_string(self.easy, CURLOPT_URL, self.request.url)
        ccurl_set_long(self.easy, CURLOPT_TIMEOUT_MS, self.request.timeout.wholeMilliseconds)
        ccurl_set_long(self.easy, CURLOPT_CONNECTTIMEOUT_MS, self.request.connectTimeout.wholeMilliseconds)
        ccurl_set_string(self.easy, CURLOPT_MAIL_FROM, self.request.sender)
        self.recipients = curl_slist_append(nil, self.request.recipient)
        ccurl_set_pointer(self.easy, CURLOPT_MAIL_RCPT, self.recipients)
        ccurl_set_long(self.easy, CURLOPT_UPLOAD, 1)
        ccurl_set_offset(self.easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(self.request.message.count))
    }

    /// A connection unused for longer is not used again: many servers close them after a minute or less.
    private static let keptConnectionSeconds = 20

    // MARK: - While it runs

    fileprivate func takeMessage(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let message = self.request.message
        let count = min(buffer.count, message.count - self.takenByteCount)
        message.withUnsafeBytes { bytes in
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(self.takenByteCount).prefix(count)))
        }
        self.takenByteCount += count
        return count
    }

    fileprivate func receiveLine(_ line: UnsafeRawBufferPointer) { self.reply.take(line) }

    // MARK: - At the end

    private func outcome(_ code: CURLcode) -> MailTransfer.Outcome {
        let status = ccurl_get_long(self.easy, CURLINFO_RESPONSE_CODE)
        if self.isRefusedSession(code) {
            return .failure(WebClientError(.notSent, reason: "the server refused the session"))
        }
        // A refusal is an answer, whatever libcurl makes of it.
        if code == CURLE_OK || status >= 400 {
            return .success(MailReply(code: status, text: self.reply.code == status ? self.reply.text : ""))
        }
        if code == CURLE_LOGIN_DENIED {
            return .success(MailReply(code: Self.refusedLogin, text: "the server offers no such authentication"))
        }
        // The mail counts from the dot behind its last byte, which libcurl writes after it has taken that byte.
        let isIncomplete = self.takenByteCount < self.request.message.count
        let reason = String(cString: curl_easy_strerror(code))
        return .failure(WebClientError(isIncomplete ? .notSent : .answerLost, reason: reason))
    }

    /// Whether the greeting, EHLO or STARTTLS was refused: that speaks of the server, or of all mails of ours, and not of this
    /// one. libcurl has an error of its own for each; the first it gives for the reply to a whole mail as well.
    private func isRefusedSession(_ code: CURLcode) -> Bool {
        self.takenByteCount == 0
            && [CURLE_WEIRD_SERVER_REPLY, CURLE_REMOTE_ACCESS_DENIED, CURLE_USE_SSL_FAILED].contains(code)
    }

    /// What a server says that does not know the credentials (RFC 4954 section 6).
    private static let refusedLogin = 535
}

/// An SMTP reply as it arrives, line by line; each reply takes the place of the one before.
struct IncomingReply {
    private(set) var code = 0
    private(set) var text = ""
    private var isWhole = true

    /// The answer to QUIT, which libcurl sends behind a refusal, and which must not hide that.
    private static let farewell = 221
    /// Of the text of one reply, in bytes; the rest is left out.
    static let textLimit = 2048

    mutating func take(_ line: some Collection<UInt8>) {
        let bytes = Array(line)
        guard bytes.count >= 3, let code = Int(String(decoding: bytes[..<3], as: UTF8.self)), code != Self.farewell
        else { return }
        if self.isWhole { (self.code, self.text) = (code, "") }
        self.isWhole = bytes.count < 4 || bytes[3] != UInt8(ascii: "-")
        let rest = bytes.dropFirst(4).filter { $0 != 0x0D && $0 != 0x0A }
        let room = Self.textLimit - self.text.utf8.count
        self.text += (self.text.isEmpty ? "" : " ") + String(decoding: rest.prefix(max(0, room)), as: UTF8.self)
    }
}

private func handle(_ context: UnsafeMutableRawPointer?) -> MailHandle {
    // libcurl gives back what `setCallbacks` gave it, while the handle lives.
    Unmanaged<MailHandle>.fromOpaque(context!).takeUnretainedValue()
}

private let onReplyLine: ccurl_data_callback = { bytes, size, count, context in
    handle(context).receiveLine(UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}

private let onMessageWanted: ccurl_data_callback = { bytes, size, count, context in
    handle(context).takeMessage(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
}
