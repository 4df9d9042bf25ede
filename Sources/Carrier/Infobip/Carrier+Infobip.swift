import Crypto
import HTTP
import Messaging
import Synchronization
import Timestamps

extension Carrier {
    /// `POST /sms/3/messages`.
    func answerInfobip(_ request: HTTPRequest) async -> HTTPResponse {
        self.state.withLock { $0[.infobip].requests += 1 }
        let submission: InfobipSubmission
        do throws(InfobipProblem) {
            submission = try InfobipSubmission(parsing: request.body)
        } catch {
            return self.isAuthorized(request) ? InfobipAnswer.problem(error) : InfobipAnswer.unauthorized
        }
        let numbers = submission.messages.flatMap(\.destinations).map { "+\($0.to ?? "")" }
        let fault = self.state.withLock { $0.faults.takeForRequest(to: numbers, of: .infobip) }
        if let answer = self.answerWithoutTaking(fault, internalError: InfobipAnswer.internalError) { return answer }
        guard self.isAuthorized(request) else { return InfobipAnswer.unauthorized }
        if let fault, fault.kind == .throttle {
            self.state.withLock { $0[.infobip].refused += numbers.count }
            return InfobipAnswer.throttled(milliseconds: fault.milliseconds)
        }
        return await self.deliver(await self.take(submission), fault: fault)
    }

    /// `GET /sms/3/reports?messageId=`: each report once, and none of what is not known.
    func showInfobipReports(_ request: HTTPRequest) -> HTTPResponse {
        guard self.isAuthorized(request) else { return InfobipAnswer.unauthorized }
        let id = request.query.flatMap { Form(parsing: $0) }?["messageId"] ?? ""
        let known = self.state.withLock { $0.known.giveOut(id) }
        let receipts = known.map { known in
            [CarrierReceipt(message: known.message, id: id, outcome: known.outcome, wait: .zero)]
        }
        return .json(200, InfobipReport(receipts: receipts ?? [], now: self.now()).body)
    }

    // MARK: - Private

    private func isAuthorized(_ request: HTTPRequest) -> Bool {
        if self.configuration.acceptsAnyCredential { return true }
        guard let authorization = request.fields["Authorization"], authorization.hasPrefix("App ") else { return false }
        let key = self.configuration.infobip.apiKey
        return !key.isEmpty && Secret(String(authorization.dropFirst(4))) == key
    }

    private func take(_ submission: InfobipSubmission) async -> HTTPResponse {
        let bulk = submission.bulk ?? self.state.withLock { $0.random.nextID() }
        var entries: [InfobipAnswer.Entry] = []
        for message in submission.messages {
            let segments = Segments(of: message.text).count
            for destination in message.destinations {
                entries.append(await self.take(message, to: destination, segments: segments, bulk: bulk))
            }
        }
        return InfobipAnswer.entries(entries, bulk: bulk, withCount: submission.wantsCount)
    }

    private func take(
        _ message: InfobipSubmission.Message, to destination: InfobipSubmission.Destination, segments: Int, bulk: String
    ) async -> InfobipAnswer.Entry {
        let number = "+\(destination.to ?? "")"
        let now = self.now()
        let (entry, taken, fault) = self.state.withLock { state in
            let fault = state.faults.takeForMessage(to: number, of: .infobip)
            let id = destination.id ?? state.random.nextID()
            var entry = InfobipAnswer.Entry(
                id: id, destination: destination.to ?? "", status: .accepted, segments: segments
            )
            let refusal = Self.refusal(of: message, to: destination, segments: segments)
            if let refusal = refusal ?? (fault?.kind == .refuse ? .asked(fault?.code) : nil) {
                entry.status = refusal
            } else if !state.knownIDs.insert(id) {
                entry.status = .duplicateID
            } else {
                let taken = self.message(message, id: id, to: destination, segments: segments, bulk: bulk, at: now)
                state.take(taken)
                return (entry, TakenMessage?.some(taken), fault)
            }
            state[.infobip].refused += 1
            return (entry, nil, fault)
        }
        if let taken { await self.arrangeReceipts(for: taken, fault: fault) }
        return entry
    }

    private static func refusal(
        of message: InfobipSubmission.Message, to destination: InfobipSubmission.Destination, segments: Int
    ) -> InfobipStatus? {
        guard let to = destination.to, !to.isEmpty else { return .missingRecipient }
        if !isRecipient(to) { return .invalidRecipient }
        if message.sender?.isEmpty ?? true { return .missingSender }
        return segments > 25 || message.text.count > 4000 ? .tooLong : nil
    }

    private func message(
        _ message: InfobipSubmission.Message, id: String, to destination: InfobipSubmission.Destination, segments: Int,
        bulk: String, at now: Timestamp
    ) -> TakenMessage {
        let url = message.wantsReceipt ? message.receiptURL ?? self.configuration.infobip.receiptURL : nil
        return TakenMessage(
            provider: .infobip, to: "+\(destination.to ?? "")", from: message.sender ?? "",
            content: .text(TextContent(message.text)), reference: destination.id ?? message.callbackData, ids: [id],
            echo: message.callbackData, bulk: bulk,
            segments: segments, receiptURL: url, wantsIntermediate: message.wantsIntermediate, takenAt: now
        )
    }
}
