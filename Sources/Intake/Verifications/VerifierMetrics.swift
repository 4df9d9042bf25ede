import Messaging
import Telemetry

struct VerifierMetrics: Sendable {
    let checkCommitTime: Histogram
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        self.checkCommitTime = metrics.histogram(
            "pinpost_check_commit_seconds", help: "Time of one commit of guesses at codes.")
    }

    func sent(_ channel: Channel, isResend: Bool) -> Counter {
        self.metrics.counter(
            "pinpost_codes_sent_total", help: "Codes committed for sending, by channel, and whether again.",
            labels: ["channel": channel.rawValue, "again": String(isResend)])
    }

    func refused(_ reason: String) -> Counter {
        self.metrics.counter(
            "pinpost_codes_refused_total", help: "Codes not sent because of a limit or for want of credit, by which.",
            labels: ["reason": reason])
    }

    func checked(_ result: String) -> Counter {
        self.metrics.counter(
            "pinpost_checks_total", help: "Guesses at codes by what they came to.", labels: ["result": result])
    }
}
