import Synchronization

/// The bytes that all bodies together may have, promised and received: what bounds a server's memory.
final class BodyBudget: Sendable {
    private let limit: Int
    private let taken = Atomic(0)

    init(limit: Int) { self.limit = limit }

    /// Takes all of `byteCount`, or nothing and returns false.
    func take(_ byteCount: Int) -> Bool {
        guard byteCount > 0 else { return true }
        var current = self.taken.load(ordering: .relaxed)
        while byteCount <= self.limit - current {
            let (exchanged, original) = self.taken.weakCompareExchange(
                expected: current, desired: current + byteCount, ordering: .relaxed)
            if exchanged { return true }
            current = original
        }
        return false
    }

    func giveBack(_ byteCount: Int) {
        guard byteCount > 0 else { return }
        let left = self.taken.subtract(byteCount, ordering: .relaxed).newValue
        precondition(left >= 0, "more bytes of bodies were given back than were taken")
    }
}
