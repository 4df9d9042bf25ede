import Lifecycle
import Testing

@Suite struct HealthTests {
    enum Event {
        case succeeded, looked, failed
    }

    /// Events by the second in which they happen, with 15 s of patience.
    struct Course: CustomTestStringConvertible {
        var testDescription: String
        var events: [(second: Int, event: Event)]
        var second: Int
        var problem: String?

        init(_ description: String, _ events: [(second: Int, event: Event)], at second: Int, _ problem: String?) {
            self.testDescription = description
            self.events = events
            self.second = second
            self.problem = problem
        }
    }

    private static let looks = stride(from: 2, through: 40, by: 2).map { (second: $0, event: Event.looked) }
    private static let failures = (10...40).map { (second: $0, event: Event.failed) }

    @Test(arguments: [
        Course("a new process is ready", [], at: 15, nil),
        Course("nothing succeeds", [], at: 16, "no success for 16 s"),
        Course("only failures", [(3, .failed), (16, .failed)], at: 16, "no success for 16 s"),
        Course("work succeeds", [(10, .succeeded)], at: 25, nil),
        Course("work succeeded long ago", [(10, .succeeded)], at: 26, "no success for 16 s"),
        Course("without work, looks count", Self.looks, at: 40, nil),
        Course("work fails and looks succeed, for a moment", Self.looks + Self.failures, at: 20, nil),
        Course("work fails and looks succeed", Self.looks + Self.failures, at: 40, "no success for 30 s"),
        Course("a failure before a success is forgotten", [(3, .failed), (4, .succeeded), (12, .looked)], at: 27, nil),
        Course(
            "a look within the patience of a failure", [(10, .failed), (25, .looked)], at: 26, "no success for 26 s"),
        Course("a look after the patience of a failure", [(10, .failed), (26, .looked)], at: 41, nil),
        Course("work succeeds again", Self.failures + [(41, .succeeded), (50, .looked)], at: 65, nil),
    ])
    func readinessFollowsTheWork(course: Course) {
        let start = ContinuousClock.now
        let health = Health(at: start)
        let events = course.events.filter { $0.second <= course.second }.sorted { $0.second < $1.second }
        for (second, event) in events {
            let now = start + .seconds(second)
            switch event {
            case .succeeded: health.succeeded(at: now)
            case .looked: health.looked(at: now)
            case .failed: health.failed(at: now)
            }
        }
        #expect(health.problem(at: start + .seconds(course.second)) == course.problem)
    }

    @Test func whoDrainsIsNotReady() {
        let health = Health()
        #expect(health.problem == nil)
        health.drain()
        health.succeeded()
        #expect(health.problem == "draining")
    }
}
