public import Telemetry

/// Something that is done again and again until its task is cancelled.
///
/// A round that fails is logged and tried again after a pause; nothing that one round does is lost by its failure.
public struct Pulse: Sendable {
    private let name: StaticString
    private let logger: Logger
    /// After a failed round; jittered, so that processes that failed together do not come back together.
    private let pauseAfterFailure: Duration

    public init(name: StaticString, logger: Logger, pauseAfterFailure: Duration = .milliseconds(500)) {
        self.name = name
        self.logger = logger
        self.pauseAfterFailure = pauseAfterFailure
    }

    /// Runs `round`, which waits by itself, for ever.
    public func run(_ round: () async throws -> Void) async {
        while !Task.isCancelled {
            do {
                try await round()
            } catch is CancellationError {
                return
            } catch {
                if Task.isCancelled { return }
                self.logger.warning(
                    "a round failed and will be repeated", ["work": "\(self.name)", "error": "\(error)"])
                try? await Task.sleep(for: self.pauseAfterFailure * Double.random(in: 0.5...1.5))
            }
        }
    }
}
