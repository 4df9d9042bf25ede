import Egress

/// The addresses of a name, and for how long they are its.
struct FoundAddresses: Sendable, Hashable {
    var addresses: [NetworkAddress]
    var timeToLive: Duration
}

/// Which names are looked up, for which transfers, and what is known of others. Decides only; others look up.
struct LookUps {
    enum Answer: Hashable {
        case known([NetworkAddress])
        /// The name is to be looked up now, on behalf of all who come to want it.
        case begin
        case wait
        /// Too many names wait.
        case refused
    }

    private struct Known {
        let addresses: [NetworkAddress]
        let end: ContinuousClock.Instant
    }

    /// Names kept, and names waiting to be looked up, at most.
    static let knownLimit = 1024
    static let queueLimit = 4096

    private let limit: Int
    private let longestAge: Duration
    private var known: [String: Known] = [:]
    private var wanted: [String: Set<UInt64>] = [:]
    private var underWay: Set<String> = []
    private var queue: [String] = []

    init(limit: Int, longestAge: Duration) {
        self.limit = max(1, limit)
        self.longestAge = longestAge
    }

    mutating func want(_ name: String, for ticket: UInt64, now: ContinuousClock.Instant) -> Answer {
        if let known = self.known[name] {
            if now < known.end { return .known(known.addresses) }
            self.known[name] = nil
        }
        if self.wanted[name] != nil || self.underWay.contains(name) {
            self.wanted[name, default: []].insert(ticket)
            return .wait
        }
        guard self.queue.count < Self.queueLimit else { return .refused }
        self.wanted[name] = [ticket]
        if self.underWay.count < self.limit {
            self.underWay.insert(name)
            return .begin
        }
        self.queue.append(name)
        return .wait
    }

    /// The transfer no longer wants the name. A look-up under way goes on, for whoever comes next.
    mutating func leave(_ name: String, _ ticket: UInt64) {
        self.wanted[name]?.remove(ticket)
        guard self.wanted[name]?.isEmpty == true else { return }
        self.wanted[name] = nil
        if !self.underWay.contains(name) { self.queue.removeAll { $0 == name } }
    }

    /// A look-up has ended; nil for one that found nothing, which is not remembered. Tells whose turn it is, and which
    /// name is to be looked up next.
    mutating func end(
        _ name: String, _ found: FoundAddresses?, now: ContinuousClock.Instant
    ) -> (tickets: Set<UInt64>, next: String?) {
        self.underWay.remove(name)
        if let found { self.remember(name, found, now: now) }
        let tickets = self.wanted.removeValue(forKey: name) ?? []
        guard !self.queue.isEmpty, self.underWay.count < self.limit else { return (tickets, nil) }
        let next = self.queue.removeFirst()
        self.underWay.insert(next)
        return (tickets, next)
    }

    // MARK: - Private

    private mutating func remember(_ name: String, _ found: FoundAddresses, now: ContinuousClock.Instant) {
        let age = min(found.timeToLive, self.longestAge)
        guard age > .zero else { return }
        if self.known.count >= Self.knownLimit { self.known = self.known.filter { now < $0.value.end } }
        // Whoever fills it with names that live on makes look-ups anew, and nothing worse.
        if self.known.count >= Self.knownLimit { self.known = [:] }
        self.known[name] = Known(addresses: found.addresses, end: now + age)
    }
}
