public import JSON

/// What a run has to say: to programs, and to people.
public struct Report: Sendable {
    /// Figures, costs and the lines of the table.
    public let json: JSON
    /// For people: a table of what is expected and what was measured, why what is not reached is not, and what each part
    /// costs.
    public let table: String

    init(members: [JSON.Member], lines: [Line], costs: CostMeter.Ledger) {
        let parts = CostedPart.allCases.compactMap { part in costs[part].map { (part, $0) } }
        self.json = .object(
            members + [
                .init("costs", .object(parts.map { .init($0.rawValue, $1.json) })),
                .init("lines", .array(lines.map(\.json))),
            ])
        let sections = [Self.table(lines), Self.explanations(lines), Self.costs(parts)]
        self.table = sections.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    // MARK: - Private

    private static func table(_ lines: [Line]) -> String {
        TextTable(head: ["what", "figure", "against", "ratio", "expected", ""], rows: lines.map(\.row)).text
    }

    private static func explanations(_ lines: [Line]) -> String {
        let texts = lines.filter { $0.isReached == false }.map { line in
            "  \(line.what): \(line.bound ?? "nothing of the machine was looked at meanwhile")"
        }
        return texts.isEmpty ? "" : "What bounds those that are not reached:\n" + texts.joined(separator: "\n")
    }

    private static func costs(_ parts: [(CostedPart, Cost)]) -> String {
        let texts = parts.map { part, cost in
            "  \(part.rawValue): \(cost.bound); \(cost.writes)"
        }
        return texts.isEmpty ? "" : "What a message takes in each part:\n" + texts.joined(separator: "\n")
    }
}
