import Batching
import Crypto
import Guard
import JSON
import Messaging
import Postgres
import Routing
import Store
import Telemetry
import Timestamps
import Verification

extension Verifier {
    /// Sends a new code: it and its message are committed when this returns. Each call makes a code of its own.
    func send(_ request: CodeRequest, for account: AccountID) async throws(VerifierRefusal) -> SentCode {
        try await self.refuseOptedOut(request.recipient, account)
        return try await self.withKey(request.idempotency, account) { key throws(VerifierRefusal) in
            try await self.withPlan(request.application, request.template, account) { plan throws(VerifierRefusal) in
                guard plan.application.settings.isEnabled else { throw .disabled }
                return try await self.commit(
                    try self.sending(of: request, plan, account, key: key), plan: plan, caller: request.caller)
            }
        }
    }

    /// What the look-up says of a code's recipient. Throws, before anybody is asked, what would refuse the code whoever it
    /// were for, but for limits.
    func reachability(for request: CodeRequest, of account: AccountID) async throws(VerifierRefusal) -> Reachability {
        try await self.withPlan(request.application, request.template, account) { plan throws(VerifierRefusal) in
            guard plan.application.settings.isEnabled else { throw .disabled }
            _ = try CodeContent.make(
                plan, code: plan.template.template.format.makeCode(), channel: request.channel,
                placeholders: request.placeholders)
            return ()
        }
        guard case .phone(let number) = request.recipient else { return .notConfigured }
        try self.screen(request.recipient, request.channel, account)
        return await self.lookUp.reachability(of: number)
    }

    /// Sends the code of a verification again, under the same id, perhaps by another channel. Neither its attempts nor its time
    /// begin anew; it counts towards the limits of the application and of the recipient as any other.
    func resend(_ request: ResendRequest, for account: AccountID) async throws(VerifierRefusal) -> SentCode {
        guard
            let stored = try await self.verification(request.verification, of: account), !stored.isExpired,
            let sealed = stored.code
        else { throw .ended }
        guard
            let code = SealedCode(opening: sealed, for: stored.id, account: account, keys: self.masterKeys)
        else {
            self.logger.error(
                "a code does not open with the master keys that are given", ["verification": "\(stored.id)"])
            throw .unavailable
        }
        if let recipient = Recipient(stored.recipient, channel: request.channel ?? stored.channel) {
            try await self.refuseOptedOut(recipient, account)
        }
        return try await self.withPlan(stored.application, stored.template, account) { plan throws(VerifierRefusal) in
            let sending = try self.sending(of: code, stored, request, plan, account)
            guard var sent = try await self.commit(sending, plan: plan, caller: request.caller) else { return nil }
            sent.state = stored.state
            return sent
        }
    }

    /// The verification that the same request began before under its idempotency key; nil when there was none.
    func earlier(
        _ request: CodeRequest, for account: AccountID
    ) async throws(VerifierRefusal) -> VerificationID? {
        guard let key = request.idempotency else { return nil }
        let lane = self.lanes.lane(of: key.key, account: account)
        let earlier = try await self.ask { () async throws(PostgresError) in
            try await self.store.accepted(under: key.key, lane: lane, account: account)
        }
        guard let earlier, earlier.isOf(key.fingerprint) else { return nil }
        return VerificationID(rawValue: earlier.ids[0])
    }

    /// Refuses what the guard refuses whatever else is sent, before it costs a look-up. That a number cannot exist is the look-up's
    /// to say, in the words that each API has for it.
    func screen(_ recipient: Recipient, _ channel: Channel, _ account: AccountID) throws(VerifierRefusal) {
        do throws(GuardRefusal) {
            try self.gate.screen(Gate.Request(account: account, recipient: recipient, channel: channel))
        } catch {
            if error.reason != .numberImpossible { throw .guarded(error) }
        }
    }

    /// Refuses a number that cannot exist, or that nothing reaches.
    func refuseUnreachable(_ recipient: Recipient) async throws(VerifierRefusal) {
        guard case .phone(let number) = recipient else { return }
        guard case .unreachable(let reason) = await self.lookUp.reachability(of: number) else { return }
        throw .invalid([JSONProblem("/to", "cannot be reached: \(reason)")])
    }

    /// Refuses a recipient that wants no messages of the account.
    func refuseOptedOut(_ recipient: Recipient, _ account: AccountID) async throws(VerifierRefusal) {
        guard self.optOuts.concern(account) else { return }
        let optedOut = try await self.ask { () async throws(PostgresError) in
            try await self.optOuts.among([recipient], of: account)
        }
        guard optedOut.isEmpty else { throw .invalid([JSONProblem("/to", "has opted out")]) }
    }

    // MARK: - Making

    /// Runs `body` with what is known of an application and a template; again, with what is known then, when it returns nil
    /// because they have changed, and when it is refused for what they said and say no longer.
    private func withPlan<Value>(
        _ application: String, _ template: String, _ account: AccountID,
        _ body: (SendingPlan) async throws(VerifierRefusal) -> Value?
    ) async throws(VerifierRefusal) -> Value {
        for _ in 0..<Self.roundLimit {
            let plan = try await self.catalogue.plan(application: application, template: template, account: account)
            do throws(VerifierRefusal) {
                if let value = try await body(plan) { return value }
            } catch {
                guard error.followsFromPlan, try await self.hasChanged(plan, account) else { throw error }
            }
            self.catalogue.forget(plan, account: account)
        }
        throw .unavailable
    }

    private func sending(
        of request: CodeRequest, _ plan: SendingPlan, _ account: AccountID, key: IdempotencyKey?
    ) throws(VerifierRefusal) -> Sending {
        let lane = self.lanes.lane(of: request.recipient.key, account: account)
        let id = VerificationID(rawValue: self.newID(lane))
        let code = plan.template.template.format.makeCode()
        let sender = request.sender ?? CodeContent.sender(of: plan)
        let sealed = SealedCode(code: code, sender: sender, placeholders: request.placeholders)
        let content = try CodeContent.make(
            plan, code: code, channel: request.channel, placeholders: request.placeholders)
        var message = try self.message(
            content, to: request.recipient, sender: sender, account: account, lane: lane,
            timeToLive: plan.application.settings.timeToLive.duration, reference: request.reference,
            metadata: request.metadata)
        message.callback = self.callback(isTracked: request.isTracked, account)
        let start = Sending.Start(
            template: plan.template.id,
            mac: CodeMAC(code, of: id, account: account, recipient: request.recipient, keys: self.masterKeys),
            sealedCode: sealed.sealed(for: id, account: account, keys: self.masterKeys))
        var sending = Sending(
            account: account, verification: id, application: plan.application, recipient: request.recipient.key,
            start: start, message: message, isTracked: request.isTracked, idempotency: key)
        if request.isSingleUse { sending.settings.allowsReuse = false }
        return sending
    }

    private func sending(
        of sealed: SealedCode, _ stored: StoredVerification, _ request: ResendRequest, _ plan: SendingPlan,
        _ account: AccountID
    ) throws(VerifierRefusal) -> Sending {
        let channel = request.channel ?? stored.channel
        guard let recipient = Recipient(stored.recipient, channel: channel) else { throw .wrongTemplate }
        let content = try CodeContent.make(
            plan, code: sealed.code, channel: channel, placeholders: request.placeholders ?? sealed.placeholders)
        var message = try self.message(
            content, to: recipient, sender: sealed.sender, account: account, lane: stored.id.lane,
            // Until the code ends, which is the database's to say.
            timeToLive: plan.application.settings.timeToLive.duration,
            reference: nil, metadata: nil)
        message.callback = self.callback(isTracked: request.isTracked, account)
        return Sending(
            account: account, verification: stored.id, application: plan.application, recipient: stored.recipient,
            start: nil, message: message, isTracked: request.isTracked)
    }

    /// A message with a code, with its way; nothing of it is stored yet.
    func message(
        _ content: Content, to recipient: Recipient, sender: String?, account: AccountID, lane: Lane,
        timeToLive: Duration, reference: String?, metadata: String?
    ) throws(VerifierRefusal) -> NewMessage {
        let query = RouteQuery(
            account: account, channel: content.channel, recipient: recipient, sender: sender, priority: .otp)
        guard let way = self.access.current.way(for: query) else { throw .noRoute }
        let content = way.mayBeSpoken ? content : content.withoutLanguage
        let id = self.newID(lane)
        return NewMessage(
            id: id, provider: way.provider, channel: content.channel, priority: .otp, recipient: recipient.text,
            sender: sender, body: self.masterKeys.seal(content.encoded, for: id.sealingContext(account: account)),
            parts: content.parts, reference: reference, metadata: metadata, sendAt: nil,
            // A code is worth nothing when it has ended, and providers hold nothing for longer.
            timeToLive: min(timeToLive, .seconds(MessageLimits.timeToLive.upperBound)),
            price: try self.price(of: content, to: recipient, account))
    }

    private func price(
        of content: Content, to recipient: Recipient, _ account: AccountID
    ) throws(VerifierRefusal) -> Price? {
        let price = self.access.current.price(for: recipient, channel: content.channel, account: account)
        do throws(MoneyOverflow) {
            return try price?.times(content.parts)
        } catch {
            throw .outOfBalance
        }
    }

    /// Reports of delivery are Infobip's to ask for; they go where the account wants all of them.
    private func callback(isTracked: Bool, _ account: AccountID) -> Callback? {
        guard isTracked else { return nil }
        return self.access.current.endpoint(kind: .infobip, account: account).map { Callback(endpoint: $0) }
    }

    func newID(_ lane: Lane) -> MessageID {
        var generator = SystemRandomNumberGenerator()
        return MessageID(lane: lane, milliseconds: Timestamp.now.milliseconds, using: &generator)
    }

    // MARK: - Committing

    /// Passes the guard with a code, and takes back what it counts when the code is not sent after all.
    private func commit(
        _ sending: Sending, plan: SendingPlan, caller: GuardCaller
    ) async throws(VerifierRefusal) -> SentCode? {
        let pass = try self.admit(sending.message, of: sending.account, caller)
        do throws(VerifierRefusal) {
            let sent = try await self.commit(sending, plan: plan)
            if sent?.isRepeated ?? true { self.gate.takeBack(pass) }
            return sent
        } catch {
            // What may have been sent counts as sent.
            if !error.mayHaveBeenSent { self.gate.takeBack(pass) }
            throw error
        }
    }

    func admit(
        _ message: NewMessage, of account: AccountID, _ caller: GuardCaller
    ) throws(VerifierRefusal) -> GuardPass {
        guard let recipient = Recipient(message.recipient, channel: message.channel) else { return GuardPass() }
        do throws(GuardRefusal) {
            return try self.gate.admit(
                Gate.Request(
                    account: account, recipient: recipient, channel: message.channel, cost: message.price?.amount,
                    caller: caller))
        } catch {
            throw self.refused(error.reason.rawValue, .guarded(error))
        }
    }

    /// Nil when the application has changed since it was read.
    private func commit(_ sending: Sending, plan: SendingPlan) async throws(VerifierRefusal) -> SentCode? {
        let limit = plan.application.settings.applicationSendLimit
        let grant = try await self.answer { try await self.allowances.take(sending.application, limit: limit) }
        guard case .given(let permit) = grant else {
            guard case .refused(let wait) = grant else { throw .unavailable }
            // What was known of the limit may be old, and then a raised one counts.
            if try await self.hasChanged(plan, sending.account) { return nil }
            throw self.refused("application_limit", .applicationLimited(wait: wait))
        }
        let result: SendingResult
        do throws(VerifierRefusal) {
            result = try await self.submit(sending)
        } catch {
            // Where nobody knows whether it was sent, it counts as sent.
            if case .unavailable = error { self.allowances.putBack(permit, to: sending.application) }
            throw error
        }
        if result != .sent { self.allowances.putBack(permit, to: sending.application) }
        return try self.sent(sending, result)
    }

    private func submit(_ sending: Sending) async throws(VerifierRefusal) -> SendingResult {
        for _ in 0..<Self.roundLimit {
            let result = try await self.answer {
                try await self.sendings.submit(sending, in: sending.verification.lane)
            }
            if result == .outOfBalance { return try await self.earlier(sending).map(SendingResult.repeated) ?? result }
            if result != .again { return result }
        }
        throw .unavailable
    }

    /// What was sent under the same key while this waited for its account's balance, and perhaps used it up.
    private func earlier(_ sending: Sending) async throws(VerifierRefusal) -> EarlierAcceptance? {
        guard let key = sending.idempotency else { return nil }
        return try await self.ask { () async throws(PostgresError) in
            try await self.store.accepted(under: key.key, lane: key.lane, account: sending.account)
        }
    }

    private func sent(_ sending: Sending, _ result: SendingResult) throws(VerifierRefusal) -> SentCode? {
        switch result {
        case .stale: return nil
        case .sent:
            self.metrics.sent(sending.message.channel, isResend: sending.start == nil).add(1)
            return SentCode(sending, id: sending.verification)
        case .repeated(let earlier):
            guard let key = sending.idempotency, earlier.isOf(key.fingerprint) else {
                throw .keyReused
            }
            var sent = SentCode(sending, id: VerificationID(rawValue: earlier.ids[0]))
            sent.isRepeated = true
            return sent
        case .ended, .again: throw .ended
        case .sendsSpent: throw self.refused("sends_spent", .sendsSpent)
        case .tooEarly(let wait): throw self.refused("too_early", .tooEarly(wait: wait))
        case .limited(let wait): throw self.refused("recipient_limit", .recipientLimited(wait: wait))
        case .locked: throw self.refused("locked", .locked)
        case .outOfBalance: throw self.refused("out_of_balance", .outOfBalance)
        }
    }

    private func refused(_ reason: String, _ refusal: VerifierRefusal) -> VerifierRefusal {
        self.metrics.refused(reason).add(1)
        return refusal
    }

    private func hasChanged(_ plan: SendingPlan, _ account: AccountID) async throws(VerifierRefusal) -> Bool {
        let current = try await self.ask { () async throws(PostgresError) in
            try await self.store.application(plan.application.publicID, of: account)
        }
        return current?.revision != plan.application.revision
    }

    /// What a batch or the database threw, in the words of a refusal.
    func answer<Value>(_ body: () async throws -> Value) async throws(VerifierRefusal) -> Value {
        do {
            return try await body()
        } catch let error as PostgresError {
            throw error.mayHaveCommitted ? .outcomeUnknown : .unavailable
        } catch is CancellationError {
            // Nobody waits any more, but its batch may still be written.
            throw .outcomeUnknown
        } catch {
            throw .unavailable
        }
    }

    /// Runs `body` alone among this process's requests with the same idempotency key.
    private func withKey<Value>(
        _ key: (key: String, fingerprint: [UInt8])?, _ account: AccountID,
        _ body: (IdempotencyKey?) async throws(VerifierRefusal) -> Value
    ) async throws(VerifierRefusal) -> Value {
        guard let key else { return try await body(nil) }
        guard self.keysInFlight.begin(account, key.key) else { throw .keyInFlight }
        defer { self.keysInFlight.end(account, key.key) }
        let lane = self.lanes.lane(of: key.key, account: account)
        return try await body(IdempotencyKey(lane: lane, key: key.key, fingerprint: key.fingerprint))
    }
}

extension SentCode {
    fileprivate init(_ sending: Sending, id: VerificationID) {
        self.init(
            verification: id, message: sending.message.id, recipient: sending.recipient,
            channel: sending.message.channel, parts: sending.message.parts, expiresIn: sending.message.timeToLive)
    }
}

extension Content {
    /// A short message that stays one needs no language.
    fileprivate var withoutLanguage: Content {
        guard case .text(var content) = self else { return self }
        content.language = nil
        return .text(content)
    }

    /// Segments, of what is sent in any.
    fileprivate var parts: Int16 {
        guard case .text(let content) = self else { return 1 }
        return Int16(clamping: Segments(of: content.text).count)
    }
}
