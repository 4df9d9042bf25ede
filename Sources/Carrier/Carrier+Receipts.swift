import Synchronization
import Telemetry
import WebClient

extension Carrier {
    /// How often the schedule is looked at while there is something in it: receipts are late by this much at most.
    private static let tick = Duration.milliseconds(5)

    /// Posts receipts when they are due, until drained or cancelled.
    public func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            var posting = 0
            while let posts = await self.nextPosts() {
                for post in posts {
                    if posting == self.configuration.postLimit {
                        await group.next()
                        posting -= 1
                    }
                    group.addTask { await self.perform(post) }
                    posting += 1
                }
            }
        }
        let left = self.state.withLock { $0.schedule.count }
        if left > 0 { self.logger.info("receipts were never posted", ["count": left]) }
    }

    /// Ends `run()` as soon as the posts under way are answered. Receipts whose time has not come are never posted.
    public func drain() {
        let poster = self.state.withLock { state in
            state.isDraining = true
            return state.idlePoster.take()
        }
        poster?.resume()
    }

    /// Arranges the receipts of a message; with that fault they are posted here and now.
    func arrangeReceipts(for message: TakenMessage, fault: Fault?) async {
        let outcome = CarrierReceipt.outcome(under: fault)
        self.state.withLock { $0.known.add(message, outcome) }
        let plan = CarrierReceipt.plan(for: message, fault: fault, delay: self.configuration.receiptDelay)
        for receipt in plan {
            if fault?.kind == .receiptEarly {
                await self.perform(Self.post(receipt))
            } else {
                self.state.withLock { $0.schedule(Self.post(receipt), due: .now.advanced(by: receipt.wait)) }?.resume()
            }
        }
    }

    // MARK: - Private

    private enum Step {
        case post([ReceiptPost])
        case sleep
        case wait
        case end
    }

    /// Posts that are due, as soon as there are any; nil when draining or cancelled.
    private func nextPosts() async -> [ReceiptPost]? {
        while !Task.isCancelled {
            switch self.nextStep() {
            case .post(let posts): return posts
            case .sleep: try? await Task.sleep(for: Self.tick)
            case .wait: await self.waitForReceipts()
            case .end: return nil
            }
        }
        return nil
    }

    private func nextStep() -> Step {
        self.state.withLock { state in
            if state.isDraining { return .end }
            let posts = state.schedule.take(at: .now)
            return posts.isEmpty ? (state.schedule.isEmpty ? .wait : .sleep) : .post(posts)
        }
    }

    private func waitForReceipts() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = self.state.withLock { state in
                    // `onCancel` takes the same lock, so a cancellation is seen either here or there.
                    if Task.isCancelled || state.isDraining || !state.schedule.isEmpty { return false }
                    precondition(state.idlePoster == nil, "run() was called twice")
                    state.idlePoster = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.idlePoster.take() }?.resume()
        }
    }

    /// Posts, counts, and arranges what comes next: another try, or the receipts that follow.
    private func perform(_ post: ReceiptPost) async {
        var post = post
        if post.provider == .bandwidthCalls, post.attempt == 0 {
            post.receipts = [await self.answerCall(post.receipts[0])]
        }
        if post.provider == .smpp {
            return self.deliver(post) { [post] isTaken in self.conclude(post, isTaken: isTaken) }
        }
        let status = await self.sendReceipt(self.request(for: post))
        self.conclude(post, isTaken: status.map { (200...299).contains($0) } ?? false)
    }

    private func conclude(_ post: ReceiptPost, isTaken: Bool) {
        let retries = self.retries(of: post.provider)
        let poster = self.state.withLock { state -> CarrierState.Poster? in
            if isTaken {
                state[post.provider].posted += post.receipts.count
            } else {
                state[post.provider].failed += post.receipts.count
                if retries.indices.contains(post.attempt) {
                    var again = post
                    again.attempt += 1
                    return state.schedule(again, due: .now.advanced(by: retries[post.attempt]))
                }
                state[post.provider].lost += post.receipts.count
            }
            return Self.scheduleFollowing(post, in: &state)
        }
        poster?.resume()
    }

    private static func scheduleFollowing(_ post: ReceiptPost, in state: inout CarrierState) -> CarrierState.Poster? {
        var poster: CarrierState.Poster?
        for receipt in post.receipts.lazy.flatMap(\.later) {
            // Only the first finds the poster idle.
            poster = state.schedule(self.post(receipt), due: .now.advanced(by: receipt.wait)) ?? poster
        }
        return poster
    }

    private static func post(_ receipt: CarrierReceipt) -> ReceiptPost {
        ReceiptPost(
            provider: receipt.message.provider, url: receipt.message.receiptURL ?? "", receipts: [receipt]
        )
    }

    private func request(for post: ReceiptPost) -> WebRequest {
        var request: WebRequest
        switch post.provider {
        case .vonage:
            let nonce = self.state.withLock { $0.random.nextID() }
            request = VonageReceipt(receipt: post.receipts[0], now: self.now(), nonce: nonce)
                .request(to: post.url, from: self.configuration.vonage)
        case .infobip:
            request = InfobipReport(receipts: post.receipts, now: self.now())
                .request(to: post.url, from: self.configuration.infobip)
        case .smpp: preconditionFailure("receipts by SMPP are no requests")
        case .own, .smtp: request = OwnReceipt(receipt: post.receipts[0], now: self.now()).request(to: post.url)
        case .twilio, .bandwidth, .telnyx, .plivo, .sinch, .messageBird:
            let unique = self.state.withLock { $0.random.nextID() }
            guard let contract = self.configuration.contract(of: post.provider) else {
                preconditionFailure("\(post.provider) has a contract")
            }
            request = contract.request(
                for: Report(post.receipts[0], url: post.url, now: self.now()), unique: unique)
        case let provider:
            guard let contract = self.service(of: provider) else {
                preconditionFailure("a provider without a contract")
            }
            let nonce = self.state.withLock { $0.random.nextID() }
            request = contract.receipt(post.receipts[0], now: self.now(), nonce: nonce)
        }
        request.timeout = self.configuration.postTimeout
        request.connectTimeout = self.configuration.connectTimeout
        return request
    }

    private func retries(of provider: Provider) -> [Duration] {
        switch provider {
        case .vonage: self.configuration.vonage.retries
        case .infobip: self.configuration.infobip.retries
        case .smpp: self.configuration.smpp.retries
        // A mail has no receipt; its bounces are mails.
        case .own, .smtp: self.configuration.own.retries
        case .twilio, .bandwidth, .telnyx, .plivo, .sinch, .messageBird:
            self.configuration.contract(of: provider)?.account.retries ?? []
        case let provider: self.service(of: provider)?.retries ?? []
        }
    }
}
