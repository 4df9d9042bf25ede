import HTTP
import Messaging
import Testing
import Timestamps

@testable import Channels

/// The defaults of providers.md section 9.4, which both drivers share.
@Suite struct HTTPOutcomeTests {
    static let verdicts: [(statuses: [Int], verdict: Verdict)] = [
        (
            [400, 404, 405, 406, 413, 415, 422, 409, 418],
            Verdict(.failed, .permanentMessage, .failoverOnce, .configError)
        ),
        ([401, 403], Verdict(.failed, .config, .haltProvider, .authFailed)),
        ([402], Verdict(.failed, .config, .haltProvider, .insufficientCredit)),
        ([408, 425, 429, 503], Verdict(.failed, .transientProvider, .throttle, .throttledProvider)),
        ([500, 501, 502, 599], Verdict(.failed, .transientProvider, .retrySame, .providerError)),
        ([301, 302, 307], Verdict(.failed, .config, .failoverOnce, .configError)),
    ]

    @Test(arguments: verdicts) func eachStatusHasItsVerdict(_ statuses: [Int], _ verdict: Verdict) {
        for status in statuses {
            let outcome = Outcome(failure: HTTPResponse(status: status), code: nil, dispatchCount: 1)
            #expect(outcome == .refused(verdict, code: "HTTP \(status)", retryAfter: nil))
        }
    }

    @Test func aGatewaysTimeoutIsNoAnswer() {
        #expect(
            Outcome(failure: HTTPResponse(status: 504), code: "x", dispatchCount: 1) == .unanswered(.networkTimeout)
        )
    }

    @Test func aBadRequestOfManyFailsNoneForGood() {
        let outcome = Outcome(failure: HTTPResponse(status: 400), code: "BAD", dispatchCount: 2)
        let verdict = Verdict(.failed, .transientProvider, .retrySame, .configError)
        #expect(outcome == .refused(verdict, code: "BAD", retryAfter: nil))
        #expect(
            Outcome(failure: HTTPResponse(status: 401), code: nil, dispatchCount: 2).verdict?.action == .haltProvider
        )
    }

    static let waits: [(fields: HTTPFields, wait: Duration?)] = [
        (["Retry-After": "120"], .seconds(120)),
        (["retry-after": "0"], .zero),
        (["Retry-After": "99999999999999999999"], .seconds(Int32.max)),
        (["Retry-After": "-1"], nil),
        (["Retry-After": "+1"], nil),
        (["Retry-After": "1.5"], nil),
        (["Retry-After": ""], nil),
        (["Retry-After": "soon"], nil),
        ([:], nil),
        (["Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": "Sun, 06 Nov 1994 08:50:37 GMT"], .seconds(60)),
        (["Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": "Sun, 06 Nov 1994 08:40:37 GMT"], .zero),
        (["Retry-After": "Sun, 06 Nov 1994 08:50:37 GMT"], nil),
        (["Date": "today", "Retry-After": "Sun, 06 Nov 1994 08:50:37 GMT"], nil),
    ]

    @Test(arguments: waits) func retryAfterIsSecondsOrADate(_ fields: HTTPFields, _ wait: Duration?) {
        #expect(Duration(retryAfterIn: fields) == wait)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06  Nov 1994 08:49:37 GMT", "",
    ])
    func badDatesAreRefused(_ text: String) {
        #expect(Timestamp(httpDate: text) == nil)
    }

    @Test func datesOfEveryMonthAreRead() {
        #expect(Timestamp(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT") == Timestamp(seconds: 784_111_777))
        #expect(Timestamp(httpDate: "Thu, 01 Jan 1970 00:00:00 GMT") == Timestamp(seconds: 0))
        #expect(Timestamp(httpDate: "Wed, 09 Sep 2026 00:00:00 GMT") == Timestamp("2026-09-09T00:00:00Z"))
    }
}
