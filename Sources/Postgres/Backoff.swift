/// How long to leave a server alone that would not have us: at random up to a ceiling that doubles ("full jitter"), so
/// that a thousand clients of a restarted server do not come back all at once.
struct Backoff: Sendable {
    var first: Duration = .milliseconds(50)
    var limit: Duration = .seconds(1)

    /// The longest pause after so many failures in a row.
    func ceiling(afterFailures failures: Int) -> Duration {
        // Past sixteen doublings every sensible limit is reached.
        min(self.limit, self.first * (1 << min(max(failures - 1, 0), 16)))
    }

    func pause(afterFailures failures: Int) -> Duration {
        self.ceiling(afterFailures: failures) * Double.random(in: 0...1)
    }
}
