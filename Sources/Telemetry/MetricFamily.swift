/// All series of one name.
struct MetricFamily: Sendable {
    enum Kind: String { case counter, gauge, histogram }

    enum Series: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
        case observed(@Sendable () -> Double?)
    }

    let name: String
    let help: String
    let kind: Kind
    var series: [MetricLabels: Series] = [:]

    init(name: String, help: String, kind: Kind) {
        precondition(isMetricName(name), "\(name) is no metric's name")
        self.name = name
        self.help = help
        self.kind = kind
    }

    func render(into text: inout String) {
        text += "# HELP \(self.name) \(escaped(self.help, quotes: false))\n# TYPE \(self.name) \(self.kind.rawValue)\n"
        for (labels, series) in self.series.sorted(by: { $0.key < $1.key }) {
            switch series {
            case .counter(let counter): self.render(labels, Double(counter.value), into: &text)
            case .gauge(let gauge): self.render(labels, gauge.value, into: &text)
            case .histogram(let histogram): self.render(labels, histogram, into: &text)
            case .observed(let read): if let value = read() { self.render(labels, value, into: &text) }
            }
        }
    }

    private func render(_ labels: MetricLabels, _ value: Double, into text: inout String) {
        text += "\(self.name)\(labels.rendered()) \(rendered(value))\n"
    }

    private func render(_ labels: MetricLabels, _ histogram: Histogram, into text: inout String) {
        let values = histogram.values
        var count: UInt64 = 0
        for (bound, inBucket) in zip(histogram.bounds + [.infinity], values.counts) {
            count += inBucket
            text += "\(self.name)_bucket\(labels.rendered(with: ("le", rendered(bound)))) \(count)\n"
        }
        text += "\(self.name)_sum\(labels.rendered()) \(rendered(values.sum))\n"
        text += "\(self.name)_count\(labels.rendered()) \(count)\n"
    }
}

/// A series's labels, by name in order.
struct MetricLabels: Sendable, Hashable, Comparable {
    let names: [String]
    private let values: [String]

    init(_ labels: [String: String]) {
        let sorted = labels.sorted { $0.key < $1.key }
        precondition(sorted.allSatisfy { isLabelName($0.key) }, "no label's name among \(sorted.map(\.key))")
        self.names = sorted.map(\.key)
        self.values = sorted.map(\.value)
    }

    func rendered(with extra: (name: String, value: String)? = nil) -> String {
        var pairs = zip(self.names, self.values).map { "\($0)=\"\(escaped($1, quotes: true))\"" }
        if let extra { pairs.append("\(extra.name)=\"\(extra.value)\"") }
        return pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
    }

    static func < (left: MetricLabels, right: MetricLabels) -> Bool {
        left.values.lexicographicallyPrecedes(right.values)
    }
}

// MARK: - The text format's spelling

/// Whole numbers without a point, infinities and not-a-numbers as Prometheus spells them.
private func rendered(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return Int64(exactly: value).map(String.init) ?? "\(value)"
}

private func escaped(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
        switch character {
        case "\\": escaped += "\\\\"
        case "\n": escaped += "\\n"
        case "\"" where quotes: escaped += "\\\""
        default: escaped.unicodeScalars.append(character)
        }
    }
    return escaped
}

private func isMetricName(_ name: String) -> Bool {
    isName(name[...]) { $0 == "_" || $0 == ":" }
}

/// `le` is the histograms' own, and names with two underscores in front are Prometheus's.
private func isLabelName(_ name: String) -> Bool {
    isName(name[...]) { $0 == "_" } && !name.hasPrefix("__") && name != "le"
}

private func isName(_ name: Substring, mark: (Unicode.Scalar) -> Bool) -> Bool {
    guard let first = name.unicodeScalars.first, !("0"..."9").contains(first) else { return false }
    return name.unicodeScalars.allSatisfy { character in
        ("a"..."z").contains(character) || ("A"..."Z").contains(character) || ("0"..."9").contains(character)
            || mark(character)
    }
}
