import Synchronization

/// A process's numbers, in Prometheus's text format 0.0.4.
///
/// Asking twice for the same name and labels gives the same instrument; a caller keeps it, since asking takes a lock.
/// A name belongs to one kind and one set of label names.
public final class Metrics: Sendable {
    /// Label combinations a name may have. Those beyond are given an instrument that is never rendered, and counted in
    /// `telemetry_series_refused_total`: a mistake in a label must not eat the memory.
    public static let seriesLimit = 1000

    private struct State {
        var families: [String: MetricFamily] = [:]
        var refused = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// By custom the name ends in `_total`.
    public func counter(_ name: String, help: String, labels: [String: String] = [:]) -> Counter {
        let series = self.series(name, help, .counter, labels) { .counter(Counter()) }
        guard case .counter(let counter) = series else { preconditionFailure("\(name) is observed by a closure") }
        return counter
    }

    public func gauge(_ name: String, help: String, labels: [String: String] = [:]) -> Gauge {
        let series = self.series(name, help, .gauge, labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = series else { preconditionFailure("\(name) is observed by a closure") }
        return gauge
    }

    /// By custom the name ends in the unit, as in `_seconds`. The first caller's buckets hold.
    public func histogram(
        _ name: String, help: String, buckets: [Double] = Histogram.latencyBuckets, labels: [String: String] = [:]
    ) -> Histogram {
        let series = self.series(name, help, .histogram, labels) { .histogram(Histogram(bounds: buckets)) }
        guard case .histogram(let histogram) = series else { preconditionFailure("\(name) is no histogram") }
        return histogram
    }

    /// Renders what `read` returns at that moment; nothing when it returns nil. A second closure replaces the first.
    public func observeGauge(
        _ name: String, help: String, labels: [String: String] = [:], read: @escaping @Sendable () -> Double?
    ) {
        self.observe(name, help, .gauge, labels, read)
    }

    /// As ``observeGauge(_:help:labels:read:)``, for a number that only grows.
    public func observeCounter(
        _ name: String, help: String, labels: [String: String] = [:], read: @escaping @Sendable () -> Double?
    ) {
        self.observe(name, help, .counter, labels, read)
    }

    /// All series, by name and labels in order. To be served as `text/plain; version=0.0.4`.
    public func render() -> String {
        // Closures are called outside the lock: they may take locks of their own.
        let (families, refused) = self.state.withLock { ($0.families, $0.refused) }
        var text = ""
        for name in families.keys.sorted() { families[name]?.render(into: &text) }
        if refused > 0 {
            var family = MetricFamily(
                name: "telemetry_series_refused_total", help: "Series beyond the limit of their name.", kind: .counter
            )
            family.series[MetricLabels([:])] = .observed { Double(refused) }
            family.render(into: &text)
        }
        return text
    }

    // MARK: - Private

    private func series(
        _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ labels: [String: String],
        make: () -> MetricFamily.Series
    ) -> MetricFamily.Series {
        let labels = MetricLabels(labels)
        return self.state.withLock { state in
            let family = Self.family(name, help, kind, labels, in: &state)
            if let series = family.series[labels] { return series }
            let series = make()
            Self.add(series, labels, to: family, in: &state)
            return series
        }
    }

    private func observe(
        _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ labels: [String: String],
        _ read: @escaping @Sendable () -> Double?
    ) {
        let labels = MetricLabels(labels)
        self.state.withLock { state in
            let family = Self.family(name, help, kind, labels, in: &state)
            Self.add(.observed(read), labels, to: family, in: &state)
        }
    }

    private static func family(
        _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ labels: MetricLabels, in state: inout State
    ) -> MetricFamily {
        let family = state.families[name] ?? MetricFamily(name: name, help: help, kind: kind)
        precondition(family.kind == kind, "\(name) is a \(family.kind.rawValue), not a \(kind.rawValue)")
        if let other = family.series.keys.first {
            precondition(other.names == labels.names, "\(name) has labels \(other.names), not \(labels.names)")
        }
        return family
    }

    private static func add(
        _ series: MetricFamily.Series, _ labels: MetricLabels, to family: MetricFamily, in state: inout State
    ) {
        var family = family
        if family.series[labels] == nil && family.series.count >= Self.seriesLimit {
            state.refused += 1
        } else {
            family.series[labels] = series
            state.families[family.name] = family
        }
    }
}
