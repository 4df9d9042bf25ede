public import Crypto
import Messaging

/// Where mails are handed over, and how, as an account says it.
public struct MailServer: Sendable {
    public enum Security: String, Sendable, Hashable {
        case tls
        case startTLS = "starttls"
        case none
    }

    public enum Login: Sendable {
        case none
        case plain(user: String, password: Secret)
        case login(user: String, password: Secret)
        case xoauth2(user: String, token: Secret)
    }

    public var host: String
    public var port: UInt16
    public var security: Security
    public var greeting: String
    public var login: Login
    public var certificateFile: String?

    init(from reader: inout AccountReader, url: String, sender: Mailbox) {
        let place = Self.place(url)
        if place == nil { reader.problem("the URL is neither smtp://HOST:PORT nor smtps://HOST:PORT") }
        self.host = place?.host ?? ""
        self.port = place?.port ?? 0
        let security = reader.setting("security", default: Security.startTLS, expected: "starttls or none") {
            $0 == "tls" ? nil : Security(rawValue: $0)
        }
        self.security = place?.isImplicit == true ? .tls : security
        self.greeting = reader.setting(
            "ehlo_name", default: String(sender.address.domain), expected: "a host's name"
        ) { EmailAddress("x@\($0)") == nil && $0 != "localhost" ? nil : $0 }
        self.login = Self.login(&reader)
        self.certificateFile = reader.setting("ca_file", default: nil, expected: "the path of a file") {
            // The outer optional says whether it was understood.
            $0.hasPrefix("/") ? .some($0) : String??.none
        }
        if self.security == .none, case .none = self.login {
        } else if self.security == .none {
            reader.problem("setting security is none, and credentials would travel in the clear")
        }
    }

    // MARK: - Private

    private static func place(_ url: String) -> (host: String, port: UInt16, isImplicit: Bool)? {
        for (scheme, port) in [("smtp://", 587), ("smtps://", 465)] as [(String, UInt16)] where url.hasPrefix(scheme) {
            let rest = url.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
            guard rest.count == 1 || rest.count == 2 && rest[1].isEmpty else { return nil }
            guard let (host, given) = self.hostAndPort(rest[0]) else { return nil }
            return (host, given ?? port, scheme == "smtps://")
        }
        return nil
    }

    /// Nil for what is none: no user, no blank, no second address.
    private static func hostAndPort(_ text: Substring) -> (host: String, port: UInt16?)? {
        let end = text.last == "]" ? nil : text.lastIndex(of: ":")
        let host = end.map { text[..<$0] } ?? text
        let isBracketed = host.first == "[" && host.last == "]"
        let isName = host.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E: true
            case 0x3A, 0x5B, 0x5D: isBracketed
            default: false
            }
        }
        guard !host.isEmpty, isName else { return nil }
        guard let end else { return (String(host), nil) }
        guard let port = UInt16(text[text.index(after: end)...]), port > 0 else { return nil }
        return (String(host), port)
    }

    private static func login(_ reader: inout AccountReader) -> Login {
        let kind = reader.setting("auth", default: "plain", expected: "plain, login or xoauth2") {
            ["plain", "login", "xoauth2"].contains($0) ? $0 : nil
        }
        let (user, password, token) = (
            reader.credential("username"), reader.credential("password"), reader.credential("token")
        )
        guard let user else {
            if password != nil || token != nil { reader.problem("credential username is missing") }
            return .none
        }
        let secret = kind == "xoauth2" ? token : password
        guard let secret else {
            reader.problem("credential \(kind == "xoauth2" ? "token" : "password") is missing")
            return .none
        }
        return switch kind {
        case "login": .login(user: user.text, password: secret)
        case "xoauth2": .xoauth2(user: user.text, token: secret)
        default: .plain(user: user.text, password: secret)
        }
    }
}
