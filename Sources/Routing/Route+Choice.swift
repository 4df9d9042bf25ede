public import Messaging

extension Route {
    /// The target that a message should go to next, by its place; nil when it has been to all that are well.
    ///
    /// Those of the message's own channel come before all others, whatever they weigh: a call wakes people. Among them an ordered
    /// route takes the first that is well, a weighted one draws.
    ///
    /// - Parameters:
    ///   - tried: where the message has been.
    ///   - channels: nil for any channel.
    ///   - country: of the recipient.
    public func choose(
        tried: TargetSet = TargetSet(), channels: Set<Channel>? = nil, country: String, conditions: Conditions,
        now: ContinuousClock.Instant, using random: inout some RandomNumberGenerator
    ) -> Int? {
        for isOwn in [true, false] {
            let candidates = self.targets.indices.filter { index in
                let channel = self.targets[index].channel
                return (channel == self.channel) == isOwn && self.targets[index].isServed && !tried.contains(index)
                    && channels?.contains(channel) ?? true
            }
            let shares = candidates.map { index in
                conditions.share(
                    of: .init(provider: self.targets[index].provider, country: country), now: now)
            }
            let drawn =
                self.isWeighted
                ? self.draw(candidates, shares: shares, conditions, using: &random)
                : Self.first(of: candidates, shares: shares, using: &random)
            if let drawn { return drawn }
        }
        return nil
    }

    /// The target to begin with, whatever its condition: a message goes somewhere. Only codes may begin by another channel.
    public func begin(
        priority: Priority, country: String, conditions: Conditions, now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) -> Int {
        let channels: Set<Channel>? = priority == .otp ? nil : [self.channel]
        return self.choose(channels: channels, country: country, conditions: conditions, now: now, using: &random)
            ?? self.targets.firstIndex(where: \.isServed) ?? 0
    }

    /// The place of a provider among the targets; nil when it is none any more.
    public func index(of provider: ProviderID) -> Int? { self.targets.firstIndex { $0.provider == provider } }

    // MARK: - Private

    /// The first that its condition lets this message through to. One that lets some through is passed over for the next by the
    /// others; when nobody else is there, it gets them all the same.
    private static func first(
        of candidates: [Int], shares: [Double], using random: inout some RandomNumberGenerator
    ) -> Int? {
        for (index, share) in zip(candidates, shares) where share > 0 {
            if share >= 1 || .random(in: 0..<1, using: &random) < share { return index }
        }
        return zip(candidates, shares).first { $0.1 > 0 }?.0
    }

    private func draw(
        _ candidates: [Int], shares: [Double], _ conditions: Conditions,
        using random: inout some RandomNumberGenerator
    ) -> Int? {
        let weights = zip(candidates, shares).map { Double(conditions.weight(of: self.targets[$0], in: self)) * $1 }
        let total = weights.reduce(0, +)
        guard total > 0 else { return nil }
        var left = Double.random(in: 0..<total, using: &random)
        for (index, weight) in zip(candidates, weights) where weight > 0 {
            left -= weight
            if left < 0 { return index }
        }
        // What rounding left over.
        return zip(candidates, weights).reversed().first { $0.1 > 0 }?.0
    }
}
