public import Crypto

/// Reads a process's settings out of its environment.
///
/// - Each read names the setting, its default and what it is for; what was read is what ``help`` lists.
/// - A read never fails. It notes the problem and returns a value that nobody must use: ``finish()`` throws all problems
///   together, and comes before anything is done with the values.
/// - `NAME_FILE` names a file that holds the value of `NAME`, without its last line feed; for mounted secrets.
/// - An empty value counts as none.
public struct SettingsReader {
    /// Bytes that a file named by `NAME_FILE` may have.
    public static let fileByteLimit = 65536

    private let environment: [String: String]
    private var problems: [String] = []
    /// What was read so far, in order.
    public private(set) var documentation: [SettingDocumentation] = []

    public init(environment: [String: String]) { self.environment = environment }

    /// Throws what was wrong with the settings read so far.
    public func finish() throws(SettingsError) {
        if !self.problems.isEmpty { throw SettingsError(problems: self.problems) }
    }

    /// Notes something that no single read can see, such as two settings that contradict each other.
    public mutating func note(_ problem: String) { self.problems.append(problem) }

    /// Variables beginning with `prefix` that no read asked for, each with the setting it may be meant for. A warning at
    /// most: what one role does not read, another may.
    public func unread(prefix: String) -> [(name: String, meant: String?)] {
        let known = Set(self.documentation.flatMap { [$0.name, $0.name + "_FILE"] })
        return self.environment.keys.filter { $0.hasPrefix(prefix) && !known.contains($0) }.sorted()
            .map { ($0, nearest(to: $0, among: known)) }
    }

    // MARK: - Reads

    /// Any text. Without a default the setting is required.
    public mutating func string(_ name: String, default: String? = nil, help: String) -> String {
        self.read(name, kind: "text", default: `default`, help: help, show: { $0 }) { $0 } ?? ""
    }

    public mutating func optionalString(_ name: String, help: String) -> String? {
        self.read(name, kind: "text", isRequired: false, help: help, show: { $0 }) { $0 }
    }

    public mutating func integer(
        _ name: String, default: Int? = nil, in range: ClosedRange<Int>, help: String
    ) -> Int {
        let value = self.read(
            name, kind: "a whole number", default: `default`, help: help, show: { "\($0)" }, parse: { Int($0) }
        )
        return self.check(name, value, in: range) { "\($0)" }
    }

    /// Written as a number and `ms`, `s`, `m` or `h`.
    public mutating func duration(
        _ name: String, default: Duration? = nil, in range: ClosedRange<Duration>, help: String
    ) -> Duration {
        let value = self.read(
            name, kind: "a duration", hint: "write a number and ms, s, m or h", default: `default`, help: help,
            show: { Spelling.text($0) }, parse: Spelling.duration
        )
        return self.check(name, value, in: range) { Spelling.text($0) }
    }

    /// In bytes; written as a number alone or with `KiB`, `MiB` or `GiB`.
    public mutating func byteCount(
        _ name: String, default: Int? = nil, in range: ClosedRange<Int>, help: String
    ) -> Int {
        let value = self.read(
            name, kind: "a size", hint: "write a number of bytes, or a number and KiB, MiB or GiB", default: `default`,
            help: help, show: { Spelling.text(bytes: $0) }, parse: Spelling.bytes
        )
        return self.check(name, value, in: range) { Spelling.text(bytes: $0) }
    }

    public mutating func boolean(_ name: String, default: Bool, help: String) -> Bool {
        self.read(
            name, kind: "a boolean", hint: "write true or false", default: `default`, help: help, show: { "\($0)" },
            parse: Spelling.boolean
        ) ?? `default`
    }

    public mutating func address(_ name: String, default: Address? = nil, help: String) -> Address {
        self.read(
            name, kind: "an address", hint: "write host:port, an IPv6 host in brackets", default: `default`, help: help,
            show: { "\($0)" }, parse: { Address($0) }
        ) ?? Address(host: "", port: 0)
    }

    public mutating func optionalAddress(_ name: String, help: String) -> Address? {
        self.read(
            name, kind: "an address", hint: "write host:port, an IPv6 host in brackets", isRequired: false, help: help,
            show: { "\($0)" }, parse: { Address($0) }
        )
    }

    /// One of a few words: the raw values of an enumeration.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, default: Choice, help: String
    ) -> Choice where Choice.RawValue == String {
        let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return self.read(
            name, kind: "one of \(words)", default: `default`, help: help, show: { $0.rawValue },
            parse: { Choice(rawValue: $0) }
        ) ?? `default`
    }

    /// A value that no problem and no help text will show. Required.
    public mutating func secret(_ name: String, help: String) -> Secret {
        self.secret(name, isRequired: true, help: help) ?? Secret("")
    }

    public mutating func optionalSecret(_ name: String, help: String) -> Secret? {
        self.secret(name, isRequired: false, help: help)
    }

    /// A value of a type of the caller's. `kind` as in "a route"; `hint` says how to write one. Nil only for a problem,
    /// or when the setting is neither there nor required.
    public mutating func value<Value>(
        _ name: String, kind: String, hint: String? = nil, default: Value? = nil, isRequired: Bool = true, help: String,
        show: (Value) -> String, parse: (String) -> Value?
    ) -> Value? {
        self.read(
            name, kind: kind, hint: hint, default: `default`, isRequired: isRequired, help: help, show: show,
            parse: parse
        )
    }

    // MARK: - Private

    private mutating func secret(_ name: String, isRequired: Bool, help: String) -> Secret? {
        self.read(name, kind: "a secret", isRequired: isRequired, help: help, show: { "\($0)" }) { Secret($0) }
    }

    private mutating func read<Value>(
        _ name: String, kind: String, hint: String? = nil, default: Value? = nil, isRequired: Bool = true, help: String,
        show: (Value) -> String, parse: (String) -> Value?
    ) -> Value? {
        let isNeeded = isRequired && `default` == nil
        self.documentation.append(
            SettingDocumentation(
                name: name, kind: kind, defaultValue: `default`.map(show), isRequired: isNeeded, help: help
            )
        )
        guard let text = self.text(of: name) else {
            let isNoted = self.problems.contains { $0.hasPrefix("\(name)_FILE: ") }
            if isNeeded && !isNoted { self.note("\(name): is not set; it needs \(kind) (\(help))") }
            return `default`
        }
        if let value = parse(text) { return value }
        self.note(
            "\(name): \(quoted(text)) is no\(kind.hasPrefix("one of") ? "t" : "") \(unarticled(kind))"
                + (hint.map { "; \($0)" } ?? ""))
        return `default`
    }

    private mutating func check<Value: Comparable>(
        _ name: String, _ value: Value?, in range: ClosedRange<Value>, show: (Value) -> String
    ) -> Value {
        guard let value else { return range.lowerBound }
        if !range.contains(value) {
            self.note("\(name): \(show(value)) is not between \(show(range.lowerBound)) and \(show(range.upperBound))")
        }
        return value
    }

    /// The value as it is written; nil when there is none, or when its file cannot be read, which is noted.
    private mutating func text(of name: String) -> String? {
        let direct = self.environment[name].flatMap { $0.isEmpty ? nil : $0 }
        guard let path = self.environment["\(name)_FILE"], !path.isEmpty else { return direct }
        if direct != nil {
            self.note("\(name)_FILE: \(name) is set too; set one of them")
            return direct
        }
        switch SettingsFile.contents(of: path, byteLimit: Self.fileByteLimit) {
        case .success(let text) where !text.isEmpty: return text
        case .success: self.note("\(name)_FILE: the file is empty")
        case .failure(let problem): self.note("\(name)_FILE: \(problem.reason)")
        }
        return nil
    }
}

/// At most 64 characters of what was written.
private func quoted(_ text: String) -> String {
    "\"\(text.prefix(64))\(text.count > 64 ? "…" : "")\""
}

/// `a duration` becomes `duration`.
private func unarticled(_ kind: String) -> Substring {
    for article in ["a ", "an "] where kind.hasPrefix(article) { return kind.dropFirst(article.count) }
    return kind[...]
}
