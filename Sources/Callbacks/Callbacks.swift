import Channels
public import HTTP
public import JSON
public import Messaging
public import Timestamps

/// What customers are told, in the words of each kind of endpoint. Pure functions: they send nothing and know no clock.
public enum Callbacks {
    /// The request that tells an endpoint of an event. Nil when its kind has no words for it: then nothing is sent, and it
    /// counts as told.
    public static func request(
        for event: CallbackEvent, to endpoint: CallbackEndpoint, now: Timestamp
    ) -> CallbackRequest? {
        guard Self.types(of: endpoint.kind).contains(event.type) else { return nil }
        return switch (endpoint.kind, event.subject) {
        case (.standard, _): StandardWebhook(event).request(to: endpoint, now: now)
        case (.infobip, .message(let message)): InfobipReport(message, of: event)?.request(to: endpoint)
        case (.bandwidth, .message(let message)): BandwidthReceipt(message, of: event)?.request(to: endpoint)
        case (.nexmo, .message(let message)): NexmoReceipt(message, of: event)?.request(to: endpoint, now: now)
        case (.infobip, _), (.bandwidth, _), (.nexmo, _): nil
        }
    }

    /// What an event tells in our own words: the body of a request to an endpoint of the kind `standard`.
    public static func body(of event: CallbackEvent) -> JSON { StandardWebhook(event).json }

    /// What an answer means. `now` stands in for the `Date` of one that has none.
    public static func verdict(
        of response: HTTPResponse, from kind: EndpointKind, now: Timestamp
    ) -> CallbackVerdict {
        let successes = kind == .nexmo ? 200...205 : 200...299
        if successes.contains(response.status) { return .delivered }
        guard kind == .standard else { return .refused(status: response.status, retryAfter: nil) }
        if response.status == 410 { return .gone }
        let wait = [429, 503].contains(response.status) ? Duration(retryAfterIn: response.fields, now: now) : nil
        return .refused(
            status: response.status, retryAfter: wait.map { min(max($0, Self.shortestWait), Self.longestWait) })
    }

    /// When an event is tried again.
    /// - Parameters:
    ///   - recipient: of the message or the verification that it is about.
    ///   - attempt: how often it has been tried, from 1.
    ///   - verdict: what came of the last try.
    ///   - random: at least 0 and below 1, new for each decision.
    /// - Returns: nil when there is nothing more to try.
    public static func retry(
        kind: EndpointKind, recipient: String, attempt: Int, verdict: CallbackVerdict, random: Double
    ) -> Duration? {
        let asked: Duration
        switch verdict {
        case .delivered, .gone: return nil
        case .refused(_, let retryAfter): asked = retryAfter ?? .zero
        case .unanswered, .notSent, .forbidden: asked = .zero
        }
        guard let delay = CallbackSchedule(kind, recipient: recipient).delay(after: attempt) else { return nil }
        // A tenth more or less: what failed together would return together.
        return max(asked, delay * (0.9 + 0.2 * random))
    }

    /// The events that a kind of endpoint has words for.
    public static func types(of kind: EndpointKind) -> Set<EventType> {
        switch kind {
        case .standard: Self.all
        case .nexmo: Self.ofMessages
        case .infobip, .bandwidth: Self.ofFinalMessages
        }
    }

    // MARK: - Private

    private static let all = Set(EventType.allCases)
    private static let ofMessages = Self.all.filter { $0.messageState != nil }
    private static let ofFinalMessages = Self.all.filter { $0.messageState?.isFinal == true }

    /// What an endpoint may ask us to wait.
    private static let shortestWait = Duration.seconds(1)
    private static let longestWait = Duration.seconds(24 * 3600)
}
