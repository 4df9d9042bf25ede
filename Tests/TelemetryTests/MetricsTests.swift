import Telemetry
import Testing

struct MetricsTests {
    let metrics = Metrics()

    @Test func countersAndGaugesAreRenderedWithHelpAndType() {
        self.metrics.counter("sent_total", help: "Messages sent.", labels: ["provider": "b"]).add(2)
        self.metrics.counter("sent_total", help: "Messages sent.", labels: ["provider": "a"]).add()
        let gauge = self.metrics.gauge("depth", help: "Waiting.")
        gauge.set(4)
        gauge.add(-1.5)
        #expect(
            self.metrics.render() == """
                # HELP depth Waiting.
                # TYPE depth gauge
                depth 2.5
                # HELP sent_total Messages sent.
                # TYPE sent_total counter
                sent_total{provider="a"} 1
                sent_total{provider="b"} 2

                """
        )
    }

    @Test func theSameNameAndLabelsAreTheSameInstrument() {
        self.metrics.counter("sent_total", help: "").add(1)
        self.metrics.counter("sent_total", help: "").add(1)
        #expect(self.metrics.counter("sent_total", help: "").value == 2)
        #expect(self.metrics.counter("sent_total", help: "") === self.metrics.counter("sent_total", help: ""))
    }

    @Test func aHistogramIsCumulativeAndEndsInInfinity() {
        let histogram = self.metrics.histogram("wait_seconds", help: "Wait.", buckets: [0.1, 1], labels: ["to": "x"])
        for value in [0.05, 0.1, 0.5, 7] { histogram.observe(value) }
        histogram.observe(.milliseconds(1500))
        #expect(
            self.metrics.render() == """
                # HELP wait_seconds Wait.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{to="x",le="0.1"} 2
                wait_seconds_bucket{to="x",le="1"} 3
                wait_seconds_bucket{to="x",le="+Inf"} 5
                wait_seconds_sum{to="x"} 9.15
                wait_seconds_count{to="x"} 5

                """
        )
    }

    @Test func helpAndLabelsAreEscaped() {
        self.metrics.gauge("g", help: "a\\b\n\"c\"", labels: ["l": "a\\b\n\"c\""]).set(1)
        #expect(
            self.metrics.render() == #"""
                # HELP g a\\b\n"c"
                # TYPE g gauge
                g{l="a\\b\n\"c\""} 1

                """#
        )
    }

    @Test(arguments: [
        (Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e15, "1000000000000000"), (-0.25, "-0.25"),
    ])
    func unusualNumbersAreSpelledAsPrometheusDoes(value: Double, written: String) {
        self.metrics.gauge("g", help: "h").set(value)
        #expect(self.metrics.render().hasSuffix("\ng \(written)\n"))
    }

    @Test func observedSeriesAreReadWhenRendered() {
        self.metrics.observeGauge("open", help: "Open.", labels: ["pool": "main"]) { 3 }
        self.metrics.observeCounter("absent_total", help: "Absent.") { nil }
        #expect(
            self.metrics.render() == """
                # HELP absent_total Absent.
                # TYPE absent_total counter
                # HELP open Open.
                # TYPE open gauge
                open{pool="main"} 3

                """
        )
    }

    @Test func seriesBeyondTheLimitAreRefusedAndCounted() {
        for number in 0..<Metrics.seriesLimit + 5 {
            self.metrics.counter("c_total", help: "", labels: ["n": "\(number)"]).add()
        }
        let lines = self.metrics.render().split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("c_total{") } == Metrics.seriesLimit)
        #expect(lines.contains("telemetry_series_refused_total 5"))
    }

    @Test func everyAddOfManyTasksCounts() async {
        let counter = self.metrics.counter("c_total", help: "")
        let gauge = self.metrics.gauge("g", help: "")
        let histogram = self.metrics.histogram("h", help: "", buckets: [1])
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.add()
                        gauge.add(1)
                        histogram.observe(0.5)
                    }
                }
            }
        }
        #expect(counter.value == 8000)
        #expect(gauge.value == 8000)
        #expect(self.metrics.render().contains("h_sum 4000\nh_count 8000\n"))
    }

    /// The format's own rules, on everything at once: one HELP and one TYPE before a name's samples, samples as
    /// `name{labels} value`, buckets that never fall.
    @Test func whatIsRenderedIsWellFormed() throws {
        self.metrics.observeProcess()
        self.metrics.histogram("a_seconds", help: "A.").observe(0.3)
        self.metrics.counter("b_total", help: "B.", labels: ["x": "1", "y": "2"]).add()
        var named: Set<String> = []
        var current = ""
        for line in self.metrics.render().split(separator: "\n") {
            if line.hasPrefix("# HELP ") {
                current = String(line.split(separator: " ")[2])
                #expect(named.insert(current).inserted)
            } else if line.hasPrefix("# TYPE ") {
                #expect(line.split(separator: " ")[2] == current)
            } else {
                let match = try #require(line.wholeMatch(of: /([a-z_]+)(\{[^}]*\})? ([0-9.e+-]+|\+Inf)/))
                let suffixes = ["", "_bucket", "_sum", "_count"]
                #expect(suffixes.contains { match.1 == current + $0 })
            }
        }
        #expect(named.isSuperset(of: ["a_seconds", "b_total", "process_open_fds", "process_start_time_seconds"]))
    }
}
