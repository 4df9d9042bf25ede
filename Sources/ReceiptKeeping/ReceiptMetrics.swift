import Store
public import Telemetry

/// What is counted of receipts.
public struct ReceiptMetrics: Sendable {
    let stored: Counter
    let unmatched: Counter
    let joined: Counter
    let dropped: Counter
    let duplicated: Counter
    /// From accepted to final.
    let delivery: Histogram
    private let metrics: Metrics

    public init(_ metrics: Metrics) {
        self.metrics = metrics
        self.stored = metrics.counter("pinpost_receipts_total", help: "Receipts stored and applied.")
        self.unmatched = metrics.counter(
            "pinpost_receipts_unmatched_total", help: "Receipts kept because their message was not known.")
        self.joined = metrics.counter("pinpost_receipts_joined_total", help: "Kept receipts joined to their message.")
        self.dropped = metrics.counter(
            "pinpost_receipts_dropped_total", help: "Kept receipts given up because no message claimed them.")
        self.duplicated = metrics.counter(
            "pinpost_duplicates_total", help: "Messages that a second provider delivered too.")
        self.delivery = metrics.histogram(
            "pinpost_delivery_seconds", help: "From accepted to delivered or undelivered.")
    }

    func count(_ counts: ReceiptCounts) {
        self.stored.add(counts.stored)
        self.unmatched.add(counts.unmatched)
        self.duplicated.add(counts.duplicated)
        for age in counts.finished { self.delivery.observe(age) }
    }

    public func refused(_ reason: String) -> Counter {
        self.metrics.counter(
            "pinpost_receipts_refused_total", help: "Callbacks refused, by reason.", labels: ["reason": reason])
    }
}
