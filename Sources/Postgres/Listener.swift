import CPostgres
public import Polling

/// Hears what others NOTIFY, on a connection of its own.
///
/// Notifications are hints. Those sent while the connection was down are lost, so whoever listens must also poll. PgBouncer
/// in transaction mode does not carry them: give the server's own URL.
public final class Listener: Sendable {
    private let url: String
    private let channels: [String]
    private let applicationName: String
    private let poller: Poller
    private let keepalive: Duration
    private let backoff = Backoff()

    /// `keepalive` is how often a silent connection is asked whether it is still there.
    public init(
        url: String, channels: [String], applicationName: String = "pinpost-listener",
        keepalive: Duration = .seconds(30), poller: Poller
    ) {
        self.url = url
        self.channels = channels
        self.applicationName = applicationName
        self.keepalive = keepalive
        self.poller = poller
    }

    /// Listens until the task is cancelled, and returns then. Connects again whenever the connection breaks, after a pause
    /// of at most a second.
    ///
    /// `onListening` is called each time listening has begun: what was sent before may have been missed. `onFailure` is
    /// told each failure, for the log. Throws only if the URL cannot be read.
    public func run(
        onListening: @Sendable () -> Void = {},
        onFailure: @Sendable (PostgresError) -> Void = { _ in },
        onNotification: @Sendable (_ channel: String, _ payload: String) -> Void
    ) async throws {
        _ = try ConnectionParameters(url: self.url, applicationName: self.applicationName)
        var failures = 0
        while !Task.isCancelled {
            do throws(PostgresError) {
                let connection = try await self.connect()
                failures = 0
                onListening()
                try await self.listen(on: connection, onNotification)
            } catch .cancelled {
                return
            } catch {
                failures += 1
                onFailure(error)
                try? await Task.sleep(for: self.backoff.pause(afterFailures: failures))
            }
        }
    }

    // MARK: - Private

    private func connect() async throws(PostgresError) -> Connection {
        let connection = try await Connection.open(
            url: self.url, applicationName: self.applicationName, poller: self.poller
        )
        let script = self.channels.map { channel in "LISTEN \(quoted(channel));" }.joined()
        try await connection.executeScript(script, timeout: .seconds(10))
        return connection
    }

    private func listen(
        on connection: Connection, _ onNotification: @Sendable (String, String) -> Void
    ) async throws(PostgresError) {
        while true {
            let notifications = try await connection.notifications(until: .now + self.keepalive)
            for notification in notifications { onNotification(notification.channel, notification.payload) }
            if notifications.isEmpty { try await connection.execute("SELECT 1", timeout: .seconds(10)) }
        }
    }
}

struct Notification: Sendable, Hashable {
    let channel: String
    let payload: String
}

/// All notifications libpq has read and kept.
func takeNotifications(_ handle: OpaquePointer) -> [Notification] {
    var notifications: [Notification] = []
    while let notification = PQnotifies(handle) {
        defer { PQfreemem(notification) }
        notifications.append(
            Notification(
                channel: String(cString: notification.pointee.relname),
                payload: String(cString: notification.pointee.extra)
            )
        )
    }
    return notifications
}

/// `name` as an SQL identifier.
private func quoted(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}
