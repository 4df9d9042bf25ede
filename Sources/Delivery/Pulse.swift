import Telemetry

/// Something that is done again and again until its task is cancelled.
///
/// A round that fails is logged and tried again after a pause; nothing that one round does is lost by its failure.
struct Pulse: Sendable {
    let name: StaticString
    let logger: Logger
    /// After a failed round; jittered, so that processes that failed together do not come back together.
    var pauseAfterFailure: Duration = .milliseconds(500)

    /// Runs `round`, which waits by itself, for ever.
    func run(_ round: @Sendable () async throws -> Void) async {
        while !Task.isCancelled {
            do {
                try await round()
            } catch is CancellationError {
                return
            } catch {
                if Task.isCancelled { return }
                self.logger.warning("a round failed and will be repeated", ["work": "\(self.name)", "error": "\(error)"])
                try? await Task.sleep(for: self.pauseAfterFailure * Double.random(in: 0.5...1.5))
            }
        }
    }
}
