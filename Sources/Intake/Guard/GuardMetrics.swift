import Guard
import Telemetry

struct GuardMetrics: Sendable {
    let softCaps: Counter
    let lacksFeedback: Counter
    private let metrics: Metrics
    /// By reason; made once, for every message of a flood of them counts.
    private let refusals: [GuardReason: Counter]
    private let watches: [GuardReason: Counter]

    init(_ metrics: Metrics) {
        self.metrics = metrics
        self.softCaps = metrics.counter(
            "pinpost_guard_soft_caps_total", help: "Times that a day's messages to a country reached their soft cap.")
        self.lacksFeedback = metrics.counter(
            "pinpost_guard_lacks_feedback_total",
            help: "Accounts, once a day, that send codes of their own and do not tell which are used.")
        self.refusals = Self.counters(
            metrics, "pinpost_guard_refusals_total", help: "Messages and guesses refused by the guard, by reason.")
        self.watches = Self.counters(
            metrics, "pinpost_guard_watched_total",
            help: "Messages of watched accounts that the guard would have refused, by reason.")
    }

    func refused(_ reason: GuardReason) -> Counter { self.refusals[reason]! }  // All are there.
    func watched(_ reason: GuardReason) -> Counter { self.watches[reason]! }  // All are there.

    private static func counters(_ metrics: Metrics, _ name: String, help: String) -> [GuardReason: Counter] {
        Dictionary(
            uniqueKeysWithValues: GuardReason.allCases.map { reason in
                (reason, metrics.counter(name, help: help, labels: ["reason": reason.rawValue]))
            })
    }

    func blocks(_ reason: GuardReason) -> Counter {
        self.metrics.counter(
            "pinpost_guard_blocks_total", help: "Blocks that the guard has made, by reason.",
            labels: ["reason": reason.rawValue])
    }
}
