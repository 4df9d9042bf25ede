import Messaging
import Postgres
import Store

/// What a worker claims and who takes it: messages for providers, and events for customers' endpoints. All else of holding and
/// settling them is one mechanism.
protocol ClaimSource: Sendable {
    associatedtype Claim: Sendable
    associatedtype ID: Hashable, Sendable

    /// For log lines.
    static var noun: String { get }
    static func id(of claim: Claim) -> ID

    /// Whether anything may be claimed in a lane yet.
    func isOpen(_ lane: Lane) -> Bool
    /// Claims as many as there is room for, and tells whether another claim would find more; nil when there is no room.
    func claim(lane: Lane, worker: WorkerID) async throws(PostgresError) -> (claims: [Claim], more: Bool)?
    /// Passes claims on to who does them; returns those that nobody takes any more.
    func pass(_ held: [Held<Claim>]) -> [Held<Claim>]
    /// Takes out what was passed on and has not been begun.
    func removeAll() -> [Held<Claim>]
    /// See ``Store/handBack(_:worker:)``.
    func handBack(_ claims: [Claim], worker: WorkerID) async throws(PostgresError) -> Int
    /// See ``Store/disown(lane:worker:holding:)``.
    func disown(lane: Lane, worker: WorkerID, holding: [ID]) async throws(PostgresError) -> Int
}

extension ClaimSource {
    func isOpen(_ lane: Lane) -> Bool { true }
}
