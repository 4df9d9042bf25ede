import Glibc
import Polling

/// Somebody wants the process to stop.
public struct StopRequest: Sendable, Hashable {
    /// As in `SIGTERM`; for the log.
    public let reason: String

    public init(reason: String) { self.reason = reason }
}

/// The operating system's ways to ask a process to stop.
///
/// - The first SIGTERM or SIGINT becomes a ``StopRequest``.
/// - The second, of either kind, exits the process at once with 128 + its number (143 or 130): leases expire and others
///   take over.
/// - SIGPIPE is ignored: a peer that has gone is an error of the write, not the end of the process.
public enum StopSignals {
    /// Begins to take the signals. Once a process, first thing in `main`: threads started earlier would not have the
    /// signals blocked, and one of them could be killed by the signal that the waiting thread should get.
    ///
    /// Programs that the process starts inherit the blocked signals unless they are spawned with an empty mask.
    public static func requests() -> AsyncStream<StopRequest> {
        signal(SIGPIPE, SIG_IGN)
        let signals = Self.block([SIGTERM, SIGINT])
        let (stream, continuation) = AsyncStream<StopRequest>.makeStream(bufferingPolicy: .bufferingOldest(1))
        Thread.detach(name: "signals") {
            continuation.yield(StopRequest(reason: Self.name(of: Self.wait(for: signals))))
            // Not `exit`: handlers of libraries could wait for what does not end.
            _exit(128 + Self.wait(for: signals))
        }
        return stream
    }

    /// Blocks the signals for this thread and those that it starts.
    static func block(_ numbers: [CInt]) -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    /// Blocks the thread until one of the signals, all of them blocked, is pending; takes and returns it.
    static func wait(for signals: sigset_t) -> CInt {
        var signals = signals
        var number: CInt = 0
        while sigwait(&signals, &number) != 0 {}
        return number
    }

    static func name(of signal: CInt) -> String {
        switch signal {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        default: "signal \(signal)"
        }
    }
}
