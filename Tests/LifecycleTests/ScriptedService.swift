import Lifecycle
import Synchronization

/// Tells what happens to it, and ends when the test, or a drain, says so.
final class ScriptedService: Service {
    enum Ending: Sendable {
        case returns, fails
    }
    struct Failure: Error {}

    let name: String
    private let heedsDrain: Bool
    private let story: Story
    private let endings: AsyncStream<Ending>
    private let end: AsyncStream<Ending>.Continuation

    init(_ name: String, in story: Story, heedsDrain: Bool = true) {
        self.name = name
        self.story = story
        self.heedsDrain = heedsDrain
        (self.endings, self.end) = AsyncStream.makeStream()
    }

    func run() async throws {
        self.story.add("\(self.name) runs")
        for await ending in self.endings {
            self.story.add("\(self.name) \(ending)")
            if ending == .fails { throw Failure() } else { return }
        }
        self.story.add("\(self.name) is cancelled")
        throw CancellationError()
    }

    func drain() {
        self.story.add("\(self.name) drains")
        if self.heedsDrain { self.end.yield(.returns) }
    }

    func end(_ ending: Ending) { self.end.yield(ending) }
}

/// What happened, in order; tests wait for a line to appear.
final class Story: Sendable {
    private let state = Mutex<[String]>([])
    var lines: [String] { self.state.withLock { $0 } }

    func add(_ line: String) { self.state.withLock { $0.append(line) } }

    func waitFor(_ line: String) async {
        while !self.lines.contains(line) { await Task.yield() }
    }
}
