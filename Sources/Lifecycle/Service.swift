/// A part of a process that works until it is told to stop: a listener, a claimer, a heartbeat.
///
/// Two ways to stop are kept apart. *Draining* means: take no more work, finish what you have, then return from `run()`.
/// *Cancellation* of the task that runs `run()` means: return soon, finished or not.
public protocol Service: Sendable {
    /// For logs.
    var name: String { get }

    /// Works until drained or cancelled. Throwing, or returning unasked, ends the whole group.
    func run() async throws

    /// Takes no more work from here on. Returns at once, may be called from any thread, and before `run()` has begun.
    func drain()
}

/// A service made of two functions, for a type that has them under other names.
public struct FunctionService: Service {
    public let name: String
    private let body: @Sendable () async throws -> Void
    private let stop: @Sendable () -> Void

    public init(
        name: String, run: @escaping @Sendable () async throws -> Void, drain: @escaping @Sendable () -> Void
    ) {
        self.name = name
        self.body = run
        self.stop = drain
    }

    public func run() async throws { try await self.body() }
    public func drain() { self.stop() }
}
