import CCurl
import Egress

/// Lets transfers through to addresses the policy permits: reads their URLs, looks names up, and judges every address.
///
/// Lives on the client's thread.
final class EgressGate {
    /// A transfer that waits for the addresses of its host.
    private struct Arrival {
        let transfer: Transfer
        let url: CallbackURL
        let deadline: ContinuousClock.Instant
        let connectDeadline: ContinuousClock.Instant
    }

    private let policy: EgressPolicy
    private let resolver: NameResolver
    private var lookUps: LookUps
    private var waiting: [UInt64: Arrival] = [:]
    /// No waiting transfer's deadline is before this; nil when none waits.
    private var earliestDeadline: ContinuousClock.Instant?
    private var judged: [(transfer: Transfer, route: Route)] = []

    init(_ policy: EgressPolicy, _ configuration: WebClient.Configuration) {
        self.policy = policy
        self.resolver = NameResolver(nameServers: configuration.nameServers)
        self.lookUps = LookUps(limit: configuration.lookUpLimit, longestAge: configuration.knownNameAge)
    }

    var isEmpty: Bool { self.waiting.isEmpty && self.judged.isEmpty }

    /// Refuses the transfer, or leaves it to ``takeJudged()``, now or later.
    func admit(_ transfer: Transfer) {
        let url: CallbackURL
        do throws(CallbackURLProblem) {
            url = try CallbackURL(transfer.request.url, policy: self.policy)
        } catch {
            return transfer.fail(.forbidden, "\(error)")
        }
        let request = transfer.request
        let now = ContinuousClock.now
        let deadline = now + min(request.timeout, Route.longestTimeout)
        let arrival = Arrival(
            transfer: transfer, url: url, deadline: deadline,
            connectDeadline: min(deadline, now + min(request.connectTimeout, Route.longestTimeout)))
        if let address = url.address { self.judge(arrival, [address]) } else { self.lookUp(arrival, now) }
    }

    /// An unknown ticket has ended already, or has passed.
    func cancel(_ ticket: UInt64) {
        if let arrival = self.waiting.removeValue(forKey: ticket) {
            self.lookUps.leave(arrival.url.host, ticket)
            arrival.transfer.fail(.cancelled, "the request was cancelled")
        } else if let index = self.judged.firstIndex(where: { $0.transfer.ticket == ticket }) {
            self.judged.remove(at: index).transfer.fail(.cancelled, "the request was cancelled")
        }
    }

    /// The transfers that may be dialled, each once.
    func takeJudged() -> [(transfer: Transfer, route: Route)] {
        self.endLookUps()
        self.expire()
        defer { self.judged = [] }
        return self.judged
    }

    // MARK: - Waiting

    struct Socket {
        let descriptor: CInt
        let events: CShort
    }

    var sockets: [Socket] {
        self.resolver.sockets.map { socket in
            let events = (socket.isRead ? CURL_WAIT_POLLIN : 0) | (socket.isWritten ? CURL_WAIT_POLLOUT : 0)
            return Socket(descriptor: socket.descriptor, events: CShort(events))
        }
    }

    var patience: Duration {
        guard let earliestDeadline else { return self.resolver.patience }
        return min(self.resolver.patience, earliestDeadline - .now)
    }

    /// To be called after each wait.
    func heed(_ ready: [CInt]) { self.resolver.advance(ready: ready) }

    // MARK: - Private

    private func lookUp(_ arrival: Arrival, _ now: ContinuousClock.Instant) {
        let ticket = arrival.transfer.ticket
        let answer = self.lookUps.want(arrival.url.host, for: ticket, now: now)
        switch answer {
        case .known(let addresses): return self.judge(arrival, addresses)
        case .refused: return arrival.transfer.fail(.notSent, "too many names wait to be looked up")
        case .begin: self.resolver.begin(arrival.url.host)
        case .wait: break
        }
        self.waiting[ticket] = arrival
        self.earliestDeadline = min(self.earliestDeadline ?? arrival.connectDeadline, arrival.connectDeadline)
    }

    /// One forbidden address is enough: whoever mixes them means to be dialled again until luck picks that one.
    private func judge(_ arrival: Arrival, _ addresses: [NetworkAddress]) {
        guard addresses.allSatisfy({ self.policy.permits($0, port: arrival.url.port) }) else {
            return arrival.transfer.finish(.failure(.addressForbidden))
        }
        guard !addresses.isEmpty else { return arrival.transfer.fail(.notSent, "the host's name has no address") }
        let route = Route(
            to: arrival.url, at: addresses, until: arrival.deadline, connectedBy: arrival.connectDeadline)
        self.judged.append((arrival.transfer, route))
    }

    private func endLookUps() {
        var ended = self.resolver.takeEnded()
        // What /etc/hosts knows ends at once, and another begins in its place.
        while !ended.isEmpty {
            for (name, outcome) in ended { self.end(name, outcome) }
            ended = self.resolver.takeEnded()
        }
    }

    private func end(_ name: String, _ outcome: NameResolver.Outcome) {
        let (tickets, next) = self.lookUps.end(name, try? outcome.get(), now: .now)
        if let next { self.resolver.begin(next) }
        for arrival in tickets.compactMap({ self.waiting.removeValue(forKey: $0) }) {
            switch outcome {
            case .success(let found): self.judge(arrival, found.addresses)
            case .failure(let error): arrival.transfer.finish(.failure(error))
            }
        }
        if self.waiting.isEmpty { self.earliestDeadline = nil }
    }

    private func expire() {
        guard let earliest = self.earliestDeadline, .now >= earliest else { return }
        let now = ContinuousClock.now
        for (ticket, arrival) in self.waiting.filter({ $0.value.connectDeadline <= now }) {
            self.waiting[ticket] = nil
            self.lookUps.leave(arrival.url.host, ticket)
            arrival.transfer.fail(.notSent, "the host's name was not found in time")
        }
        self.earliestDeadline = self.waiting.values.map(\.connectDeadline).min()
    }
}
