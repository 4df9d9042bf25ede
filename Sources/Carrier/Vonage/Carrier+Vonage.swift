import HTTP
import Messaging
import Synchronization

extension Carrier {
    /// `POST /sms/json`.
    func answerVonage(_ request: HTTPRequest) async -> HTTPResponse {
        do throws(VonageRefusal) {
            return try await self.takeVonage(request)
        } catch {
            self.state.withLock { $0[.vonage].refused += 1 }
            return VonageAnswer.refused(error)
        }
    }

    private func takeVonage(_ request: HTTPRequest) async throws(VonageRefusal) -> HTTPResponse {
        self.state.withLock { $0[.vonage].requests += 1 }
        guard let parameters = VonageParameters(request) else { throw .invalid("body") }
        let number = "+\(parameters["to"] ?? "")"
        let fault = self.state.withLock { $0.faults.takeForRequest(to: [number], of: .vonage) }
        if let answer = self.answerWithoutTaking(fault, internalError: HTTPResponse(status: 500)) { return answer }
        if !self.configuration.acceptsAnyCredential { try self.configuration.vonage.authenticate(request, parameters) }
        let submission = try VonageSubmission(parameters)
        if fault?.kind == .throttle { throw .throttled(milliseconds: fault?.milliseconds ?? 0) }
        let messageFault = self.state.withLock { $0.faults.takeForMessage(to: number, of: .vonage) }
        if messageFault?.kind == .refuse { throw .asked(messageFault?.code) }
        let message = self.take(submission)
        await self.arrangeReceipts(for: message, fault: messageFault)
        return await self.deliver(VonageAnswer.taken(message), fault: fault)
    }

    private func take(_ submission: VonageSubmission) -> TakenMessage {
        let url = submission.wantsReceipt ? submission.callback ?? self.configuration.vonage.receiptURL : nil
        let now = self.now()
        return self.state.withLock { state in
            let message = TakenMessage(
                provider: .vonage, to: "+\(submission.to)", from: submission.from,
                content: .text(TextContent(submission.text)), reference: submission.clientReference,
                ids: (0..<submission.segments).map { _ in state.random.nextID() },
                segments: submission.segments, receiptURL: url, takenAt: now
            )
            state.take(message)
            return message
        }
    }
}
