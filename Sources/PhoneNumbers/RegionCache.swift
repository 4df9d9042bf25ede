import Synchronization

/// The countries of numbers, looked up once for all numbers that differ in their last four digits only.
///
/// Countries that share a calling code have such blocks of their own, but for a few small islands with Australian numbers, for which
/// their block's first answer holds. A block costs one ``PhoneNumberFacts`` of 15 to 60 µs, each other number a look into a
/// dictionary.
public final class RegionCache: Sendable {
    private let limit: Int
    private let lookUp: @Sendable (String) -> String?
    private let blocks = Mutex(Blocks())

    /// Two generations: what was asked for lately is in the young one, or comes back to it from the old one.
    private struct Blocks {
        var young: [UInt64: String?] = [:]
        var old: [UInt64: String?] = [:]
    }

    /// Remembers the `limit` / 2 blocks that were asked for last, and never more than `limit`, which is 2 or more.
    public convenience init(limit: Int) {
        self.init(limit: limit) { PhoneNumberFacts(e164: $0).region }
    }

    init(limit: Int, lookUp: @escaping @Sendable (String) -> String?) {
        precondition(limit >= 2, "a cache of nothing")
        self.limit = limit
        self.lookUp = lookUp
    }

    /// The country of a number in E.164, in ISO 3166's two letters; nil for numbers of no country, and for what is no number. See
    /// ``PhoneNumberFacts/region``.
    public func region(of number: String) -> String? {
        guard let block = Self.block(of: number) else { return nil }
        if let known = self.known(block) { return known }
        // Not under the lock: others need not wait for it.
        let region = self.lookUp(number)
        self.remember(region, of: block)
        return region
    }

    var count: Int { self.blocks.withLock { $0.young.count + $0.old.count } }

    // MARK: - Private

    /// The digits before the last four, behind a 1 that keeps leading zeros; nil for what is no number in E.164. Numbers of other
    /// lengths have other blocks.
    private static func block(of number: String) -> UInt64? {
        let digits = number.utf8.dropFirst()
        guard number.utf8.first == UInt8(ascii: "+"), (5...15).contains(digits.count) else { return nil }
        var block: UInt64 = 1
        for (place, digit) in digits.enumerated() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            if place < digits.count - 4 { block = block * 10 + UInt64(digit - UInt8(ascii: "0")) }
        }
        return block
    }

    private func known(_ block: UInt64) -> String?? {
        self.blocks.withLock { blocks in
            if let region = blocks.young[block] { return .some(region) }
            guard let region = blocks.old.removeValue(forKey: block) else { return nil }
            blocks.young[block] = .some(region)
            self.age(&blocks)
            return .some(region)
        }
    }

    private func remember(_ region: String?, of block: UInt64) {
        self.blocks.withLock { blocks in
            blocks.old.removeValue(forKey: block)
            blocks.young[block] = .some(region)
            self.age(&blocks)
        }
    }

    /// The old ones are forgotten when the young ones are half of all.
    private func age(_ blocks: inout Blocks) {
        guard blocks.young.count >= self.limit / 2 else { return }
        blocks.old = blocks.young
        blocks.young = [:]
    }
}
