/// What one process has lately seen of a provider in one country, and whether that is enough to stop sending there.
///
/// A value without a clock: what follows, for how long and for whom, is decided elsewhere.
public struct Breaker: Sendable, Hashable {
    /// Failures in a row that are enough.
    public static let failuresInARow = 5
    /// So many while traffic is coming back: it is not to be hurt twice.
    public static let failuresWhileRamping = 2
    /// Attempts that are remembered; when all are there and at least half of them failed, that is enough too.
    public static let window = 20

    /// The latest attempts, a bit each, set for a failure; the newest is the lowest.
    private var attempts: UInt32 = 0
    private var count = 0

    public init() {}

    /// Takes note of an attempt; true when it is the one that is too much. Then all is forgotten, and counting begins anew.
    public mutating func record(failed: Bool, isRamping: Bool = false) -> Bool {
        self.attempts = (self.attempts << 1 | (failed ? 1 : 0)) & (1 << UInt32(Self.window) - 1)
        self.count = min(self.count + 1, Self.window)
        guard failed else { return false }
        let inARow = (~self.attempts).trailingZeroBitCount
        let isMost = self.count == Self.window && self.attempts.nonzeroBitCount * 2 >= Self.window
        guard inARow >= (isRamping ? Self.failuresWhileRamping : Self.failuresInARow) || isMost else { return false }
        self = Breaker()
        return true
    }
}
