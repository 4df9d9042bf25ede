public import JSON

/// What a look-up tells of a number.
public struct NumberFacts: Sendable, Hashable {
    public enum Reachability: String, Sendable, Hashable, CaseIterable {
        /// A network says that it is reached.
        case reachable
        /// Nobody has it: a text to it is a waste. Not one whose telephone is off for the moment.
        case unreachable
        case unknown
    }

    public enum LineType: String, Sendable, Hashable, CaseIterable {
        case mobile, landline, voip, premium, pager, other, unknown
        case tollFree = "toll_free"
    }

    public var reachability: Reachability
    public var lineType: LineType
    /// The mobile country and network code, as in `22801`.
    public var network: String?
    /// Whether it has left the network that its prefix belongs to.
    public var isPorted: Bool?
    /// Of being used to pump messages, 0 to 100; nil when nobody says.
    public var risk: Int?

    public init(
        reachability: Reachability, lineType: LineType = .unknown, network: String? = nil, isPorted: Bool? = nil,
        risk: Int? = nil
    ) {
        self.reachability = reachability
        self.lineType = lineType
        self.network = network
        self.isPorted = isPorted
        self.risk = risk
    }
}

extension NumberFacts {
    /// As they are stored.
    public var json: JSON {
        [
            "reachability": .string(self.reachability.rawValue), "line_type": .string(self.lineType.rawValue),
            "network": .init(self.network), "ported": self.isPorted.map { .bool($0) } ?? .null,
            "risk": self.risk.map { .init($0) } ?? .null,
        ]
    }

    /// Nil for what ``json`` would not have written; of another version's words the unknown ones are unknown.
    public init?(_ json: JSON) {
        guard let reachability = json["reachability"]?.string else { return nil }
        self.init(
            reachability: Reachability(rawValue: reachability) ?? .unknown,
            lineType: json["line_type"]?.string.flatMap(LineType.init) ?? .unknown, network: json["network"]?.string,
            isPorted: json["ported"]?.bool, risk: json["risk"]?.integer.map { Int($0) })
    }
}
