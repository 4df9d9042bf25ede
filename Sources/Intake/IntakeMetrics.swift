import Telemetry

struct IntakeMetrics: Sendable {
    let accepted: Counter
    let outOfBalance: Counter
    let commits: Counter
    let commitFailures: Counter
    let commitTime: Histogram
    let requestTime: Histogram
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        self.accepted = metrics.counter("pinpost_accepted_total", help: "Messages accepted and committed.")
        self.outOfBalance = metrics.counter(
            "pinpost_out_of_balance_total",
            help: "Requests for messages refused because their account has no credit for them.")
        self.commits = metrics.counter("pinpost_accept_commits_total", help: "Commits that accepted messages.")
        self.commitFailures = metrics.counter(
            "pinpost_accept_failures_total", help: "Commits that should have accepted messages and failed.")
        self.commitTime = metrics.histogram("pinpost_accept_commit_seconds", help: "Time of one accepting commit.")
        self.requestTime = metrics.histogram("pinpost_api_seconds", help: "Time to answer an API request.")
    }

    func responses(_ status: Int) -> Counter {
        self.metrics.counter(
            "pinpost_api_responses_total", help: "API responses by status.", labels: ["status": String(status)])
    }
}
