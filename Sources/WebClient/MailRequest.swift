/// One mail to one recipient, handed to an SMTP server. Holds credentials and content, so it prints its address only.
public struct MailRequest: Sendable {
    /// How the connection is kept from being read by others.
    public enum Security: Sendable, Hashable {
        /// TLS from the first byte; for `smtps`.
        case tls
        /// Begins in the clear; nothing but the greeting is said before STARTTLS has succeeded.
        case startTLS
        /// None: for a relay on the same machine or in a network of its own.
        case none
    }

    /// How the client shows who it is.
    public enum Authentication: Sendable, Hashable {
        case none
        case plain(user: String, password: String)
        case login(user: String, password: String)
        /// With a token of OAuth 2.0 in the place of a password.
        case xoauth2(user: String, token: String)
    }

    /// A name or an address, in brackets when it is IPv6.
    public var host: String
    public var port: UInt16
    /// What the client calls itself in EHLO.
    public var greeting: String
    public var security: Security
    public var authentication: Authentication
    /// A file of certificates in PEM to trust in place of the system's.
    public var certificateFile: String?
    /// Of the envelope: where bounces go. Empty for nowhere.
    public var sender: String
    /// Of the envelope.
    public var recipient: String
    /// Fields and body, in lines that end with CRLF. Dots are doubled by the client.
    public var message: [UInt8]
    /// For everything, from waiting for a connection to the reply. 1 ms at least.
    public var timeout: Duration
    /// For name look-up, connecting, TLS and the greeting. 1 ms at least.
    public var connectTimeout: Duration

    public init(
        host: String, port: UInt16, greeting: String, security: Security, authentication: Authentication = .none,
        certificateFile: String? = nil, sender: String, recipient: String, message: [UInt8],
        timeout: Duration = .seconds(30), connectTimeout: Duration = .seconds(5)
    ) {
        self.host = host
        self.port = port
        self.greeting = greeting
        self.security = security
        self.authentication = authentication
        self.certificateFile = certificateFile
        self.sender = sender
        self.recipient = recipient
        self.message = message
        self.timeout = timeout
        self.connectTimeout = connectTimeout
    }

    /// libcurl takes the name for EHLO from the path.
    var url: String { "\(self.security == .tls ? "smtps" : "smtp")://\(self.host):\(self.port)/\(self.greeting)" }

    /// Whether nothing in it could be taken for another command, or for another part of the address.
    var isSendable: Bool {
        let isHost = !self.host.isEmpty && self.host.utf8.allSatisfy { Self.isName($0) || "[]:".utf8.contains($0) }
        let isGreeting = !self.greeting.isEmpty && self.greeting.utf8.allSatisfy(Self.isName)
        return isHost && isGreeting && !self.recipient.isEmpty
            && (self.sender + self.recipient).utf8.allSatisfy(Self.isOfPath)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isOfPath(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
    }
}

extension MailRequest: CustomStringConvertible, CustomReflectable {
    public var description: String { "mail by \(self.host):\(self.port)" }
    public var customMirror: Mirror { Mirror(self, children: ["mail": self.description]) }
}

/// The last that an SMTP server said of a mail.
public struct MailReply: Sendable, Hashable {
    /// 200...599.
    public var code: Int
    /// Its lines without the code, as the server wrote them; it may quote addresses.
    public var text: String

    public init(code: Int, text: String) {
        self.code = code
        self.text = text
    }
}
