import Guard
import JSON
import Messaging
import Postgres
import Store
import Verification

/// A PIN of the caller's goes out.
extension NexmoDialect {
    /// Digits of a PIN. What reads like a number may come as one.
    static let pinDigits = 1...10
    /// Characters of a `client-ref`.
    static let referenceCharacters = 40
    static let standardTemplate = TextPattern("Your verification code is {{pin}}")

    func send(_ parameters: NexmoParameters, for caller: NexmoCaller) async throws(NexmoAnswer) -> NexmoAnswer {
        let account = caller.principal.account
        let message = try self.message(parameters, for: caller)
        try self.screen(message.recipient, account)
        try await self.refuseUnreachable(message.recipient)
        try await self.refuseOptedOut(message.recipient, account)
        let routed = try self.route(message, account)
        let pass = try self.admit(routed, account)
        let accepted: AcceptedMessages
        do throws(Problem) {
            accepted = try await self.acceptor.accept([routed], for: account, key: nil, fingerprint: [])
        } catch {
            // What may have been stored counts as sent.
            if error != .outcomeUnknown { self.gate.takeBack(pass) }
            throw NexmoAnswer(error)
        }
        return NexmoAnswer(
            .init(
                id: accepted.ids[0].compactText ?? "\(accepted.ids[0])", to: parameters["to"] ?? "",
                reference: message.reference, balance: accepted.balance?.text(),
                price: routed.price?.amount.text(), network: routed.price?.network))
    }

    // MARK: - Private

    private func message(
        _ parameters: NexmoParameters, for caller: NexmoCaller
    ) throws(NexmoAnswer) -> MessageRequest {
        let recipient = try Self.recipient(parameters)
        let pin = try Self.pin(parameters)
        let reference = try Self.reference(parameters)
        let text = try self.text(parameters, pin: pin, for: caller)
        let parts = Segments(of: text).count
        guard parts <= MessageLimits.segments else {
            throw .refused(.tooLong, "Message Too Long: more than \(MessageLimits.segments) segments")
        }
        let callback = self.access.current.endpoint(
            kind: .nexmo, publicID: caller.apiKey, account: caller.principal.account)
        return MessageRequest(
            recipient: recipient, content: .text(TextContent(text)), parts: Int16(parts),
            timeToLive: .seconds(MessageLimits.defaultTimeToLive(.otp)), priority: .otp, reference: reference,
            callback: callback.map { Callback(endpoint: $0) })
    }

    /// Digits with the country code; a plus sign before them is passed over. One that nobody encoded arrives as a space.
    private static func recipient(_ parameters: NexmoParameters) throws(NexmoAnswer) -> Recipient {
        guard let to = parameters["to"] else { throw .missing("to") }
        let digits = to.hasPrefix("+") || to.hasPrefix(" ") ? to.dropFirst() : to[...]
        guard let recipient = Recipient(canonical: "+\(digits)", channel: .sms) else { throw .badNumber }
        return recipient
    }

    private static func pin(_ parameters: NexmoParameters) throws(NexmoAnswer) -> String {
        guard let pin = parameters["pin"] else { throw .missing("pin") }
        guard pin.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            throw .invalid("pin must be numeric")
        }
        guard Self.pinDigits.contains(pin.utf8.count) else {
            throw .invalid("pin must have at most \(Self.pinDigits.upperBound) digits")
        }
        return pin
    }

    private static func reference(_ parameters: NexmoParameters) throws(NexmoAnswer) -> String? {
        guard let reference = parameters["client-ref"] else { return nil }
        guard reference.unicodeScalars.count <= Self.referenceCharacters, reference.isOneLine else {
            throw .invalid("client-ref must have at most \(Self.referenceCharacters) characters on one line")
        }
        return reference
    }

    /// The account's own words, or ours.
    private func text(
        _ parameters: NexmoParameters, pin: String, for caller: NexmoCaller
    ) throws(NexmoAnswer) -> String {
        let template = self.access.current.setting("template", vendor: .nexmo, name: caller.apiKey)
        let pattern = template.map { TextPattern($0) } ?? Self.standardTemplate
        var values: [String: String] = [:]
        for name in pattern.placeholders {
            guard let value = parameters[name] else { throw .missing(name) }
            guard CodeContent.placeholderCharacters.contains(value.unicodeScalars.count), value.isOneLine else {
                let limit = CodeContent.placeholderCharacters.upperBound
                throw .invalid("\(name) must have at most \(limit) characters on one line")
            }
            values[name] = value
        }
        return pattern.rendered(code: pin, values: values)
    }

    private func refuseUnreachable(_ recipient: Recipient) async throws(NexmoAnswer) {
        guard case .phone(let number) = recipient else { return }
        if case .unreachable = await self.lookUp.reachability(of: number) { throw .badNumber }
    }

    private func refuseOptedOut(_ recipient: Recipient, _ account: AccountID) async throws(NexmoAnswer) {
        guard self.optOuts.concern(account) else { return }
        let optedOut: Set<Recipient>
        do throws(PostgresError) {
            optedOut = try await self.optOuts.among([recipient], of: account)
        } catch {
            throw NexmoAnswer(Problem.unavailable)
        }
        guard optedOut.isEmpty else { throw .refused(.optedOut, "Recipient Opted Out of the Campaign") }
    }

    /// Before a look-up costs anything.
    private func screen(_ recipient: Recipient, _ account: AccountID) throws(NexmoAnswer) {
        do throws(GuardRefusal) {
            try self.gate.screen(Gate.Request(account: account, recipient: recipient, channel: .sms))
        } catch {
            throw NexmoAnswer(error)
        }
    }

    private func admit(_ message: RoutedMessage, _ account: AccountID) throws(NexmoAnswer) -> GuardPass {
        do throws(GuardRefusal) {
            return try self.gate.admit(Gate.Request(message, of: account))
        } catch {
            throw NexmoAnswer(error)
        }
    }

    private func route(_ message: MessageRequest, _ account: AccountID) throws(NexmoAnswer) -> RoutedMessage {
        let way = self.access.current.way(for: message.routeQuery(of: account))
        guard let way else { throw .refused(.unroutable, "Unroutable message - rejected") }
        let price = self.access.current.price(for: message.recipient, channel: .sms, account: account)
        do throws(MoneyOverflow) {
            return RoutedMessage(
                request: message, provider: way.provider, price: try price?.times(message.parts), hasCompactID: true)
        } catch {
            throw NexmoAnswer(Problem.outOfBalance)
        }
    }
}

extension NexmoAnswer {
    fileprivate static let badNumber = NexmoAnswer.refused(.badNumber, "Invalid or Missing Msisdn Param")
}
