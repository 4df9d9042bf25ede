import Crypto
import HTTP
import Messaging
import Synchronization
import Timestamps

extension Carrier {
    /// The contract that a request belongs to, and what it wants.
    func contract(of request: HTTPRequest) -> (any Contract, Errand)? {
        for contract in self.configuration.contracts {
            if let errand = contract.errand(of: request) { return (contract, errand) }
        }
        return nil
    }

    func answer(_ request: HTTPRequest, _ errand: Errand, by contract: any Contract) async -> HTTPResponse {
        switch errand {
        case .send: await self.answerSending(request, by: contract)
        case .inquiry(let id): self.answerInquiry(request, id, by: contract)
        }
    }

    /// What became of the message, or nil when it is not known.
    func report(of id: String, _ provider: Provider) -> Report? {
        let now = self.now()
        guard let known = self.state.withLock({ $0.known[id] }), known.message.provider == provider else { return nil }
        let isOver = now >= known.message.takenAt + self.configuration.receiptDelay
        return Report(message: known.message, outcome: isOver ? known.outcome : .onTheWay, now: now)
    }

    // MARK: - Private

    private func answerSending(_ request: HTTPRequest, by contract: any Contract) async -> HTTPResponse {
        self.state.withLock { $0[contract.provider].requests += 1 }
        let submission: Submission
        do throws(ContractRefusal) {
            submission = try contract.submission(of: request)
        } catch {
            return self.refuse(self.isAuthorized(request, by: contract) ? error : .unauthorized, "", by: contract)
        }
        let to = submission.to
        let fault = self.state.withLock { $0.faults.takeForRequest(to: [to], of: contract.provider) }
        let broken = contract.answer(.internalError, to: to)
        if let answer = self.answerWithoutTaking(fault, internalError: broken) { return answer }
        do throws(ContractRefusal) {
            guard self.isAuthorized(request, by: contract) else { throw .unauthorized }
            if let fault, fault.kind == .throttle { throw .throttled(milliseconds: fault.milliseconds) }
            let messageFault = self.state.withLock { $0.faults.takeForMessage(to: to, of: contract.provider) }
            if messageFault?.kind == .refuse { throw .asked(code: messageFault?.code) }
            let message = self.take(submission, by: contract)
            await self.arrangeReceipts(for: message, fault: messageFault)
            return await self.deliver(contract.answer(taken: message), fault: fault)
        } catch {
            return self.refuse(error, to, by: contract)
        }
    }

    private func answerInquiry(_ request: HTTPRequest, _ id: String, by contract: any Contract) -> HTTPResponse {
        guard self.isAuthorized(request, by: contract) else { return contract.answer(.unauthorized, to: "") }
        return contract.answer(report: self.report(of: id, contract.provider))
    }

    private func isAuthorized(_ request: HTTPRequest, by contract: any Contract) -> Bool {
        if self.configuration.acceptsAnyCredential { return true }
        return !contract.account.secret.isEmpty && contract.isAuthorized(request)
    }

    private func refuse(_ refusal: ContractRefusal, _ number: String, by contract: any Contract) -> HTTPResponse {
        self.state.withLock { $0[contract.provider].refused += 1 }
        return contract.answer(refusal, to: number)
    }

    private func take(_ submission: Submission, by contract: any Contract) -> TakenMessage {
        let now = self.now()
        return self.state.withLock { state in
            let message = TakenMessage(
                provider: contract.provider, to: submission.to, from: submission.from,
                content: .text(TextContent(submission.text)), reference: submission.reference,
                ids: [contract.id(state.random.nextID() + state.random.nextID())], echo: submission.reference,
                segments: Segments(of: submission.text).count,
                receiptURL: submission.receiptURL ?? contract.account.receiptURL, takenAt: now)
            state.take(message)
            return message
        }
    }
}

extension Carrier.Configuration {
    var contracts: [any Contract] {
        [
            TwilioContract(account: self.twilio), BandwidthContract(account: self.bandwidth),
            TelnyxContract(account: self.telnyx), PlivoContract(account: self.plivo),
            SinchContract(account: self.sinch), MessageBirdContract(account: self.messageBird),
        ]
    }

    func contract(of provider: Provider) -> (any Contract)? {
        self.contracts.first { $0.provider == provider }
    }
}
