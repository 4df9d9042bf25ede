import JSON

/// A fault, and whom it befalls how often.
struct FaultRule: Sendable, Hashable {
    var fault: Fault
    /// Nil for all.
    var provider: Provider?
    /// What the recipient begins with: a number with its plus sign, or an address; nil for every recipient.
    var to: String?
    /// Nil for ever.
    var remaining: Int?

    func befalls(_ recipient: String, of provider: Provider) -> Bool {
        (self.provider == nil || self.provider == provider) && (self.to.map(recipient.hasPrefix) ?? true)
    }

    var json: JSON {
        .object(
            [
                JSON.Member("fault", .string(self.fault.kind.rawValue)),
                JSON.Member("milliseconds", JSON(self.fault.milliseconds)),
                self.fault.code.map { JSON.Member("code", .string($0)) },
                self.provider.map { JSON.Member("provider", .string($0.rawValue)) },
                self.to.map { JSON.Member("to", .string($0)) },
                self.remaining.map { JSON.Member("times", JSON($0)) },
            ].compactMap(\.self)
        )
    }
}

extension FaultRule {
    /// Why a rule is none.
    struct Problem: Error { let reason: String }

    /// Reads what `POST /faults` brings. Members that mean nothing are refused: a mistyped one would test nothing.
    init(_ json: JSON) throws(Problem) {
        guard let members = json.members else { throw Problem(reason: "a fault is an object, not \(json.kind)") }
        let known = ["fault", "provider", "to", "times", "milliseconds", "code"]
        if let unknown = members.first(where: { !known.contains($0.name) }) {
            throw Problem(reason: "\(unknown.name): no such member")
        }
        let kind = try Self.word(json, "fault", of: Fault.Kind.self)
        guard let kind else { throw Problem(reason: "fault: is missing") }
        self.provider = try Self.word(json, "provider", of: Provider.self)
        self.fault = Fault(
            kind, milliseconds: try Self.number(json, "milliseconds", in: 0...3_600_000),
            code: try Self.text(json, "code") { (1...32).contains($0.utf8.count) }
        )
        // Digits alone are a number whose plus sign was forgotten.
        self.to = try Self.text(json, "to") { !$0.allSatisfy(\.isNumber) }
        self.remaining = try Self.number(json, "times", in: 1...1_000_000)
    }

    private static func word<Word: RawRepresentable & CaseIterable>(
        _ json: JSON, _ name: String, of type: Word.Type
    ) throws(Problem) -> Word? where Word.RawValue == String {
        guard let value = json[name] else { return nil }
        if let word = value.string.flatMap(Word.init(rawValue:)) { return word }
        throw Problem(reason: "\(name): must be one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    private static func number(
        _ json: JSON, _ name: String, in range: ClosedRange<Int>
    ) throws(Problem) -> Int? {
        guard let value = json[name] else { return nil }
        if let number = value.integer, range.contains(Int(number)) { return Int(number) }
        throw Problem(reason: "\(name): must be a number between \(range.lowerBound) and \(range.upperBound)")
    }

    private static func text(_ json: JSON, _ name: String, isFit: (String) -> Bool) throws(Problem) -> String? {
        guard let value = json[name] else { return nil }
        if let text = value.string, isFit(text) { return text }
        throw Problem(reason: "\(name): \(name == "to" ? "must begin with a plus sign" : "must be a code as text")")
    }
}
