public import Messaging
public import PhoneNumbers
public import Timestamps

// What became of codes, and guesses at them.
extension GuardState {
    /// A code that was sent to this number was used. `isReported` when the customer says so of a code of its own.
    public mutating func used(
        _ number: PhoneNumber, _ range: PhoneNumberRange, of account: AccountID, _ policy: GuardPolicy,
        isReported: Bool, at now: Timestamp
    ) {
        let levels = GuardLevels(number, range)
        let country = policy.country(of: number.e164, range).name
        var places: [(GuardKind, String)] = [
            (.block, levels.block), (.halfBlock, levels.halfBlock), (.network, levels.network), (.country, country),
            (.account, ""),
        ]
        if isReported { places.append((.reported, "")) }
        for (kind, value) in places {
            self.add(GuardCount(used: 1), to: GuardKey(account: account, kind: kind, value: value), at: now)
        }
    }

    /// Whether a guess may be looked at; before it is.
    ///
    /// An address or a device has so many wrong ones. When most of an account's guesses are wrong, so that somebody tries many
    /// numbers from many places, each place has two, and two more for each right one; those from where none was right so far have a
    /// number together; what comes from nobody knows where has none.
    public mutating func judgeGuess(
        of account: AccountID, _ caller: GuardCaller, _ policy: GuardPolicy, at now: Timestamp
    ) -> GuardRefusal? {
        guard policy.mode == .enforce else { return nil }
        let isAlarmed = self.isAlarmed(account, at: now)
        for case (let kind, let value?) in [(GuardKind.guessAddress, caller.address), (.guessDevice, caller.device)] {
            let key = GuardKey(account: account, kind: kind, value: value)
            if let wait = self.wait(key, policy.guesses, \.sent, at: now) {
                return GuardRefusal(.wrongGuesses, retryAfter: wait)
            }
            let count = self.count(key, at: now, \.day)
            if isAlarmed, count.sent >= Self.guessesInAlarm, count.sent > Self.guessesInAlarm * count.used {
                self.alarmedUntil[account] = now + Self.alarmRest
                return GuardRefusal(.wrongGuesses, retryAfter: Self.alarmRest)
            }
        }
        let newcomers = GuardKey(newcomersOf: account)
        if isAlarmed, self.isNewcomer(caller, account, at: now),
            self.count(newcomers, at: now, \.short).sent >= Self.newcomersInAlarm
        {
            return GuardRefusal(.wrongGuesses, retryAfter: Self.restOfShort(newcomers, now))
        }
        let anonymous = GuardKey(account: account, kind: .guessAnonymous, value: "")
        guard caller == GuardCaller(), self.isAlarmed(account, .guessAnonymous, at: now) else { return nil }
        return GuardRefusal(.wrongGuesses, retryAfter: Self.restOfShort(anonymous, now))
    }

    /// A guess was looked at.
    public mutating func guessed(
        isRight: Bool, of account: AccountID, _ caller: GuardCaller, at now: Timestamp
    ) {
        let count = isRight ? GuardCount(used: 1) : GuardCount(sent: 1)
        var places: [(GuardKind, String)] = [(.guessAccount, "")]
        if let address = caller.address { places.append((.guessAddress, address)) }
        if let device = caller.device { places.append((.guessDevice, device)) }
        if caller == GuardCaller() { places.append((.guessAnonymous, "")) }
        if !isRight, self.isNewcomer(caller, account, at: now), self.isAlarmed(account, at: now) {
            self.add(count, to: GuardKey(newcomersOf: account), at: now)
        }
        for (kind, value) in places {
            self.add(count, to: GuardKey(account: account, kind: kind, value: value), at: now)
        }
    }

    // MARK: - For the judgements

    /// Whether somebody tells which of the account's own codes are used.
    func hasFeedback(_ account: AccountID, at now: Timestamp) -> Bool {
        let day = self.count(GuardKey(reportedOf: account), at: now, \.day)
        return day.used > 0 && day.used * Self.feedbackShare >= day.sent
    }

    func needsFeedback(_ account: AccountID, at now: Timestamp) -> Bool {
        self.count(GuardKey(reportedOf: account), at: now, \.day).sent >= Self.feedbackVolume
    }

    // MARK: - Private

    private func isAlarmed(_ account: AccountID, at now: Timestamp) -> Bool {
        self.isAlarmed(account, .guessAccount, at: now) || self.alarmedUntil[account].map { $0 > now } ?? false
    }

    /// Of ten that are looked at, six are wrong or more; or two, when that is twice as many as on the day before.
    private func isAlarmed(_ account: AccountID, _ kind: GuardKind, at now: Timestamp) -> Bool {
        let key = GuardKey(account: account, kind: kind, value: "")
        let hour = self.count(key, at: now, \.short)
        let (wrong, all) = (hour.sent, hour.sent + hour.used)
        guard wrong >= Self.guessAlarm, 10 * wrong >= 2 * all else { return false }
        let before = self.counters[key]?.day.before(at: now.seconds, length: GuardCounter.day) ?? GuardCount()
        let usual = before.sent + before.used
        return 10 * wrong >= 6 * all || usual >= Self.baseline && wrong * usual >= 2 * before.sent * all
    }

    /// Whether none of the places has been right today.
    private func isNewcomer(_ caller: GuardCaller, _ account: AccountID, at now: Timestamp) -> Bool {
        let places: [(GuardKind, String?)] = [(.guessAddress, caller.address), (.guessDevice, caller.device)]
        let counts = places.compactMap { kind, value in
            value.map { self.count(GuardKey(account: account, kind: kind, value: $0), at: now, \.day) }
        }
        return !counts.isEmpty && counts.allSatisfy { $0.used == 0 }
    }
}

extension GuardKey {
    /// Guesses in an alarm from where none was right so far.
    fileprivate init(newcomersOf account: AccountID) {
        self.init(account: account, kind: .guessAnonymous, value: "newcomers")
    }
}
