import Crypto
import HTTP
import JSON
import Messaging
import Synchronization

extension Carrier {
    /// `POST /calls` and `POST /mails`.
    func answerOwn(_ request: HTTPRequest, _ channel: Channel) async -> HTTPResponse {
        do throws(OwnRefusal) {
            return try await self.takeOwn(request, channel)
        } catch {
            self.state.withLock { $0[.own].refused += 1 }
            return error.response
        }
    }

    // MARK: - Private

    private func takeOwn(_ request: HTTPRequest, _ channel: Channel) async throws(OwnRefusal) -> HTTPResponse {
        self.state.withLock { $0[.own].requests += 1 }
        guard let json = try? JSON(parsing: request.body) else { throw .invalid("body") }
        let to = json["to"]?.string ?? ""
        let fault = self.state.withLock { $0.faults.takeForRequest(to: [to], of: .own) }
        if let answer = self.answerWithoutTaking(fault, internalError: HTTPResponse(status: 500)) { return answer }
        guard self.isAuthorizedForOwn(request) else { throw .unauthorized }
        let submission = try OwnSubmission(json, channel)
        if fault?.kind == .throttle { throw .throttled(milliseconds: fault?.milliseconds ?? 0) }
        let messageFault = self.state.withLock { $0.faults.takeForMessage(to: to, of: .own) }
        if messageFault?.kind == .refuse { throw .asked(messageFault?.code) }
        let message = try self.take(submission)
        await self.arrangeReceipts(for: message, fault: messageFault)
        return await self.deliver(.json(202, ["id": .string(message.ids[0])]), fault: fault)
    }

    private func isAuthorizedForOwn(_ request: HTTPRequest) -> Bool {
        if self.configuration.acceptsAnyCredential { return true }
        guard let authorization = request.fields["Authorization"], authorization.hasPrefix("Bearer ") else {
            return false
        }
        let key = self.configuration.own.apiKey
        return !key.isEmpty && Secret(String(authorization.dropFirst(7))) == key
    }

    private func take(_ submission: OwnSubmission) throws(OwnRefusal) -> TakenMessage {
        let now = self.now()
        let message = self.state.withLock { state -> TakenMessage? in
            guard state.knownIDs.insert(submission.reference) else { return nil }
            let message = TakenMessage(
                provider: .own, to: submission.recipient.text, from: submission.from, content: submission.content,
                reference: submission.reference, ids: [state.random.nextID()], segments: 1,
                receiptURL: submission.receiptURL, takenAt: now)
            state.take(message)
            return message
        }
        guard let message else { throw .duplicate }
        return message
    }
}
