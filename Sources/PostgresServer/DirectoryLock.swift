import Glibc
import Synchronization

/// A file that one process at a time may hold locked. The kernel drops the lock with the process.
final class DirectoryLock: Sendable {
    private let path: String
    private let descriptor = Mutex<Int32?>(nil)

    init(path: String) { self.path = path }

    deinit { self.release() }

    /// Does nothing if it is ours already.
    func take() throws(PostgresServerError) {
        guard self.descriptor.withLock({ $0 }) == nil else { return }
        let descriptor = open(self.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw PostgresServerError("cannot open \(self.path): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw PostgresServerError("another process runs a server there: it holds \(self.path)")
        }
        self.descriptor.withLock { held in held = descriptor }
    }

    func release() {
        self.descriptor.withLock { held in
            if let held { close(held) }
            held = nil
        }
    }
}
