import Synchronization

/// The connections that are open, so that slow clients can be found.
final class ClientConnections: Sendable {
    private let open = Mutex<[ObjectIdentifier: ClientConnection]>([:])

    func add(_ connection: ClientConnection) {
        self.open.withLock { $0[ObjectIdentifier(connection)] = connection }
    }

    /// To be called before the socket is closed: after this nobody touches its descriptor.
    func remove(_ connection: ClientConnection) {
        self.open.withLock { $0[ObjectIdentifier(connection)] = nil }
    }

    /// Ends the connections whose client has owed a request for longer than `deadline`.
    func shutDown(after deadline: Duration) {
        // Under the lock `remove` takes, so that no descriptor is closed, and given to another, meanwhile.
        self.open.withLock { open in
            for connection in open.values { connection.shutDown(after: deadline) }
        }
    }
}
