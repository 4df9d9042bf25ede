import Crypto
import Egress
import HTTP

/// Reads a provider's account and collects every problem, so that an operator mends all of them in one go.
///
/// Names that nobody reads are problems too: a mistyped `signature_secret` must not turn signatures off in silence.
struct AccountReader {
    private let account: ProviderAccount
    private var problems: [String] = []
    private var credentialNames: Set<String> = []
    private var settingNames: Set<String> = []

    init(_ account: ProviderAccount) { self.account = account }

    mutating func problem(_ text: String) { self.problems.append(text) }

    /// The credential; nil when it is not given. An empty one, or one that no header could carry, is a problem.
    mutating func credential(_ name: String) -> Secret? {
        self.credentialNames.insert(name)
        guard let secret = self.account.credentials[name] else { return nil }
        if secret.isEmpty || !HTTPFields.isSendable(name: "x", value: secret.text) {
            self.problem("credential \(name) is empty or holds control characters")
        }
        return secret
    }

    /// The credential, which may have several lines; nil when it is not given.
    mutating func multilineCredential(_ name: String) -> Secret? {
        self.credentialNames.insert(name)
        return self.account.credentials[name]
    }

    /// The credential; a problem, and an empty secret, when it is not given.
    mutating func requiredCredential(_ name: String) -> Secret {
        if let secret = self.credential(name) { return secret }
        self.problem("credential \(name) is missing")
        return Secret("")
    }

    /// The setting as `read` understands it, or the default when it is not given.
    mutating func setting<Value>(
        _ name: String, default value: Value, expected: String, _ read: (String) -> Value?
    ) -> Value {
        self.settingNames.insert(name)
        guard let text = self.account.settings[name] else { return value }
        if let value = read(text) { return value }
        self.problem("setting \(name) is not \(expected)")
        return value
    }

    /// The setting as it stands; a problem, and an empty text, when it is not given or could not stand in a path.
    mutating func requiredSetting(_ name: String) -> String {
        self.settingNames.insert(name)
        let text = self.account.settings[name] ?? ""
        if text.isEmpty || PercentEncoding.encode(text) != text {
            self.problem("setting \(name) is missing, or holds more than letters, digits and -._~")
        }
        return text
    }

    /// The setting as it stands; nil when it is not given.
    mutating func optionalSetting(_ name: String) -> String? {
        self.setting(name, default: nil, expected: "a text") { $0.isEmpty ? String??.none : .some($0) }
    }

    /// A whole number within bounds.
    mutating func number(_ name: String, default value: Int, in range: ClosedRange<Int>) -> Int {
        self.setting(name, default: value, expected: "\(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// The kind's own table of codes with the operator's lines over it.
    mutating func table(_ builtIn: StatusTable) -> StatusTable {
        do throws(StatusTableError) {
            return builtIn.patched(with: try StatusTable(parsing: self.account.codes))
        } catch {
            self.problem("codes: \(error)")
            return builtIn
        }
    }

    /// The base URL without a slash at its end.
    mutating func baseURL() -> String {
        var url = self.account.baseURL[...]
        while url.last == "/" { url.removeLast() }
        if !Self.isAbsolute(url) || url.contains("?") { self.problem("the base URL is no http or https URL") }
        let isPermitted = self.setting("insecure", default: false, expected: "true or false") {
            ["true": true, "false": false][$0]
        }
        // Credentials and texts go there.
        if url.hasPrefix("http://"), !isPermitted, !Self.isLoopback(url) {
            self.problem("the base URL is not https; in a network of your own set insecure to true")
        }
        return String(url)
    }

    /// The host, the port and whether to encrypt, of `smpp://HOST:PORT` or `smpps://HOST:PORT`.
    mutating func smppURL() -> (host: String, port: UInt16, isEncrypted: Bool) {
        let url = self.account.baseURL
        for (scheme, port, isEncrypted) in [("smpp://", UInt16(2775), false), ("smpps://", 3550, true)] {
            guard url.hasPrefix(scheme) else { continue }
            var place = url.dropFirst(scheme.count)
            if place.last == "/" { place.removeLast() }
            if let (host, port) = Self.hostAndPort(place, default: port) { return (host, port, isEncrypted) }
        }
        self.problem("the URL is not smpp://HOST:PORT or smpps://HOST:PORT")
        return ("", 0, false)
    }

    /// The address for receipts without a slash at its end, so that a path can follow.
    mutating func receiptURL() -> String? {
        guard var url = self.account.receiptURL?[...] else { return nil }
        while url.last == "/" { url.removeLast() }
        if !Self.isAbsolute(url) { self.problem("the receipt URL is no http or https URL") }
        return String(url)
    }

    /// Reports the names that were not asked for, and throws when there is any problem.
    consuming func finish() throws(ProviderProblems) {
        for name in self.account.credentials.names where !self.credentialNames.contains(name) {
            self.problem("credential \(name) is not known")
        }
        for name in self.account.settings.keys.sorted() where !self.settingNames.contains(name) {
            self.problem("setting \(name) is not known")
        }
        guard self.problems.isEmpty else {
            throw ProviderProblems(account: self.account.name, problems: self.problems)
        }
    }

    // MARK: - Private

    /// A name or an address, in brackets when it holds colons, and a port.
    private static func hostAndPort(_ text: Substring, default port: UInt16) -> (host: String, port: UInt16)? {
        var host = text
        var port = port
        let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map { text.index(after: $0) } : nil
        if let colon = text[(end ?? text.startIndex)...].firstIndex(of: ":") {
            guard let number = UInt16(text[text.index(after: colon)...]), number > 0 else { return nil }
            (host, port) = (text[..<colon], number)
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        // Nothing that begins a path, a query or a password.
        let isHost =
            !host.isEmpty && host.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            && !host.contains { "/?#@[]".contains($0) }
        return isHost ? (String(host), port) : nil
    }

    /// This machine, of a URL that begins with `http://`.
    private static func isLoopback(_ url: Substring) -> Bool {
        let place = url.dropFirst("http://".count).prefix { $0 != "/" }
        if place.hasPrefix("[") { return place.hasPrefix("[::1]") }
        let host = place.prefix { $0 != ":" }
        return host == "localhost"
            || Network("127.0.0.0/8").flatMap { loopback in
                NetworkAddress(host).map { loopback.contains($0) }
            } == true
    }

    private static func isAbsolute(_ url: Substring) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else { return false }
        let rest = url.dropFirst(scheme.count)
        // No fragment, no space, no user: a password in a URL ends in a log.
        return !rest.isEmpty && rest.first != "/" && rest.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            && !rest.contains("#") && !rest.contains("@")
    }
}
