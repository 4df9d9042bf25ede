import Messaging
import PhoneNumbers
import Timestamps

// What is looked at before a message goes, from what costs least to what costs most.
extension GuardState {
    /// All that is against a message whatever else has been sent.
    func standing(
        _ send: GuardedSend, _ policy: GuardPolicy, _ country: GuardPolicy.Country, at now: Timestamp,
        hashes: (String) -> [String]
    ) -> [GuardRefusal] {
        [
            self.impossible(send, policy, country), self.blocked(send, policy, country, at: now, hashes: hashes),
            country.rule == .off ? GuardRefusal(.countryOff) : nil,
        ].compactMap(\.self)
    }

    /// What no account could want to reach. Of what no plan knows, a prefix that the operator has named is known to it.
    func impossible(_ send: GuardedSend, _ policy: GuardPolicy, _ country: GuardPolicy.Country) -> GuardRefusal? {
        if send.range.impossibility != nil { return country.isPrefix ? nil : GuardRefusal(.numberImpossible) }
        return policy.refusedTypes.contains(send.range.type) ? GuardRefusal(.numberType) : nil
    }

    func blocked(
        _ send: GuardedSend, _ policy: GuardPolicy, _ country: GuardPolicy.Country, at now: Timestamp,
        hashes: (String) -> [String]
    ) -> GuardRefusal? {
        let account = send.account
        let isSafe = policy.isSafe(send.number.e164)
        let plain = [
            self.blocks.wait(.account, "", account: account, at: now),
            self.blocks.wait(.channel, send.channel.rawValue, account: account, at: now),
            self.blocks.wait(.country, country.name, account: account, isSafe: isSafe, at: now),
            self.blocks.wait(.country, country.region, account: account, isSafe: isSafe, at: now),
            self.blocks.wait(prefixOf: send.number.e164, account: account, isSafe: isSafe, at: now),
        ]
        if case .some(let wait) = plain.compactMap(\.self).first { return GuardRefusal(.blocked, retryAfter: wait) }
        guard self.blocks.needsHashes else { return nil }
        let hashed: [(GuardBlock.Scope, String?)] = [
            (.number, send.number.e164), (.address, send.caller.address), (.device, send.caller.device),
        ]
        for case (let scope, let value?) in hashed {
            for hash in hashes(value) {
                guard case .some(let wait) = self.blocks.wait(scope, hash, account: account, at: now) else { continue }
                return GuardRefusal(.blocked, retryAfter: wait)
            }
        }
        return nil
    }

    /// What is refused for how much there is of it; what may go is counted.
    mutating func judgeAmount(
        _ send: GuardedSend, _ policy: GuardPolicy, _ country: GuardPolicy.Country, at now: Timestamp,
        _ verdict: inout GuardVerdict
    ) {
        let cost = send.cost?.rawValue ?? 0
        // What costs nothing and is held to nothing is not looked up.
        let caps = policy.caps(of: country).filter { cost > 0 || $0.cap.limits(send.channel) }.map { name, cap in
            let key = GuardKey(
                account: send.account, kind: send.channel == .voice ? .spendVoice : .spendText, value: name)
            return Spending(
                key: key, spent: self.count(key, at: now, \.day, isRunning: true).sent,
                soft: cap.soft(of: send.channel)?.rawValue, hard: cap.hard(of: send.channel)?.rawValue)
        }
        let isOverSoftCap = caps.contains { $0.isOverSoft }
        let rule = isOverSoftCap && country.rule == .on ? .guarded : country.rule
        let levels = GuardLevels(send.number, send.range)
        if send.isCode, !policy.isSafe(send.number.e164) {
            let refusal =
                self.velocity(send, policy, country.name, rule, levels, at: now, &verdict)
                ?? self.score(send, policy, country.name, rule, levels, at: now, &verdict)
            if let refusal, self.note(refusal, policy, &verdict) { return }
        }
        if caps.contains(where: { $0.exceedsHard(with: cost) }) {
            let rest = GuardCounter.day - now.seconds % GuardCounter.day
            if self.note(GuardRefusal(.spendCap, retryAfter: .seconds(rest)), policy, &verdict) { return }
        }
        verdict.softCapReached = caps.contains { $0.reachesSoft(with: cost) }
        let spending = cost > 0 ? caps.map { (key: $0.key, count: GuardCount(sent: cost)) } : []
        self.count(send, country.name, levels, spending, at: now, &verdict)
    }

    // MARK: - Private

    /// Counters that a code adds to, at most.
    private static let levelCount = 10

    /// What has been spent today, and against which caps.
    private struct Spending {
        var key: GuardKey
        var spent: Int64
        var soft: Int64?
        var hard: Int64?

        var isOverSoft: Bool { self.soft.map { self.spent >= $0 } ?? false }

        func reachesSoft(with cost: Int64) -> Bool {
            !self.isOverSoft && self.soft.map { self.spent + cost >= $0 } ?? false
        }

        func exceedsHard(with cost: Int64) -> Bool { self.hard.map { self.spent + cost > $0 } ?? false }
    }

    private mutating func velocity(
        _ send: GuardedSend, _ policy: GuardPolicy, _ country: String, _ rule: GuardPolicy.CountryRule,
        _ levels: GuardLevels, at now: Timestamp, _ verdict: inout GuardVerdict
    ) -> GuardRefusal? {
        let key = { (kind: GuardKind, value: String) in GuardKey(account: send.account, kind: kind, value: value) }
        let number = key(.number, levels.number)
        if let wait = self.wait(number, policy.number, \.sent, at: now) {
            return GuardRefusal(.velocityNumber, retryAfter: wait)
        }
        let everywhere = GuardKey(everywhere: levels.number)
        if self.count(everywhere, at: now, \.day).sent >= Self.everywherePerDay {
            return GuardRefusal(.velocityNumber, retryAfter: Self.restOfShort(everywhere, now))
        }
        if let refusal = self.callerVelocity(send, policy, at: now) { return refusal }
        let half = GuardPolicy.Limit(short: max(1, policy.block.short / 2), day: max(1, policy.block.day / 2))
        for (kind, value, limit) in [
            (GuardKind.block, levels.block, policy.block), (.halfBlock, levels.halfBlock, half),
        ] where self.wait(key(kind, value), limit, \.ahead, at: now) != nil {
            // Nil: an operator has said to let it be, and nothing else.
            if let refusal = self.trip(.velocityBlock, value, send, policy, at: now, &verdict) { return refusal }
        }
        if let limit = policy.accountPerDay,
            self.count(key(.account, ""), at: now, \.day, isRunning: true).sent >= limit
        {
            return GuardRefusal(
                .velocityAccount, retryAfter: .seconds(GuardCounter.day - now.seconds % GuardCounter.day))
        }
        return self.countryVelocity(key(.country, country), policy, rule, at: now)
    }

    private func callerVelocity(_ send: GuardedSend, _ policy: GuardPolicy, at now: Timestamp) -> GuardRefusal? {
        let callers: [(GuardKind, GuardKind, String?, GuardPolicy.Limit, GuardReason)] = [
            (.address, .guessAddress, send.caller.address, policy.address, .velocityAddress),
            (.device, .guessDevice, send.caller.device, policy.device, .velocityDevice),
        ]
        for case (let kind, let guesses, let value?, let limit, let reason) in callers {
            let key = GuardKey(account: send.account, kind: kind, value: value)
            if let wait = self.wait(key, limit, \.sent, at: now) { return GuardRefusal(reason, retryAfter: wait) }
            // Whoever guesses gets no more codes to guess at.
            let guessing = GuardKey(account: send.account, kind: guesses, value: value)
            if let wait = self.wait(guessing, policy.guesses, \.sent, at: now) {
                return GuardRefusal(.wrongGuesses, retryAfter: wait)
            }
        }
        return nil
    }

    /// Three times what the country got in an hour of the day before, or what it may be ahead by.
    private func countryVelocity(
        _ key: GuardKey, _ policy: GuardPolicy, _ rule: GuardPolicy.CountryRule, at now: Timestamp
    ) -> GuardRefusal? {
        let hour = self.count(key, at: now, \.short).sent
        var limit = policy.countryPerHour
        if rule == .guarded {
            let baseline = 3 * self.count(key, at: now, \.day).sent / 24
            limit = min(limit ?? .max, max(policy.aheadGuarded, baseline))
        }
        guard let limit, hour >= limit else { return nil }
        return GuardRefusal(.velocityCountry, retryAfter: Self.restOfShort(key, now))
    }

    private mutating func score(
        _ send: GuardedSend, _ policy: GuardPolicy, _ country: String, _ rule: GuardPolicy.CountryRule,
        _ levels: GuardLevels, at now: Timestamp, _ verdict: inout GuardVerdict
    ) -> GuardRefusal? {
        if rule == .guarded, let exchangedAt, now - exchangedAt > Self.freshness {
            return GuardRefusal(.signalsMissing, retryAfter: Self.freshness)
        }
        let hasFeedback = send.isVerification || self.hasFeedback(send.account, at: now)
        verdict.lacksFeedback = !hasFeedback && self.needsFeedback(send.account, at: now)
        // Of codes that nobody tells of, as if none were used where it is guarded; nothing elsewhere.
        guard hasFeedback || rule == .guarded else { return nil }
        let allowed = rule == .guarded ? policy.aheadGuarded : policy.ahead
        for (kind, value) in [(GuardKind.network, levels.network), (.country, country)] {
            let key = GuardKey(account: send.account, kind: kind, value: value)
            // Until the others have told what was used before, those who do what they always did would look like pumps.
            guard rule == .guarded || self.isKnown(key) else { continue }
            let isAhead = self.isAhead(self.count(key, at: now, \.short), self.count(key, at: now, \.day), by: allowed)
            guard isAhead || self.hasFallen(key, from: allowed, at: now) else {
                self.aheadSince[key] = nil
                continue
            }
            let since = self.aheadSince[key] ?? now
            self.aheadSince[key] = since
            guard rule == .guarded && isAhead || now - since >= Self.patience else {
                // When many log in at once, use falls for as long as it takes them to read.
                guard isAhead else { continue }
                return GuardRefusal(.pumpingScore, retryAfter: Self.holdBack)
            }
            // What is no beginning of numbers is blocked as the country that it is.
            let scope = kind == .network || country.hasPrefix("+") ? GuardBlock.Scope.prefix : .country
            if let refusal = self.trip(.pumpingScore, value, scope: scope, send, policy, at: now, &verdict) {
                return refusal
            }
        }
        return self.accountScore(send.account, policy, at: now)
    }

    /// What is a little ahead in each of many countries may be too far ahead in all together; which of them to block nobody knows.
    private func accountScore(_ account: AccountID, _ policy: GuardPolicy, at now: Timestamp) -> GuardRefusal? {
        let (all, reported) = (GuardKey(account: account, kind: .account, value: ""), GuardKey(reportedOf: account))
        guard self.isKnown(all) else { return nil }
        // Of codes that nobody tells of nothing is known.
        let isWhole = self.hasFeedback(account, at: now)
        let counts = [\GuardCounter.short, \.day].map { window in
            let count = self.count(all, at: now, window)
            return isWhole ? count : count - self.count(reported, at: now, window)
        }
        guard self.isAhead(counts[0], counts[1], by: Self.accountFactor * policy.ahead) else { return nil }
        return GuardRefusal(.pumpingScore, retryAfter: Self.holdBack)
    }

    /// Whether the others have told of it, or there are none.
    private func isKnown(_ key: GuardKey) -> Bool {
        self.exchangedAt == nil || self.counters[key]?.isLearned ?? false
    }

    private func isAhead(_ hour: GuardCount, _ day: GuardCount, by allowed: Int64) -> Bool {
        let learned = min(day.used, day.sent) / Self.learnedShare
        return hour.ahead >= allowed + learned || day.ahead >= Self.dayFactor * allowed
    }

    /// Whether of an hour's codes less than half as many are used as of the day before's: what is never ahead, because so many use
    /// theirs, may have a pump among it.
    private func hasFallen(_ key: GuardKey, from allowed: Int64, at now: Timestamp) -> Bool {
        let hour = self.count(key, at: now, \.short)
        let before = self.counters[key]?.day.before(at: now.seconds, length: GuardCounter.day) ?? GuardCount()
        guard before.sent >= Self.baseline, hour.sent >= allowed else { return false }
        return 2 * hour.used * before.sent < before.used * hour.sent
    }

    private mutating func trip(
        _ reason: GuardReason, _ value: String, scope: GuardBlock.Scope = .prefix, _ send: GuardedSend,
        _ policy: GuardPolicy, at now: Timestamp, _ verdict: inout GuardVerdict
    ) -> GuardRefusal? {
        guard !self.blocks.isLifted(scope, value, account: send.account, at: now) else { return nil }
        guard policy.mode == .enforce else { return GuardRefusal(reason) }
        // Until the table says how long this one really is.
        let block = GuardBlock(
            account: send.account, scope: scope, value: value, until: now + GuardBlock.firstDuration, isGuards: true)
        self.blocks.insert(block)
        verdict.block = (block, reason)
        return GuardRefusal(reason, retryAfter: GuardBlock.firstDuration)
    }

    private mutating func count(
        _ send: GuardedSend, _ country: String, _ levels: GuardLevels, _ spending: [(key: GuardKey, count: GuardCount)],
        at now: Timestamp, _ verdict: inout GuardVerdict
    ) {
        let key = { (kind: GuardKind, value: String) in GuardKey(account: send.account, kind: kind, value: value) }
        var counts = spending
        if send.isCode {
            let weight = GuardCount(sent: self.weight(of: send, levels))
            let one = GuardCount(sent: 1)
            counts.reserveCapacity(counts.count + Self.levelCount)
            counts.append((key(.number, levels.number), one))
            counts.append((GuardKey(everywhere: levels.number), one))
            counts.append((key(.block, levels.block), weight))
            counts.append((key(.halfBlock, levels.halfBlock), weight))
            counts.append((key(.network, levels.network), one))
            counts.append((key(.country, country), one))
            counts.append((key(.account, ""), one))
            if !send.isVerification { counts.append((GuardKey(reportedOf: send.account), one)) }
            if let address = send.caller.address { counts.append((key(.address, address), one)) }
            if let device = send.caller.device { counts.append((key(.device, device), one)) }
        }
        for (key, count) in counts { self.add(count, to: key, at: now) }
        if send.isCode { self.counters.update(key(.block, levels.block)) { $0.lastNumber = levels.lastDigits } }
        verdict.pass.counts = counts
    }

    /// The same number again is the number's own limit to stop.
    private func weight(of send: GuardedSend, _ levels: GuardLevels) -> Int64 {
        let key = GuardKey(account: send.account, kind: .block, value: levels.block)
        guard let last = self.counters[key]?.lastNumber, last >= 0 else { return 1 }
        let distance = abs(levels.lastDigits - last)
        if distance == 0 { return 0 }
        return (1...Self.neighbourhood).contains(distance) ? Self.neighbourWeight : 1
    }
}

extension GuardKey {
    /// Codes of the account's own making.
    init(reportedOf account: AccountID) { self.init(account: account, kind: .reported, value: "") }

    /// What a number has got from all accounts.
    init(everywhere number: String) {
        self.init(account: AccountID(rawValue: 0), kind: .everywhere, value: number)
    }
}
