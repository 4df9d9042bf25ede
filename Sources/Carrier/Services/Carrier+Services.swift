import HTTP
import Messaging
import Synchronization

extension Carrier {
    /// The contract of a request's path; nil for what is no such path.
    func service(of path: String) -> (any ServiceContract)? {
        let pieces = path.split(separator: "/").map(String.init)
        let contracts = self.configuration.services
        return switch path {
        case "/tts/3/advanced": InfobipCallContract(self.configuration.infobip)
        case "/email/4/messages": InfobipMailContract(self.configuration.infobip)
        case "/v1/calls": VonageCallContract(contracts.vonage)
        case "/v1/messages": VonageMessageContract(contracts.vonage)
        case "/v3/mail/send": SendGridContract(contracts.sendGrid)
        case "/gateway": GatewayContract(contracts.gateway)
        case _ where pieces.count == 4 && pieces[0] == "2010-04-01" && pieces[3] == "Calls.json":
            TwilioCallContract(contracts.twilio)
        case _ where pieces.count == 5 && path.hasPrefix("/api/v2/accounts/") && pieces[4] == "calls":
            BandwidthCallContract(contracts.bandwidth)
        default: nil
        }
    }

    func service(of provider: Provider) -> (any ServiceContract)? {
        let contracts = self.configuration.services
        return switch provider {
        case .infobipCalls: InfobipCallContract(self.configuration.infobip)
        case .infobipMails: InfobipMailContract(self.configuration.infobip)
        case .vonageCalls: VonageCallContract(contracts.vonage)
        case .vonageMessages: VonageMessageContract(contracts.vonage)
        case .sendGrid: SendGridContract(contracts.sendGrid)
        case .gateway: GatewayContract(contracts.gateway)
        case .twilioCalls: TwilioCallContract(contracts.twilio)
        case .bandwidthCalls: BandwidthCallContract(contracts.bandwidth)
        default: nil
        }
    }

    /// A request by any of them.
    func answer(_ request: HTTPRequest, by contract: any ServiceContract) async -> HTTPResponse {
        let provider = contract.provider
        let recipients = contract.recipients(in: request)
        let fault = self.state.withLock { state in
            state[provider].requests += 1
            return state.faults.takeForRequest(to: recipients, of: provider)
        }
        if let answer = self.answerWithoutTaking(fault, internalError: HTTPResponse(status: 500)) { return answer }
        do throws(ServiceRefusal) {
            let submissions = try contract.read(
                request, anyCredential: self.configuration.acceptsAnyCredential, now: self.now())
            if fault?.kind == .throttle {
                throw ServiceRefusal(status: 429, code: "throttled", milliseconds: fault?.milliseconds ?? 0)
            }
            var results: [Result<TakenMessage, ServiceRefusal>] = []
            for submission in submissions { results.append(await self.take(submission, of: provider)) }
            return await self.deliver(contract.answer(results), fault: fault)
        } catch {
            self.state.withLock { $0[provider].refused += 1 }
            return contract.answer(error)
        }
    }

    // MARK: - Private

    private func take(_ submission: ServiceSubmission, of provider: Provider) async -> Result<
        TakenMessage, ServiceRefusal
    > {
        let now = self.now()
        let (result, fault) = self.state.withLock { state -> (Result<TakenMessage, ServiceRefusal>, Fault?) in
            let fault = state.faults.takeForMessage(to: submission.recipient.text, of: provider)
            if fault?.kind == .refuse {
                state[provider].refused += 1
                let code = fault?.code ?? "invalid_destination"
                return (.failure(ServiceRefusal(status: 400, code: code, reference: submission.reference)), fault)
            }
            if let id = submission.id, !state.knownIDs.insert("\(provider.rawValue) \(id)") {
                return (
                    .failure(ServiceRefusal(status: 409, code: "duplicate", reference: submission.reference)), fault
                )
            }
            let message = TakenMessage(
                provider: provider, to: submission.recipient.text, from: submission.from, content: submission.content,
                reference: submission.reference, ids: [submission.id ?? state.random.nextID()], segments: 1,
                receiptURL: submission.receiptURL, detectsMachines: submission.detectsMachines, takenAt: now)
            state.take(message, isHeard: !submission.isAskedLater)
            return (.success(message), fault)
        }
        if case .success(let message) = result { await self.arrangeReceipts(for: message, fault: fault) }
        return result
    }
}
