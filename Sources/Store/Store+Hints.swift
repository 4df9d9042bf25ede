public import Messaging
public import Postgres

// What one process tells others to have them look at once instead of at their next poll.
extension Store {
    /// Tells waiting workers what is ready, and in which lanes where `namingLanes`. Sent apart from the transaction that made it ready, in
    /// which it would serialise all commits; a hint that is lost costs a poll's delay and nothing else.
    public func hint(of ready: ReadyLanes, namingLanes: Bool) async throws(PostgresError) {
        let works = HintedWork.allCases.filter { !ready[$0].isEmpty }
        let names = works.map { work in
            namingLanes ? ready[work].sorted().map { "\($0.rawValue)" }.joined(separator: ",") : ""
        }
        _ = try await self.pool.query(
            "SELECT pg_notify(channel, lanes) FROM unnest(\(works.map(\.rawValue)), \(names)) AS h (channel, lanes)"
        ) { _ in }
    }

    /// The lanes that a hint names; nil when it names none, and may be about any.
    public static func lanes(ofHint payload: String) -> Set<Lane>? {
        let lanes = payload.split(separator: ",").compactMap { UInt8($0).map(Lane.init(rawValue:)) }
        return lanes.isEmpty ? nil : Set(lanes)
    }
}

/// What a hint says is ready; its channel is called so.
public enum HintedWork: String, Sendable, CaseIterable {
    case messages = "pinpost_ready"
    case events = "pinpost_events"
}

/// In which lanes a statement made something ready, for those who wait for it.
public struct ReadyLanes: Sendable, Hashable {
    private var lanes: [HintedWork: Set<Lane>] = [:]

    public init() {}

    public init(_ work: HintedWork, in lane: Lane) { self.insert(work, lane) }

    public subscript(work: HintedWork) -> Set<Lane> { self.lanes[work] ?? [] }

    public var isEmpty: Bool { self.lanes.isEmpty }

    public mutating func insert(_ work: HintedWork, _ lane: Lane) { self.lanes[work, default: []].insert(lane) }

    public mutating func formUnion(_ other: ReadyLanes) { self.lanes.merge(other.lanes) { $0.union($1) } }
}
