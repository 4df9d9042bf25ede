public import HTTP
import JSON
public import Messaging

extension VonageSMS {
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        let outcome = self.outcome(of: response)
        return dispatches.map { _ in outcome }
    }

    public func receiptAnswer() -> HTTPResponse { HTTPResponse(status: 200) }

    // MARK: - Private

    /// What the response says of one part.
    private struct Part {
        let id: String
        let status: String
        let errorText: String
        let verdict: Verdict

        init?(_ entry: JSON, _ table: StatusTable) {
            guard let status = entry["status"]?.scalarText else { return nil }
            self.id = String(providerText: entry["message-id"]?.scalarText ?? "")
            self.status = String(providerText: status)
            self.errorText = entry["error-text"]?.string ?? ""
            // A code of tomorrow is a refusal of which we know nothing: one more try, and no more.
            self.verdict =
                table["submit", status] ?? Verdict(.failed, .transientProvider, .failoverOnce, .unknown)
        }

        var isAccepted: Bool { self.verdict.state == .submitted }
    }

    /// Errors of the application come with the status 200, one entry a part and every value a string.
    private func outcome(of response: HTTPResponse) -> Outcome {
        guard (200...299).contains(response.status) else {
            return Outcome(failure: response, code: nil, dispatchCount: 1)
        }
        guard
            let entries = (try? JSON(parsing: response.body))?["messages"]?.array,
            let parts = self.parts(in: entries)
        else { return .unanswered(.providerError) }
        guard let refused = parts.first(where: { !$0.isAccepted }) else {
            return .accepted(parts: parts.map(\.id).filter { !$0.isEmpty })
        }
        return self.outcome(of: refused, partly: parts.contains(where: \.isAccepted), response)
    }

    /// At least one part, or nil when any is unreadable: a message is all of its parts.
    private func parts(in entries: [JSON]) -> [Part]? {
        let parts = entries.compactMap { Part($0, self.table) }
        return parts.isEmpty || parts.count < entries.count ? nil : parts
    }

    /// When some parts were taken and others not, a retry sends the taken ones again. That is what
    /// ``Outcome/unanswered(_:)`` is about: the policy repeats a code, which is useless in pieces, and not a
    /// newsletter; and unlike a throttle it costs an attempt, so the first part is not sent once a second.
    private func outcome(of part: Part, partly: Bool, _ response: HTTPResponse) -> Outcome {
        switch part.verdict.action {
        case .throttle, .retrySame, .failover, .failoverOnce, .failoverChannel, .haltProvider:
            if partly { return .unanswered(part.verdict.reason) }
        case .none, .wait, .stop, .stopSuppress: break
        }
        let wait = Self.wait(in: part.errorText) ?? Duration(retryAfterIn: response.fields)
        return .refused(part.verdict, code: part.status, retryAfter: part.verdict.action == .throttle ? wait : nil)
    }

    /// The milliseconds in `Throughput Rate Exceeded - please wait [ 250 ] and retry`.
    private static func wait(in text: String) -> Duration? {
        guard let start = text.firstIndex(of: "["), let end = text[start...].firstIndex(of: "]") else { return nil }
        let number = text[text.index(after: start)..<end].filter { $0 != " " }
        guard let milliseconds = Int64(number), (0...86_400_000).contains(milliseconds) else { return nil }
        return .milliseconds(milliseconds)
    }
}
