import Callbacks
import Crypto
import HTTP
import JSON
import Messaging
import Store
import Telemetry
import Telling
import Timestamps
import WebClient

/// Tells customers' endpoints what has happened, and has what came of it written back.
struct Teller: Sendable {
    /// How long an endpoint may take, its name's resolution included (Standard Webhooks asks for 15 to 30 s).
    static let timeout = Duration.seconds(15)
    /// Tries of one event, more than any schedule has: beyond it are those whose worker died each time.
    static let attemptLimit: Int16 = 500

    let lease: Lease
    let masterKeys: MasterKeys
    /// One that judges every address, and none of the providers' connections.
    let client: WebClient
    /// However long an endpoint may take, a request ends early enough for a drain to write it back.
    let requestTimeLimit: Duration
    let store: Store
    let settler: Settler<SettledEvent>
    let holdings: Holdings<EventKey>
    let metrics: EventMetrics
    let logger: Logger

    /// What is left to do of an event when its endpoint has answered, or will not.
    typealias Settling = @Sendable () async -> Void

    /// Tells one event. Its slot is free when this returns; what came of it is written back by what it returns. A claim of a lease
    /// that is no longer held is dropped: others have taken it over.
    ///
    /// That an endpoint fails is kept before its slot is free: of one that fails no more than one is claimed at a time.
    func tell(_ held: HeldEvent) async -> Settling {
        guard self.lease.held == held.worker else { return { self.holdings.remove(CollectionOfOne(held.claim.key)) } }
        let started = ContinuousClock.now
        let verdict = await self.verdict(of: held.claim)
        let settled = SettledEvent(
            held.claim, verdict, duration: ContinuousClock.now - started, random: .random(in: 0..<1))
        let isDelivered = settled.outcome == .delivered
        if !isDelivered { await self.note(verdict, of: held.claim) }
        return {
            await self.settle(settled, of: held)
            if isDelivered { await self.note(verdict, of: held.claim) }
        }
    }

    // MARK: - Private

    private func settle(_ settled: SettledEvent, of held: HeldEvent) async {
        await self.settler.settle([settled], worker: held.worker)
        self.holdings.remove(CollectionOfOne(held.claim.key))
        self.metrics.told(held.claim.endpoint.kind, settled.outcome).add(1)
    }

    private func verdict(of claim: EventClaim) async -> TellingVerdict {
        guard !claim.endpoint.isDisabled, let event = CallbackEvent(claim) else { return .dropped }
        guard claim.attempt <= Self.attemptLimit else {
            self.logger.error(
                "an event was tried too often; it may have killed its workers", ["event": "\(claim.event)"])
            return .dropped
        }
        guard let endpoint = self.open(claim) else {
            self.logger.error(
                "cannot open a webhook's secrets, or there are none; is the master key the one they were sealed with?",
                ["event": "\(claim.event)", "webhook": claim.endpoint.publicID])
            return .withheld
        }
        guard let request = Callbacks.request(for: event, to: endpoint, now: .now) else { return .dropped }
        return await self.send(request, to: claim)
    }

    private func open(_ claim: EventClaim) -> CallbackEndpoint? {
        let stored = claim.endpoint
        var secrets = CallbackSecrets()
        if let sealed = stored.secrets {
            let context = stored.kind.sealingContext(account: claim.account, publicID: stored.publicID)
            guard let opened = CallbackSecrets(opening: sealed, with: self.masterKeys, for: context) else { return nil }
            secrets = opened
        }
        // Nothing of our own kind goes out unsigned.
        if stored.kind == .standard, secrets.signingKeys.isEmpty { return nil }
        return CallbackEndpoint(
            kind: stored.kind, url: claim.url, settings: Self.settings(stored.settings), secrets: secrets)
    }

    private static func settings(_ text: String) -> [String: String] {
        guard let members = try? JSON(parsing: Array(text.utf8)).members else { return [:] }
        return Dictionary(members.compactMap { member in member.value.string.map { (member.name, $0) } }) { $1 }
    }

    private func send(_ callback: CallbackRequest, to claim: EventClaim) async -> TellingVerdict {
        let request = WebRequest(
            method: callback.method, url: callback.url, fields: callback.fields, body: callback.body,
            timeout: min(Self.timeout, self.requestTimeLimit))
        do {
            let response = try await self.client.send(request)
            return .told(
                Callbacks.verdict(of: response, from: claim.endpoint.kind, now: .now), status: response.status)
        } catch {
            self.logger.info(
                "no answer from a webhook",
                ["event": "\(claim.event)", "webhook": claim.endpoint.publicID, "error": error.reason])
            return Self.verdict(of: error, from: claim.endpoint.kind)
        }
    }

    private static func verdict(of error: WebClientError, from kind: EndpointKind) -> TellingVerdict {
        switch error.kind {
        // What it has to say is its status; nobody reads the rest, however long it is.
        case .tooLarge where error.status != nil:
            let response = HTTPResponse(status: error.status ?? 0)
            return .told(Callbacks.verdict(of: response, from: kind, now: .now), status: error.status)
        // We are at our end, not the endpoint.
        case .cancelled: return .withheld
        case .notSent: return .told(.notSent, status: nil)
        case .forbidden: return .told(.forbidden, status: nil)
        case .answerLost, .tooLarge: return .told(.unanswered, status: nil)
        }
    }

    /// Keeps the endpoint's health, only when it changes; what is lost here the next attempt notes.
    private func note(_ verdict: TellingVerdict, of claim: EventClaim) async {
        guard case .told(let verdict, _) = verdict else { return }
        do {
            if verdict == .delivered {
                if claim.endpoint.isFailing { try await self.store.noteAnswer(of: claim.key.endpoint) }
                return
            }
            let lane = claim.key.subject.lane
            if let reason = try await self.store.noteFailure(
                of: claim.key.endpoint, isGone: verdict == .gone, lane: lane)
            {
                self.logger.warning(
                    "a webhook was switched off", ["webhook": claim.endpoint.publicID, "reason": reason])
            }
        } catch {
            self.logger.warning(
                "could not note a webhook's health", ["webhook": claim.endpoint.publicID, "error": "\(error)"])
        }
    }
}

/// What came of telling an event.
enum TellingVerdict: Sendable, Hashable {
    case told(CallbackVerdict, status: Int?)
    /// There is nothing to tell any more, nobody who wants it, or no words for it.
    case dropped
    /// It could not be signed, so it was not told. It is tried again, and not held against the endpoint.
    case withheld
}

extension EventClaim {
    /// Where this event goes: a message may say so itself, to the vendor by whose API it came in. What its account is told in
    /// our own words goes where all of that goes.
    var url: String {
        if self.endpoint.kind != .standard, case .message(let message) = self.facts?.subject,
            let url = message.callbackURL
        {
            return url
        }
        return self.endpoint.url
    }
}

extension SettledEvent {
    init(_ claim: EventClaim, _ telling: TellingVerdict, duration: Duration, random: Double) {
        self.init(
            key: claim.key, event: claim.event, attempt: claim.attempt, outcome: .dropped, status: nil,
            duration: duration, retryAfter: nil)
        let (verdict, status): (CallbackVerdict, Int?)
        switch telling {
        case .dropped: return
        case .withheld: (verdict, status) = (.notSent, nil)
        case .told(let told, let code): (verdict, status) = (told, code)
        }
        self.outcome = verdict.outcome
        self.status = status.map { Int16(clamping: $0) }
        guard verdict != .delivered, verdict != .gone else { return }
        self.retryAfter = Callbacks.retry(
            kind: claim.endpoint.kind, recipient: claim.recipient, attempt: Int(claim.attempt), verdict: verdict,
            random: random)
    }
}

extension EventClaim {
    fileprivate var recipient: String {
        switch self.facts?.subject {
        case .message(let message): message.recipient
        case .verification(let verification): verification.recipient
        case .endpoint, nil: ""
        }
    }
}

extension CallbackVerdict {
    fileprivate var outcome: SettledEvent.Outcome {
        switch self {
        case .delivered: .delivered
        case .gone, .refused: .refused
        case .unanswered: .unanswered
        case .notSent: .notSent
        case .forbidden: .forbidden
        }
    }
}
