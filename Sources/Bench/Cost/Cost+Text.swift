import JSON

extension Cost {
    /// What bounds it, in one sentence without an end.
    var bound: String {
        if self.share + self.othersShare + self.stolenShare >= Self.fullShare {
            return "processors full\(self.others): \(self.processors)"
        }
        if let load = self.processor[.load], load / self.seconds >= Self.fullShare {
            return "the load generator's one thread is full\(self.others): \(self.processors)"
        }
        return "processors \(Self.percent(self.share)) busy\(self.others), the rest is waiting: \(self.processors); "
            + self.waiting
    }

    /// Who takes how much for a message, the most first, and how many a second that allows.
    var processors: String {
        let parts = Party.allCases.compactMap { party in self.microseconds(party).map { (party, $0) } }
            .filter { $0.1 >= 0.05 }.sorted { $0.1 > $1.1 }
            .map { "\($0.rawValue) \(Self.brief($1))" }
        let unseen = self.processor[.postgres] == nil ? " beside PostgreSQL, which runs elsewhere" : ""
        return "\(parts.joined(separator: ", ")) us a message\(unseen); "
            + "at most \(Quantity.grouped(self.mostPerSecond))/s on \(self.cores) core\(self.cores == 1 ? "" : "s")"
    }

    /// What it wrote.
    var writes: String {
        "\(Quantity.grouped(self.walBytes / self.messages)) bytes of WAL, "
            + "\(Self.brief(self.transactions / self.messages)) writing transactions a message"
    }

    /// What PostgreSQL's backends did, the most first.
    var waiting: String {
        let kinds = self.backends.filter { $0.value >= 0.05 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        guard !kinds.isEmpty else { return "PostgreSQL's backends were idle whenever looked at" }
        return "PostgreSQL's backends on average: "
            + kinds.prefix(4).map { "\(Self.brief($0.value)) \($0.key)" }.joined(separator: ", ")
    }

    var json: JSON {
        let processor = Party.allCases.map { party in
            JSON.Member(party.rawValue, self.microseconds(party).map { .rounded($0, 2) } ?? .null)
        }
        let backends = self.backends.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .rounded($0.value, 2)) }
        return .object([
            .init("processor_us", .object(processor)),
            .init("processors_busy_percent", .rounded(self.share * 100, 0)),
            .init("others_percent", .rounded(self.othersShare * 100, 0)),
            .init("stolen_percent", .rounded(self.stolenShare * 100, 0)),
            .init("most_per_s", .rounded(self.mostPerSecond, 0)),
            .init("wal_bytes", .rounded(self.walBytes / self.messages, 0)),
            .init("writing_transactions", .rounded(self.transactions / self.messages, 4)),
            .init("busy_backends", .object(backends)),
            .init("bound", .string(self.bound)),
        ])
    }

    // MARK: - Private

    private var others: String {
        [(self.othersShare, "other programs"), (self.stolenShare, "other virtual machines")]
            .filter { $0.0 >= Self.othersShare }
            .map { ", \(Self.percent($0.0)) by \($0.1)" }.joined()
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

    /// With as many decimals as say something.
    private static func brief(_ value: Double) -> String {
        value >= 10 ? Quantity.grouped(value) : Quantity.decimal(value, value >= 1 ? 1 : 2)
    }
}
