import Batching
import Messaging

/// A ``Batcher`` for each lane: what shares a statement is in one lane, so that on a cluster it is on one machine.
///
/// With one lane it has the writers of ``Intake/writers``. With several each lane has one: together they are as many as there
/// are lanes, and it is the connections that bound them.
final class LaneBatcher<Item: Sendable, Answer: Sendable>: Sendable {
    private let batchers: [Lane: Batcher<Item, Answer>]

    init(
        name: String, lanes: [Lane], batchLimit: Int, queueLimit: Int, pace: BatchPace,
        weight: @escaping @Sendable (Item) -> Int = { _ in 1 },
        write: @escaping @Sendable (_ items: [Item], _ lane: Lane) async throws -> [Answer]
    ) {
        let pairs = lanes.map { lane in
            (
                lane,
                Batcher(
                    name: name, batchLimit: batchLimit, queueLimit: queueLimit,
                    writers: lanes.count == 1 ? Intake.writers : 1, pace: pace, weight: weight
                ) { try await write($0, lane) }
            )
        }
        self.batchers = Dictionary(uniqueKeysWithValues: pairs)
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            for batcher in self.batchers.values { group.addTask { await batcher.run() } }
        }
    }

    func drain() {
        for batcher in self.batchers.values { batcher.drain() }
    }

    /// As `Batcher.submit`. Throws ``UnknownLane`` too.
    func submit(_ item: Item, in lane: Lane) async throws -> Answer {
        guard let batcher = self.batchers[lane] else { throw UnknownLane() }
        return try await batcher.submit(item)
    }
}

/// There is no such lane, and so nothing in it: whoever names an id may make one up.
struct UnknownLane: Error {}
