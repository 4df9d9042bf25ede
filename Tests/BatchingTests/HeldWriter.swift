import Synchronization

/// Takes batches and holds each until the test lets it go, so that tests decide who is busy when.
final class HeldWriter: Sendable {
    /// A batch being written.
    struct Write: Sendable {
        let items: [Int]
        fileprivate let continuation: CheckedContinuation<[String], any Error>

        /// Answers each item with its own number as text.
        func succeed() { self.continuation.resume(returning: self.items.map { "\($0)" }) }
        func fail(_ error: any Error) { self.continuation.resume(throwing: error) }
    }

    private let writes: AsyncStream<Write>
    private let begun: AsyncStream<Write>.Continuation

    init() { (self.writes, self.begun) = AsyncStream.makeStream() }

    /// What the batcher calls.
    func write(_ items: [Int]) async throws -> [String] {
        try await withCheckedThrowingContinuation { self.begun.yield(Write(items: items, continuation: $0)) }
    }

    /// The next batch that a writer took.
    func next() async -> Write {
        for await write in self.writes { return write }
        preconditionFailure("the stream never ends")
    }
}

/// Returns once `batcher` has `count` items that no writer has taken.
func waitUntil(_ condition: () -> Bool) async {
    while !condition() { await Task.yield() }
}
