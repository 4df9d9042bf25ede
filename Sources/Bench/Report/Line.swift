import JSON

/// One line of the table: a figure, what it is measured against, and what is expected of it.
struct Line: Sendable {
    /// What is expected.
    enum Expectation: Sendable, Hashable {
        /// The figure divided by what it is measured against: so much, or more.
        case atLeast(Double)
        /// So much, or less.
        case atMost(Double)
        /// The figure itself.
        case below(Double)
    }

    enum Unit: String, Sendable {
        case perSecond = "/s"
        case milliseconds = " ms"
        case mebibytes = " MiB"
    }

    /// In snake case, as in the JSON object.
    var name: String
    var what: String
    var unit: Unit
    /// Nil when it could not be measured.
    var figure: Double?
    /// The floor, or the same without what is tried.
    var against: Double?
    var expectation: Expectation
    var cost: Cost?
    /// What was seen that explains it, where that is not the cost.
    var note: String?

    /// Why it is no better, as far as was seen.
    var bound: String? { self.note ?? self.cost?.bound }

    var ratio: Double? {
        guard let figure, let against, against > 0 else { return nil }
        return figure / against
    }

    /// Nil without a figure.
    var isReached: Bool? {
        switch self.expectation {
        case .atLeast(let least): self.ratio.map { $0 >= least }
        case .atMost(let most): self.ratio.map { $0 <= most }
        case .below(let limit): self.figure.map { $0 < limit }
        }
    }

    var json: JSON {
        .object([
            .init("name", .string(self.name)),
            .init("what", .string(self.what)),
            .init("figure", self.figure.map { .rounded($0, 2) } ?? .null),
            .init("unit", .string(self.unit.rawValue.trimmed)),
            .init("against", self.against.map { .rounded($0, 2) } ?? .null),
            .init("ratio", self.ratio.map { .rounded($0, 3) } ?? .null),
            .init("expected", .string(self.expectation.text)),
            .init("reached", self.isReached.map { .bool($0) } ?? .null),
            .init("bound", JSON(self.bound)),
        ])
    }

    /// What it is in columns.
    var row: [String] {
        [
            self.what, self.text(self.figure), self.text(self.against),
            self.ratio.map { Quantity.decimal($0, 2) } ?? "", self.expectation.text,
            self.isReached.map { $0 ? "reached" : "NOT REACHED" } ?? "not measured",
        ]
    }

    private func text(_ figure: Double?) -> String {
        guard let figure else { return "" }
        let digits = figure >= 100 ? Quantity.grouped(figure) : Quantity.decimal(figure, figure >= 10 ? 1 : 2)
        return digits + self.unit.rawValue
    }
}

extension Line.Expectation {
    var text: String {
        switch self {
        case .atLeast(let least): "ratio >= \(Self.plain(least))"
        case .atMost(let most): "ratio <= \(Self.plain(most))"
        case .below(let limit): "< \(Self.plain(limit))"
        }
    }

    private static func plain(_ value: Double) -> String {
        if value == value.rounded() { return Quantity.grouped(value) }
        let text = Quantity.decimal(value, 2)
        return text.hasSuffix("0") ? String(text.dropLast()) : text
    }
}

extension String {
    fileprivate var trimmed: String { self.hasPrefix(" ") ? String(self.dropFirst()) : self }
}
