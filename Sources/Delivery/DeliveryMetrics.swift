import Messaging
import Store
import Telemetry

/// What a worker counts. Labels are providers and words of ours, never anything of a message.
struct DeliveryMetrics: Sendable {
    let claimed: Counter
    let claimFailures: Counter
    let claimTime: Histogram
    /// From ready to claimed.
    let pickup: Histogram
    let settled: Counter
    let settleTime: Histogram
    let leasesLost: Counter
    let reaped: Counter
    let retries: Counter
    let handedBack: Counter
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        self.claimed = metrics.counter("pinpost_claimed_total", help: "Messages claimed by this worker.")
        self.claimFailures = metrics.counter("pinpost_claim_failures_total", help: "Claims that failed.")
        self.claimTime = metrics.histogram("pinpost_claim_seconds", help: "Time of one claim.")
        self.pickup = metrics.histogram("pinpost_pickup_seconds", help: "From ready to claimed.")
        self.settled = metrics.counter("pinpost_settled_total", help: "Attempts written back.")
        self.settleTime = metrics.histogram("pinpost_settle_seconds", help: "Time of one batch of settlements.")
        self.leasesLost = metrics.counter(
            "pinpost_leases_lost_total", help: "Claims that another worker had taken over when they were written back.")
        self.reaped = metrics.counter("pinpost_reaped_total", help: "Messages taken from workers that fell silent.")
        self.retries = metrics.counter("pinpost_retries_total", help: "Attempts that will be followed by another.")
        self.handedBack = metrics.counter("pinpost_handed_back_total", help: "Claims given back unsent.")
    }

    /// Attempts at a provider, by what came of them.
    func attempts(provider: String, outcome: String) -> Counter {
        self.metrics.counter(
            "pinpost_attempts_total", help: "Attempts, by provider and outcome.",
            labels: ["provider": provider, "outcome": outcome]
        )
    }

    /// How long a provider takes to answer.
    func providerTime(_ provider: String) -> Histogram {
        self.metrics.histogram(
            "pinpost_provider_seconds", help: "Time of one request to a provider.", labels: ["provider": provider])
    }

    func gauge(depthOf provider: String, channel: String, priority: Priority) -> Gauge {
        self.metrics.gauge(
            "pinpost_queue_ready", help: "Messages ready and not claimed; counting stops at 100000.",
            labels: ["provider": provider, "channel": channel, "priority": priority.name]
        )
    }

    func gauge(oldestOf provider: String, channel: String, priority: Priority) -> Gauge {
        self.metrics.gauge(
            "pinpost_queue_oldest_seconds", help: "Age of the oldest message that is ready and not claimed.",
            labels: ["provider": provider, "channel": channel, "priority": priority.name]
        )
    }

    /// NaN where there is none, as Prometheus has it.
    func show(_ counts: RateCounts?, of labels: RateLabels) {
        let labels = ["provider": labels.provider, "country": labels.country]
        self.metrics.gauge(
            "pinpost_delivery_rate", help: "Messages of the last 24 hours that were delivered, of those handed over.",
            labels: labels
        ).set(counts?.deliveryRate ?? .nan)
        self.metrics.gauge(
            "pinpost_conversion_rate",
            help: "Messages of the last 24 hours that converted, of those handed over; only where any was told of.",
            labels: labels
        ).set(counts?.conversionRate ?? .nan)
    }

    func observe(_ outlet: Outlet) {
        let labels = ["provider": outlet.name]
        self.metrics.observeGauge("pinpost_in_flight", help: "Requests at a provider now.", labels: labels) {
            Double(outlet.queue.load.inFlight)
        }
        self.metrics.observeGauge("pinpost_claims_waiting", help: "Claims waiting for a slot.", labels: labels) {
            Double(outlet.queue.load.waiting)
        }
    }
}
