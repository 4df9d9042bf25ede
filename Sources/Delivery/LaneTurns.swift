import Messaging
import Synchronization

/// Which lanes are looked at next, of those that there are: those in which there is something, or was said to be, and one other in
/// turn; when there are none, a few in turn. So looking costs the same however many lanes there are.
///
/// With one lane it is that one, each time.
struct LaneTurns {
    /// Lanes looked at in one round when nothing is known of any. With 32 of them, and a round a second, something that
    /// nobody tells of is found within eight seconds.
    static let idleLimit = 4
    /// Lanes looked at beside those in which there is something. What waits for a provider that had no room when its lane was looked
    /// at is told of by nobody, and must not wait until all others are done.
    static let besideLimit = 1

    private let lanes: [Lane]
    /// Where a round begins.
    private var place: Int
    /// Whose turn it is of those that nobody asked for.
    private var turn: Int
    private var asked: Set<Lane> = []
    /// When something in a lane is due, as far as is known.
    private var due: [Lane: ContinuousClock.Instant] = [:]

    /// `place`: where to begin, so that each process begins elsewhere.
    init(_ lanes: [Lane], place: Int = 0) {
        precondition(!lanes.isEmpty, "there is always a lane")
        self.lanes = lanes
        self.place = place % lanes.count
        self.turn = self.place
    }

    mutating func ask(_ rung: LaneBell.Rung) {
        switch rung {
        case .all: self.asked = Set(self.lanes)
        case .lanes(let lanes): self.asked.formUnion(lanes.intersection(self.lanes))
        }
    }

    /// The lanes of this round; each stays asked for until it is ``finish(_:due:)``ed.
    mutating func round(at now: ContinuousClock.Instant = .now) -> [Lane] {
        for (lane, moment) in self.due where moment <= now { self.asked.insert(lane) }
        let others = self.order(from: self.turn).filter { !self.asked.contains($0) }
        let inTurn = others.prefix(self.asked.isEmpty ? Self.idleLimit : Self.besideLimit)
        self.asked.formUnion(inTurn)
        let round = self.order(from: self.place).filter(self.asked.contains)
        self.place = (self.place + 1) % self.lanes.count
        if let last = inTurn.last.flatMap(self.lanes.firstIndex) { self.turn = (last + 1) % self.lanes.count }
        return round
    }

    private func order(from place: Int) -> [Lane] { Array(self.lanes[place...] + self.lanes[..<place]) }

    /// A lane was looked at and has nothing more, until `due` if that is known.
    mutating func finish(_ lane: Lane, due: ContinuousClock.Instant? = nil) {
        self.asked.remove(lane)
        self.due[lane] = due
    }

    /// When the first of the lanes has something that is known to be due; nil when nothing is.
    var nextDue: ContinuousClock.Instant? { self.due.values.min() }
}

/// ``LaneTurns`` of one kind of work that goes on for as long as the process.
final class LaneRota: Sendable {
    private let turns: Mutex<LaneTurns>

    init(_ lanes: [Lane]) {
        self.turns = Mutex(LaneTurns(lanes, place: .random(in: 0..<lanes.count)))
    }

    /// The next lanes, all of them looked at by whoever asks.
    func next() -> [Lane] {
        self.turns.withLock { turns in
            let round = turns.round()
            for lane in round { turns.finish(lane) }
            return round
        }
    }

    /// Those of `rung` and those in which something is due, or else a few in turn.
    func next(_ rung: LaneBell.Rung) -> [Lane] {
        self.turns.withLock { turns in
            turns.ask(rung)
            return turns.round()
        }
    }

    /// Looked at; something is due there in `wait`, if anything is.
    func finish(_ lane: Lane, due wait: Duration?) {
        self.turns.withLock { $0.finish(lane, due: wait.map { .now + $0 }) }
    }

    /// How long until something is due in a lane that was looked at; nil when nothing is.
    var wait: Duration? { self.turns.withLock { $0.nextDue }.map { $0 - .now } }
}
