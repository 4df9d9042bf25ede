import CLinux

extension Poller {
    /// What a descriptor is, or is hoped to be, ready for.
    public struct Events: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let readable = Events(rawValue: EPOLLIN.rawValue)
        public static let writable = Events(rawValue: EPOLLOUT.rawValue)
    }
}

/// Why a wait ended without its event.
public enum WaitError: Error, Hashable {
    /// The waiting task was cancelled.
    case cancelled
    /// The deadline passed first.
    case timedOut
    /// The kernel would not watch the descriptor: out of memory, over a limit, or a regular file.
    case refused(SystemError)
}
