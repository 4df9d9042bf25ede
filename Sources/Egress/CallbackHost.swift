/// Whom a URL names.
enum CallbackHost {
    case name(String)
    case address(NetworkAddress)

    init(_ text: String, isBracketed: Bool) throws(CallbackURLProblem) {
        if isBracketed {
            guard !text.contains("%") else { throw .zone }
            guard text.contains(":"), let address = NetworkAddress(text) else { throw .host }
            self = .address(address)
        } else if let address = NetworkAddress(text) {
            self = .address(address)
        } else {
            self = .name(try Self.name(text.lowercased()))
        }
    }

    var text: String {
        switch self {
        case .name(let name): name
        case .address(let address): address.description
        }
    }

    /// As it stands in a URL.
    var urlText: String {
        if case .address(let address) = self, address.family == .ipv6 { "[\(address)]" } else { self.text }
    }

    func check(isSecure: Bool, port: UInt16, _ policy: EgressPolicy) throws(CallbackURLProblem) {
        guard !self.isExempt(policy) else { return }
        if case .address(let address) = self, !policy.permits(address) { throw .addressForbidden }
        if case .name(let name) = self, isLocalhost(name) { throw .addressForbidden }
        guard isSecure else { throw .needsTLS }
        guard policy.ports.contains(port) else { throw .portForbidden }
    }

    // MARK: - Private

    private func isExempt(_ policy: EgressPolicy) -> Bool {
        switch self {
        case .name(let name): name == "localhost" && policy.exemptsLocalhost
        case .address(let address): policy.exempts(address)
        }
    }

    private static func name(_ text: String) throws(CallbackURLProblem) -> String {
        guard text.last != "." else { throw .trailingDot }
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, labels.allSatisfy(isLabel), let last = labels.last else { throw .host }
        // What ends in a number is an address to much software, though not to ours.
        guard !isNumeric(last) else { throw .numericHost }
        guard labels.count > 1 || text == "localhost" else { throw .unqualifiedHost }
        return text
    }
}

/// `localhost` and all below it are this machine (RFC 6761 section 6.3).
private func isLocalhost(_ name: String) -> Bool { name == "localhost" || name.hasSuffix(".localhost") }

/// Letters, digits and hyphens inside; underscores too, which some resolve.
private func isLabel(_ label: Substring.UTF8View) -> Bool {
    let hyphen = UInt8(ascii: "-")
    return (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
        && label.allSatisfy { isDigit($0) || isLowerCaseLetter($0) || $0 == hyphen || $0 == UInt8(ascii: "_") }
}

/// Decimal digits, or `0x` and hexadecimal ones.
private func isNumeric(_ label: Substring.UTF8View) -> Bool {
    if label.allSatisfy(isDigit) { return true }
    guard label.starts(with: "0x".utf8) else { return false }
    return label.dropFirst(2).allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

private func isLowerCaseLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
