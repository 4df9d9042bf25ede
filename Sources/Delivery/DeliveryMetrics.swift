import Messaging
import Routing
import Store
import Telemetry

/// What a worker counts of one kind of work.
struct WorkMetrics: Sendable {
    let claimed: Counter
    let claimFailures: Counter
    let claimTime: Histogram
    let settled: Counter
    let settleTime: Histogram
    let leasesLost: Counter
    let reaped: Counter
    let retries: Counter
    let handedBack: Counter

    /// `prefix`: of the metrics' names; `noun`: what is worked on.
    init(_ metrics: Metrics, prefix: String, noun: String) {
        self.claimed = metrics.counter("\(prefix)claimed_total", help: "\(noun) claimed by this worker.")
        self.claimFailures = metrics.counter("\(prefix)claim_failures_total", help: "Claims of \(noun) that failed.")
        self.claimTime = metrics.histogram("\(prefix)claim_seconds", help: "Time of one claim of \(noun).")
        self.settled = metrics.counter("\(prefix)settled_total", help: "Attempts at \(noun) written back.")
        self.settleTime = metrics.histogram(
            "\(prefix)settle_seconds", help: "Time of one batch of settlements of \(noun).")
        self.leasesLost = metrics.counter(
            "\(prefix)leases_lost_total",
            help: "Claims of \(noun) that another worker had taken over when they were written back.")
        self.reaped = metrics.counter(
            "\(prefix)reaped_total", help: "\(noun) taken from workers that fell silent.")
        self.retries = metrics.counter(
            "\(prefix)retries_total", help: "Attempts at \(noun) that will be followed by another.")
        self.handedBack = metrics.counter("\(prefix)handed_back_total", help: "Claims of \(noun) given back untouched.")
    }
}

/// What a worker counts of events. Labels are words of ours, never anything of an endpoint.
struct EventMetrics: Sendable {
    let work: WorkMetrics
    let ready: Gauge
    let waiting: Gauge
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        self.work = WorkMetrics(metrics, prefix: "pinpost_event_", noun: "events")
        self.ready = metrics.gauge(
            "pinpost_events_ready",
            help: "Events ready and not claimed, by subject and endpoint; counting stops at 100000 a lane.")
        self.waiting = metrics.gauge(
            "pinpost_events_waiting", help: "Events that wait for another try; counting stops at 100000.")
    }

    /// Attempts at endpoints, by whose words they understand and what came of them.
    func told(_ kind: EndpointKind, _ outcome: SettledEvent.Outcome) -> Counter {
        self.metrics.counter(
            "pinpost_event_attempts_total", help: "Attempts to tell an event, by kind of endpoint and outcome.",
            labels: ["kind": kind.rawValue, "outcome": outcome.rawValue])
    }

    func observe(_ source: EventSource) {
        self.metrics.observeGauge("pinpost_events_in_flight", help: "Events on their way to endpoints now.") {
            Double(source.inFlight)
        }
    }
}

/// What a worker counts of messages. Labels are providers and words of ours, never anything of a message.
struct DeliveryMetrics: Sendable {
    let work: WorkMetrics
    /// From ready to claimed.
    let pickup: Histogram
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        self.work = WorkMetrics(metrics, prefix: "pinpost_", noun: "messages")
        self.pickup = metrics.histogram("pinpost_pickup_seconds", help: "From ready to claimed.")
    }

    /// Attempts at a provider, by what came of them.
    func attempts(provider: String, outcome: String) -> Counter {
        self.metrics.counter(
            "pinpost_attempts_total", help: "Attempts, by provider and outcome.",
            labels: ["provider": provider, "outcome": outcome]
        )
    }

    /// How often this process has opened a provider's breaker.
    func breakerOpenings(provider: ProviderID) -> Counter {
        self.metrics.counter(
            "pinpost_breaker_openings_total", help: "Times that a provider's breaker was opened by this worker.",
            labels: ["provider": "\(provider.rawValue)"])
    }

    /// How long a provider takes to answer.
    func providerTime(_ provider: String) -> Histogram {
        self.metrics.histogram(
            "pinpost_provider_seconds", help: "Time of one request to a provider.", labels: ["provider": provider])
    }

    func gauge(depthOf provider: String, channel: String, priority: Priority) -> Gauge {
        self.metrics.gauge(
            "pinpost_queue_ready", help: "Messages ready and not claimed; counting stops at 100000 a lane.",
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

    /// NaN where it is none any more.
    func show(weight: Int32?, of labels: WeightLabels) {
        self.metrics.gauge(
            "pinpost_route_weight",
            help: "Where a provider's weight is in a weighted route; route is the number of the row in routes.",
            labels: [
                "route": "\(labels.route.rawValue)", "channel": labels.channel.rawValue, "area": labels.area,
                "provider": labels.provider,
            ]
        ).set(weight.map(Double.init) ?? .nan)
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
