import Glibc
import Polling
import Synchronization

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
    /// Begins to take the signals. Once a process; before it, a signal ends the process as if there were no such code.
    ///
    /// Programs that the process starts do not inherit any of this but SIGPIPE's being ignored.
    public static func requests() -> AsyncStream<StopRequest> {
        signal(SIGPIPE, SIG_IGN)
        // Not `exit`: what libraries do at the exit could wait for something that never ends.
        return Self.requests(by: [SIGTERM, SIGINT]) { number in _exit(128 + number) }
    }

    /// With other signals, and something else to do at the second.
    static func requests(
        by signals: [CInt], exit: @escaping @Sendable (_ signal: CInt) -> Void
    ) -> AsyncStream<StopRequest> {
        let reader = Self.openPipe()
        for signal in signals { Self.forward(signal) }
        let (stream, continuation) = AsyncStream<StopRequest>.makeStream(bufferingPolicy: .bufferingOldest(1))
        Thread.detach(name: "signals") {
            continuation.yield(StopRequest(reason: Self.name(of: Self.next(from: reader))))
            exit(Self.next(from: reader))
        }
        return stream
    }

    // MARK: - Private

    private static func openPipe() -> CInt {
        var ends: [CInt] = [-1, -1]
        precondition(pipe(&ends) == 0, "no pipe for signals, errno \(errno)")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let former = pipeEnd.exchange(ends[1], ordering: .sequentiallyConsistent)
        precondition(former == -1, "signals are taken already")
        return ends[0]
    }

    /// A handler, and not blocked signals with a thread in `sigwait`: once `main` is asynchronous, libdispatch parks the
    /// main thread in `sigsuspend` with nothing blocked, and that thread would die of the signal, and we with it.
    private static func forward(_ signal: CInt) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = writeToPipe
        action.sa_flags = SA_RESTART
        precondition(sigaction(signal, &action, nil) == 0, "no handler for signal \(signal), errno \(errno)")
    }

    /// Blocks the thread until the next signal.
    private static func next(from reader: CInt) -> CInt {
        var number: UInt8 = 0
        while read(reader, &number, 1) != 1 { precondition(errno == EINTR, "the pipe of signals broke") }
        return CInt(number)
    }

    private static func name(of signal: CInt) -> String {
        switch signal {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        default: "signal \(signal)"
        }
    }
}

/// Where the handler writes. Set before there is a handler, so the handler never initialises it.
private let pipeEnd = Atomic<CInt>(-1)

/// Runs in whatever thread the signal interrupts, so it calls nothing but `write` (signal-safety(7)).
private func writeToPipe(_ signal: CInt) {
    let former = errno
    var number = UInt8(truncatingIfNeeded: signal)
    write(pipeEnd.load(ordering: .relaxed), &number, 1)
    errno = former
}
