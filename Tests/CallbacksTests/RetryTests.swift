import Callbacks
import HTTP
import Messaging
import Testing
import Timestamps

@Suite struct RetryTests {
    private static func retry(
        _ kind: EndpointKind, _ attempt: Int, _ verdict: CallbackVerdict = .unanswered, to: String = "+1",
        random: Double = 0.5
    ) -> Duration? {
        Callbacks.retry(kind: kind, recipient: to, attempt: attempt, verdict: verdict, random: random)
    }

    /// The waits after each attempt, in seconds, until it is given up.
    private static func waits(_ kind: EndpointKind, to: String = "+1") -> [Int64] {
        var waits: [Int64] = []
        while let wait = Self.retry(kind, waits.count + 1, to: to) { waits.append(wait.milliseconds / 1000) }
        return waits
    }

    @Test func ourOwnAreTriedAsStandardWebhooksHasIt() {
        #expect(Self.waits(.standard) == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400])
        #expect(Self.waits(.standard, to: "+44") == Self.waits(.standard))
    }

    @Test func infobipsWaitsGrowWithTheSquare() {
        let waits = Self.waits(.infobip)
        #expect(waits.prefix(5) == [60, 120, 300, 600, 1020])
        // The next, of 23² + 1 minutes, would be past the three days.
        #expect(waits.count == 23)
        #expect(waits.reduce(0, +) <= 72 * 3600)
    }

    @Test func theOthersWaitsDoubleToAnHour() {
        let nexmo = Self.waits(.nexmo)
        #expect(nexmo.prefix(8) == [60, 120, 240, 480, 960, 1920, 3600, 3600])
        #expect((71 * 3600...72 * 3600).contains(nexmo.reduce(0, +)))
        let bandwidth = Self.waits(.bandwidth, to: "+16365553226")
        #expect(bandwidth == Array(nexmo.prefix(bandwidth.count)))
        #expect((23 * 3600...24 * 3600).contains(bandwidth.reduce(0, +)))
        #expect(Self.waits(.bandwidth, to: "+447700900123").isEmpty)
    }

    @Test func chanceIsATenthMoreOrLess() {
        #expect(Self.retry(.standard, 2, random: 0) == .seconds(270))
        #expect(Self.retry(.standard, 2, random: 0.5) == .seconds(300))
        #expect(Self.retry(.standard, 2, random: 1) == .seconds(330))
    }

    @Test func whatIsAskedForIsWaited() {
        #expect(Self.retry(.standard, 1, .refused(status: 503, retryAfter: .seconds(90))) == .seconds(90))
        #expect(Self.retry(.standard, 2, .refused(status: 503, retryAfter: .seconds(90))) == .seconds(300))
        #expect(Self.retry(.standard, 10, .refused(status: 503, retryAfter: .seconds(90))) == nil)
    }

    @Test func whatWasToldOrIsGoneIsNotTriedAgain() {
        for kind in EndpointKind.allCases {
            #expect(Self.retry(kind, 1, .delivered) == nil)
            #expect(Self.retry(kind, 1, .gone) == nil)
            for verdict in [.refused(status: 500, retryAfter: nil), .unanswered, .notSent, .forbidden]
                as [CallbackVerdict]
            {
                #expect(Self.retry(kind, 1, verdict) != nil)
            }
        }
    }

    @Test func verdictsAreByTheKind() {
        let rows: [(EndpointKind, Int, CallbackVerdict)] = [
            (.standard, 200, .delivered), (.standard, 299, .delivered), (.standard, 410, .gone),
            (.standard, 301, .refused(status: 301, retryAfter: nil)),
            (.standard, 500, .refused(status: 500, retryAfter: nil)),
            (.nexmo, 200, .delivered), (.nexmo, 205, .delivered),
            (.nexmo, 206, .refused(status: 206, retryAfter: nil)),
            (.nexmo, 410, .refused(status: 410, retryAfter: nil)), (.bandwidth, 299, .delivered),
            (.bandwidth, 300, .refused(status: 300, retryAfter: nil)),
            (.bandwidth, 410, .refused(status: 410, retryAfter: nil)), (.infobip, 204, .delivered),
            (.infobip, 404, .refused(status: 404, retryAfter: nil)),
        ]
        for (kind, status, verdict) in rows {
            #expect(Callbacks.verdict(of: HTTPResponse(status: status), from: kind, now: Sample.now) == verdict)
        }
    }

    @Test func whenToComeBackIsReadOfOurOwnOnly() {
        // Sample.now is Thu, 25 Feb 2021 15:02:10 GMT.
        let rows: [(EndpointKind, Int, HTTPFields, Duration?)] = [
            (.standard, 429, ["Retry-After": "120"], .seconds(120)),
            (.standard, 503, ["Retry-After": "0"], .seconds(1)),
            (.standard, 503, ["Retry-After": "999999999999"], .seconds(86400)),
            (.standard, 503, ["Retry-After": "Thu, 25 Feb 2021 15:03:10 GMT"], .seconds(60)),
            (
                .standard, 503,
                ["Retry-After": "Thu, 25 Feb 2021 15:03:10 GMT", "Date": "Thu, 25 Feb 2021 15:03:00 GMT"],
                .seconds(10)
            ),
            (.standard, 503, ["Retry-After": "soon"], nil), (.standard, 500, ["Retry-After": "120"], nil),
            (.nexmo, 503, ["Retry-After": "120"], nil),
        ]
        for (kind, status, fields, wait) in rows {
            let response = HTTPResponse(status: status, fields: fields)
            #expect(
                Callbacks.verdict(of: response, from: kind, now: Sample.now)
                    == .refused(status: status, retryAfter: wait), "\(fields)")
        }
    }

    @Test func eachKindHasWordsForItsTypes() {
        #expect(Callbacks.types(of: .standard) == Set(EventType.allCases))
        for kind in EndpointKind.allCases {
            for type in EventType.allCases where type.messageState != nil {
                let request = Callbacks.request(for: Sample.event(type), to: Sample.endpoint(kind), now: Sample.now)
                #expect((request != nil) == Callbacks.types(of: kind).contains(type))
            }
        }
    }
}
