import Crypto

/// A mail server's side of one conversation (RFC 5321), as a value: bytes in, steps out. Commands may come in one piece, as
/// with PIPELINING, or byte by byte.
struct SMTPSession {
    enum Step: Hashable {
        case reply(String)
        /// Says nothing for a while.
        case wait(milliseconds: Int)
        /// A mail has come whole, and was answered already or will be next.
        case take(SMTPMail)
        /// Ends the conversation, without a word when none stands before.
        case close
    }

    /// Bytes of one command line, and of one mail.
    static let lineLimit = 2048
    static let mailLimit = 1 << 20

    private enum Phase {
        case commands
        /// Waits for the line that a login goes on with.
        case login
        case message
    }

    /// What befalls a mail to a recipient.
    typealias Faults = (_ recipient: String) -> Fault?

    private let name: String
    /// Nil offers none.
    private let isLogin: ((_ user: String, _ password: String) -> Bool)?
    private let requiresLogin: Bool
    private var phase = Phase.commands
    private var buffer: [UInt8] = []
    private var hasLoggedIn = false
    private var sender: String?
    private var recipient: String?
    private var message: [UInt8] = []
    private var fault: Fault?

    /// `requiresLogin`: whether a mail may not come without a login, where there is one.
    init(
        name: String, isLogin: ((_ user: String, _ password: String) -> Bool)?, requiresLogin: Bool = true
    ) {
        self.name = name
        self.isLogin = isLogin
        self.requiresLogin = requiresLogin && isLogin != nil
    }

    var greeting: Step { .reply("220 \(self.name) ESMTP") }

    mutating func receive(_ bytes: some Sequence<UInt8>, faults: Faults) -> [Step] {
        self.buffer += bytes
        var steps: [Step] = []
        while steps.last != .close, let end = self.buffer.firstIndex(of: 0x0A) {
            let line = self.buffer[..<end].last == 0x0D ? self.buffer[..<(end - 1)] : self.buffer[..<end]
            let copy = Array(line)
            self.buffer.removeSubrange(...end)
            steps += self.take(copy, faults)
        }
        if self.buffer.count > Self.lineLimit { steps += [.reply("500 5.5.2 line too long"), .close] }
        return steps
    }

    // MARK: - Private

    private mutating func take(_ line: [UInt8], _ faults: Faults) -> [Step] {
        switch self.phase {
        case .commands: self.command(String(decoding: line, as: UTF8.self), faults)
        case .login: self.logIn(String(decoding: line, as: UTF8.self))
        case .message: self.messageLine(line)
        }
    }

    private mutating func command(_ line: String, _ faults: Faults) -> [Step] {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        let rest = words.count > 1 ? words[1] : ""
        switch words.first?.uppercased() {
        case "EHLO":
            self.reset()
            let login = self.isLogin == nil ? "" : "250-AUTH PLAIN\r\n"
            return [.reply("250-\(self.name)\r\n250-PIPELINING\r\n250-8BITMIME\r\n\(login)250 ENHANCEDSTATUSCODES")]
        case "HELO":
            self.reset()
            return [.reply("250 \(self.name)")]
        case "AUTH": return self.authenticate(rest)
        case "MAIL": return self.begin(rest)
        case "RCPT": return self.address(rest, faults)
        case "DATA": return self.data()
        case "RSET":
            self.reset()
            return [.reply("250 2.0.0 reset")]
        case "NOOP": return [.reply("250 2.0.0 here")]
        case "QUIT": return [.reply("221 2.0.0 bye"), .close]
        default: return [.reply("502 5.5.1 no such command")]
        }
    }

    private mutating func reset() {
        self.sender = nil
        self.recipient = nil
        self.fault = nil
        self.message = []
    }

    private mutating func authenticate(_ rest: String) -> [Step] {
        let words = rest.split(separator: " ").map(String.init)
        guard words.first?.uppercased() == "PLAIN" else { return [.reply("504 5.5.4 no such mechanism")] }
        guard words.count > 1 else {
            self.phase = .login
            return [.reply("334 ")]
        }
        return self.logIn(words[1])
    }

    private mutating func logIn(_ text: String) -> [Step] {
        self.phase = .commands
        let pieces = (Base64.decode(text) ?? []).split(separator: 0, omittingEmptySubsequences: false)
        guard pieces.count == 3, let isLogin = self.isLogin,
            isLogin(String(decoding: pieces[1], as: UTF8.self), String(decoding: pieces[2], as: UTF8.self))
        else { return [.reply("535 5.7.8 not these credentials")] }
        self.hasLoggedIn = true
        return [.reply("235 2.7.0 welcome")]
    }

    private mutating func begin(_ rest: String) -> [Step] {
        guard !self.requiresLogin || self.hasLoggedIn else { return [.reply("530 5.7.0 log in first")] }
        guard let sender = Self.path(rest, after: "FROM:") else { return [.reply("501 5.5.4 no sender")] }
        self.reset()
        self.sender = sender
        return [.reply("250 2.1.0 go on")]
    }

    private mutating func address(_ rest: String, _ faults: Faults) -> [Step] {
        guard self.sender != nil else { return [.reply("503 5.5.1 MAIL first")] }
        guard self.recipient == nil else { return [.reply("452 4.5.3 one recipient a mail")] }
        guard let recipient = Self.path(rest, after: "TO:"), !recipient.isEmpty else {
            return [.reply("501 5.5.4 no recipient")]
        }
        self.fault = faults(recipient)
        switch self.fault?.kind {
        case .refuse: return [.reply(self.fault?.code ?? "550 5.1.1 nobody here")]
        case .throttle: return [.reply(self.fault?.code ?? "450 4.7.1 greylisted, come again")]
        case .internalError: return [.reply("451 4.3.0 trouble here")]
        case .closeBeforeRead: return [.close]
        default:
            self.recipient = recipient
            return [.reply("250 2.1.5 go on")]
        }
    }

    private mutating func data() -> [Step] {
        guard self.recipient != nil else { return [.reply("503 5.5.1 RCPT first")] }
        self.phase = .message
        return [.reply("354 end with a dot")]
    }

    private mutating func messageLine(_ line: [UInt8]) -> [Step] {
        guard line == [UInt8(ascii: ".")] else {
            guard self.message.count + line.count <= Self.mailLimit else {
                return [.reply("552 5.3.4 too large"), .close]
            }
            self.message += line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]
            self.message += [0x0D, 0x0A]
            return []
        }
        defer { self.reset() }
        self.phase = .commands
        let mail = SMTPMail(sender: self.sender ?? "", recipient: self.recipient ?? "", message: self.message)
        return [.take(mail)] + self.answer(mail)
    }

    private func answer(_ mail: SMTPMail) -> [Step] {
        let taken = Step.reply("250 2.0.0 Ok: queued as \(mail.queueID)")
        return switch self.fault?.kind {
        case .slow: [.wait(milliseconds: self.fault?.milliseconds ?? 0), taken]
        case .dropAnswer: [.close]
        case .garbage: [.reply("<html><body><h1>It works!</h1></body></html>"), .close]
        default: [taken]
        }
    }

    /// What stands between the angle brackets; parameters behind them are not looked at.
    private static func path(_ text: String, after mark: String) -> String? {
        guard text.prefix(mark.count).uppercased() == mark else { return nil }
        let rest = text.dropFirst(mark.count).drop { $0 == " " }
        guard rest.first == "<", let end = rest.firstIndex(of: ">") else { return nil }
        return String(rest.dropFirst()[..<end])
    }
}

/// A mail as it came in.
struct SMTPMail: Hashable {
    var sender: String
    var recipient: String
    /// Without the doubled dots.
    var message: [UInt8]

    /// What the server calls it: the same for the same mail.
    var queueID: String { Hex.encode(Digest.sha256.hash(self.message).prefix(5)).uppercased() }
}
