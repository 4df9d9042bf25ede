import Testing

@testable import WebClient

/// What a failed request is, by how far it got.
@Suite struct SendingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let sending: Sending
        let failure: WebClientError.Kind
        let mayBeginAgain: Bool

        init(
            _ description: String, begun: Int, head: Int, body: Int = 0, taken: Int = 0, repeatable: Bool = false,
            _ failure: WebClientError.Kind, again: Bool
        ) {
            self.testDescription = description
            self.sending = Sending(
                begunCount: begun, headByteCount: head, bodyByteCount: body, takenByteCount: taken,
                isRepeatable: repeatable
            )
            self.failure = failure
            self.mayBeginAgain = again
        }
    }

    static let cases = [
        Case("never connected", begun: 0, head: 0, body: 9, .notSent, again: true),
        Case("never connected, no body", begun: 0, head: 0, .notSent, again: true),
        Case("connected, nothing written", begun: 1, head: 0, body: 9, .notSent, again: true),
        Case("head written, body not touched", begun: 1, head: 99, body: 9, .notSent, again: true),
        Case("body begun", begun: 1, head: 99, body: 9, taken: 1, .answerLost, again: false),
        Case("body taken, head unknown", begun: 1, head: 99, body: 9, taken: 9, .answerLost, again: false),
        Case("no body, head written", begun: 1, head: 99, .answerLost, again: false),
        Case("no body, head partly written", begun: 1, head: 1, .answerLost, again: false),
        Case("repeatable", begun: 1, head: 99, repeatable: true, .answerLost, again: true),
        Case(
            "repeatable with a body", begun: 1, head: 99, body: 9, taken: 9, repeatable: true, .answerLost, again: true),
        Case("repeatable, never connected", begun: 0, head: 0, repeatable: true, .notSent, again: true),
        Case("second try of a body", begun: 2, head: 198, body: 9, taken: 9, .answerLost, again: false),
    ]

    @Test(arguments: cases) func tellsWhatAFailureIs(_ test: Case) {
        #expect(test.sending.failure == test.failure)
        #expect(test.sending.mayBeginAgain == test.mayBeginAgain)
    }
}
