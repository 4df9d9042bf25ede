public import Messaging
public import SMPP

extension SMPPDriver {
    /// The PDUs of a message, one a part, or what came of it when there can be none.
    public func submissions(of dispatch: Dispatch) throws(SMPPRefusal) -> [ShortMessage] {
        do throws(SMPPMisfit) {
            return try self.form.messages(for: dispatch)
        } catch {
            let reason: Verdict.Reason = error == .sender ? .senderInvalid : .tooLong
            throw SMPPRefusal(
                outcome: .refused(Verdict(.failed, .permanentMessage, .stop, reason), code: "unfit", retryAfter: nil))
        }
    }

    /// What came of a message, by what came of its parts.
    ///
    /// A message is taken when all its parts are. One that may have been sent in part is unanswered, with an answer or without:
    /// the policy repeats a code, which is useless in pieces, and not a newsletter, of which somebody would get parts twice.
    public func outcome(of results: [SubmitResult]) -> Outcome {
        var parts: [String] = []
        var refusal: Outcome?
        var isPartlyUnsent = false
        for result in results {
            switch result {
            case .unanswered: return .unanswered(.networkTimeout)
            case .accepted(let id): parts.append(self.receiptIDs.answered(id))
            case .refused(let status): refusal = refusal ?? self.refusal("submit", status)
            case .unfit(let field): refusal = refusal ?? Self.unfit(field)
            case .notSent: isPartlyUnsent = true
            }
        }
        guard refusal != nil || isPartlyUnsent else { return .accepted(parts: parts.filter { !$0.isEmpty }) }
        guard parts.isEmpty else { return .unanswered(.providerError) }
        return refusal ?? .notSent(.networkTimeout)
    }

    /// What a bind that was refused means for a message that was to go through it: surely not sent.
    public func outcome(ofBind status: CommandStatus) -> Outcome { self.refusal("bind", status) }

    // MARK: - Private

    /// Between tries after a throttle: contracts count by the second.
    private static let throttlePause = Duration.seconds(1)

    private func refusal(_ kind: String, _ status: CommandStatus) -> Outcome {
        let verdict =
            self.table[kind, status.description]
            ?? Verdict(.failed, .transientProvider, .failover, kind == "bind" ? .authFailed : .providerError)
        return .refused(
            verdict, code: status.description, retryAfter: verdict.action == .throttle ? Self.throttlePause : nil)
    }

    private static func unfit(_ field: String) -> Outcome {
        .refused(Verdict(.failed, .permanentMessage, .stop, .configError), code: "unfit \(field)", retryAfter: nil)
    }
}

/// A message that cannot be written for an SMSC.
public struct SMPPRefusal: Error, Hashable {
    public let outcome: Outcome
}
