import CTLS
import Glibc
import Polling
import Synchronization

/// How a connection is encrypted: TLS 1.2 or later, and the certificate must be the host's.
public struct TLSSettings: Sendable, Hashable {
    /// A file of certificates in PEM that are trusted instead of the system's.
    public var authorities: String?

    public init(authorities: String? = nil) { self.authorities = authorities }
}

/// The client's side of TLS on one socket that does not block.
///
/// Unchecked, because the compiler cannot know that the lock around each call keeps OpenSSL to one thread at a time.
final class TLSSession: @unchecked Sendable {
    enum Step {
        case done(Int)
        case waitToRead, waitToWrite
    }

    private let session: OpaquePointer
    private let lock = Mutex(())

    init(_ settings: TLSSettings, host: String, socket: Int32) throws(LinkError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.failure("no context") }
        // The session keeps it alive.
        defer { SSL_CTX_free(context) }
        guard ctls_restrict(context) == 1 else { throw Self.failure("no TLS 1.2") }
        let isTrusting =
            settings.authorities.map { SSL_CTX_load_verify_locations(context, $0, nil) }
            ?? SSL_CTX_set_default_verify_paths(context)
        guard isTrusting == 1 else { throw Self.failure("no certificates to trust") }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        guard let session = SSL_new(context) else { throw Self.failure("no session") }
        guard SSL_set_fd(session, socket) == 1, SSL_set1_host(session, host) == 1,
            ctls_set_server_name(session, host) == 1
        else {
            SSL_free(session)
            throw Self.failure("no host")
        }
        self.session = session
    }

    deinit { SSL_free(self.session) }

    func shakeHands() throws(LinkError) -> Step { try self.step { SSL_connect(self.session) } }

    /// At least one octet, or 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LinkError) -> Step {
        try self.step { SSL_read(self.session, buffer.baseAddress, Int32(min(buffer.count, Int(Int32.max)))) }
    }

    func write(_ buffer: UnsafeRawBufferPointer) throws(LinkError) -> Step {
        try self.step { SSL_write(self.session, buffer.baseAddress, Int32(min(buffer.count, Int(Int32.max)))) }
    }

    // MARK: - Private

    private func step(_ call: () -> Int32) throws(LinkError) -> Step {
        let result: Result<Step, LinkError> = self.lock.withLock { _ in
            ERR_clear_error()
            let count = call()
            if count > 0 { return .success(.done(Int(count))) }
            switch SSL_get_error(self.session, count) {
            case SSL_ERROR_WANT_READ: return .success(.waitToRead)
            case SSL_ERROR_WANT_WRITE: return .success(.waitToWrite)
            case SSL_ERROR_ZERO_RETURN: return .success(.done(0))
            case SSL_ERROR_SYSCALL: return .failure(.closed)
            default: return .failure(Self.failure("broken"))
            }
        }
        return try result.get()
    }

    /// What OpenSSL says last, which is a reason and never what was sent.
    private static func failure(_ fallback: String) -> LinkError {
        let code = ERR_peek_last_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else { return .tls(fallback) }
        return .tls(String(cString: reason))
    }
}
