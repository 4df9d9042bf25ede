import CMicroHTTP
import Glibc
import Synchronization

/// A running libmicrohttpd daemon: its threads, and the calls they make.
final class Daemon: Sendable {
    private struct State {
        var isQuiesced = false
        var isStopped = false
    }

    /// The daemon's functions may be called from any thread, but not after its stop, which the state tells.
    private nonisolated(unsafe) let handle: OpaquePointer
    private let state = Mutex(State())

    /// Starts the threads. `server` must outlive the daemon: `run()` starts and stops it.
    init(serving server: WebServer, on listener: ListeningSocket) throws(WebServerError) {
        let configuration = server.configuration
        let handle = cmicrohttp_start(
            listener.descriptor,
            UInt32(configuration.threads),
            UInt32(max(configuration.connectionLimit, configuration.threads)),
            UInt32(max(0, configuration.connectionLimitPerAddress)),
            UInt32(clamping: max(1, configuration.idleTimeout.components.seconds)),
            // It also holds an entry for each field, and later the response's head. All of it is cleared for every
            // request, so more would cost time.
            configuration.headerByteLimit + 16 << 10,
            onRequest, onTarget, onCompleted, onConnection,
            Unmanaged.passUnretained(server).toOpaque()
        )
        guard let handle else { throw .cannotStart }
        self.handle = handle
    }

    /// Stops accepting connections: who comes now is refused by the kernel.
    func quiesce() {
        self.state.withLock { state in
            guard !state.isQuiesced, !state.isStopped else { return }
            state.isQuiesced = true
            let listener = MHD_quiesce_daemon(self.handle)
            // Otherwise the kernel would go on taking connections, which nobody would answer before the very end.
            shutdown(listener, CInt(SHUT_RDWR))
        }
    }

    /// Closes every connection and joins the threads. No connection may be suspended.
    func stop() {
        self.quiesce()
        self.state.withLock { $0.isStopped = true }
        MHD_stop_daemon(self.handle)
    }
}

// MARK: - libmicrohttpd's calls, all on its threads

private func server(_ context: UnsafeMutableRawPointer?) -> WebServer {
    // libmicrohttpd gives back what it was given at its start.
    Unmanaged<WebServer>.fromOpaque(context!).takeUnretainedValue()
}

/// A connection has been opened, or is about to be closed.
private let onConnection: MHD_NotifyConnectionCallback = { context, connection, slot, event in
    guard let connection, let slot else { return }
    if event == .CONNECTION_NOTIFY_STARTED {
        slot.pointee = Unmanaged.passRetained(server(context).open(connection)).toOpaque()
    } else if let opaque = slot.pointee {
        slot.pointee = nil
        server(context).close(Unmanaged<ClientConnection>.fromOpaque(opaque).takeRetainedValue())
    }
}

/// A request line has been read: an exchange begins. What this returns arrives in the other calls' `slot`.
private let onTarget: cmicrohttp_target_callback = { context, target, connection in
    guard let target, let connection, let opaque = cmicrohttp_socket_context(connection) else { return nil }
    let client = Unmanaged<ClientConnection>.fromOpaque(opaque).takeUnretainedValue()
    // The text lies in libmicrohttpd's own buffer, which it is about to change itself.
    let cut = RequestTarget(cutting: UnsafeMutablePointer(mutating: target))
    return Unmanaged.passRetained(Exchange(cut, from: client, on: connection, budget: server(context).bodyBudget))
        .toOpaque()
}

/// Called with the head, with each piece of the body, at the end of the body, and after a suspension.
private let onRequest: MHD_AccessHandlerCallback = { context, connection, _, method, version, bytes, count, slot in
    guard let connection, let method, let version, let count, let opaque = slot?.pointee else { return .NO }
    let exchange = Unmanaged<Exchange>.fromOpaque(opaque).takeUnretainedValue()
    switch exchange.phase {
    case .begun:
        return server(context).readHead(of: exchange, on: connection, method: method, version: version)
    case .receiving, .overflowing:
        guard count.pointee > 0 else { return server(context).finish(exchange, on: connection) }
        let piece = UnsafeRawBufferPointer(start: bytes, count: count.pointee)
        count.pointee = 0
        return server(context).receive(piece, of: exchange)
    case .waiting, .sent:
        return .YES
    case .answered:
        return server(context).send(exchange, on: connection)
    }
}

/// libmicrohttpd is done with a request: sent, or its connection died.
private let onCompleted: MHD_RequestCompletedCallback = { context, _, slot, _ in
    guard let opaque = slot?.pointee else { return }
    slot?.pointee = nil
    server(context).complete(Unmanaged<Exchange>.fromOpaque(opaque).takeRetainedValue())
}
