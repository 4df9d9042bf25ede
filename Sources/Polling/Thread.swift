import CLinux
import Glibc

/// Threads of our own, for loops that wait in the kernel and for calls of C libraries that block.
///
/// Nothing that blocks may run on Swift's own threads: there are only as many as processors.
public enum Thread {
    /// Runs `body` on a new thread that ends with it.
    ///
    /// `name` is for `top -H` and crash reports; the kernel keeps its first 15 bytes.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Body(name: name, run: body))
        let status = pthread_create(&thread, nil, runBody, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw SystemError("pthread_create", code: status)
        }
        pthread_detach(thread)
    }

    /// As `start`, for the few threads without which a process cannot work at all.
    public static func detach(name: String, _ body: @escaping @Sendable () -> Void) {
        do {
            try self.start(name: name, body)
        } catch {
            preconditionFailure("no thread for \(name): \(error)")
        }
    }
}

// MARK: - Private

private final class Body: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

private func runBody(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
    _ = clinux_name_this_thread(body.name)
    body.run()
    return nil
}
