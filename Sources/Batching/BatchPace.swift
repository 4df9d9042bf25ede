/// How far apart batches begin.
///
/// A statement costs its database much the same for one row as for twenty. So when items keep coming, batches begin no closer
/// than `least`, and further apart the longer one takes to be written: a database that is busy gets fewer and larger
/// statements, one that is idle answers at once. An item that comes when nothing has been written for so long waits for nobody.
public struct BatchPace: Sendable, Hashable {
    /// From the beginning of one batch to that of the next, unless the next is full.
    public var least: Duration
    /// No further apart than this, however long writing takes.
    public var most: Duration

    /// How many times as far apart as the last took to be written. With 1 the next begins when that ends, with 2 half of the time goes
    /// to writing at most.
    public var factor: Int

    public init(least: Duration, most: Duration, factor: Int = 2) {
        precondition(.zero <= least && least <= most, "batches cannot be further apart than they may be")
        precondition(factor > 0, "without a factor batches begin at once: say so by `none`")
        self.least = least
        self.most = most
        self.factor = factor
    }

    /// Batches begin as soon as there is an item and a writer.
    public static let none = BatchPace(least: .zero, most: .zero)

    func interval(after duration: Duration) -> Duration { min(max(self.least, duration * self.factor), self.most) }
}
