import Messaging

/// How long an event waits after each failure, before chance adds to it.
enum CallbackSchedule {
    /// That of Standard Webhooks: more than three days, so that one which fails on a Friday is mended on a Monday.
    case standard
    /// Infobip's: 1 min + 1 min · n² until three days have passed (dialects.md section 2.10).
    case infobip
    /// The others name only the time that they go on for. The wait doubles from a minute, so that a restart costs minutes;
    /// from an hour on it stays, since a receipt that is a day late helps nobody more than one that is an hour late.
    case doubling(for: Duration)
    case never

    /// `recipient` in E.164: Bandwidth repeats what it tells of North America only (dialects.md section 3.4).
    init(_ kind: EndpointKind, recipient: String) {
        switch kind {
        case .standard: self = .standard
        case .infobip: self = .infobip
        case .nexmo: self = .doubling(for: .hours(72))
        case .bandwidth: self = recipient.hasPrefix("+1") ? .doubling(for: .hours(24)) : .never
        }
    }

    /// Nil when `attempt`, from 1, was the last.
    func delay(after attempt: Int) -> Duration? {
        switch self {
        case .standard:
            let waits = Self.standardWaits
            return waits.indices.contains(attempt - 1) ? waits[attempt - 1] : nil
        case .infobip: return Self.delay(after: attempt, within: .hours(72)) { .minutes(1 + $0 * $0) }
        case .doubling(let limit):
            // 2⁶ minutes are beyond the hour already.
            return Self.delay(after: attempt, within: limit) { min(.hours(1), .minutes(1 << min($0, 6))) }
        case .never: return nil
        }
    }

    // MARK: - Private

    private static let standardWaits: [Duration] = [
        .seconds(5), .minutes(5), .minutes(30), .hours(2), .hours(5), .hours(10), .hours(14), .hours(20), .hours(24),
    ]

    /// The wait after `attempt`, when the waits up to it are within `limit`. `wait` counts from 0.
    private static func delay(
        after attempt: Int, within limit: Duration, _ wait: (Int) -> Duration
    ) -> Duration? {
        var elapsed = Duration.zero
        for number in 0..<max(attempt, 1) {
            elapsed += wait(number)
            if elapsed > limit { return nil }
        }
        return wait(max(attempt, 1) - 1)
    }
}

extension Duration {
    fileprivate static func minutes(_ count: Int) -> Duration { .seconds(60 * count) }
    fileprivate static func hours(_ count: Int) -> Duration { .seconds(3600 * count) }
}
