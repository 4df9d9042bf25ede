extension ConnectionPool {
    /// Where to connect to, and the limits.
    public struct Configuration: Sendable, CustomStringConvertible, CustomReflectable {
        /// A `postgresql://` URL or a list of `keyword=value`, as libpq reads them; `sslmode` and all.
        public var url: String

        /// Connections at most. One being closed after a time-out may be open beside them for a moment.
        public var limit: Int = 10

        /// Tasks that may wait for a connection; further ones are refused with `.poolExhausted` at once.
        public var waiterLimit: Int = 10_000

        /// How long opening a connection may take, handshakes and password included.
        public var connectTimeout: Duration = .seconds(5)

        /// How long a task waits for a connection to come free before it gets `.poolExhausted`.
        public var acquireTimeout: Duration = .seconds(5)

        /// How long a statement may take unless it says otherwise. Kept by us: the server is told only when it is over.
        public var statementTimeout: Duration = .seconds(30)

        /// What `pg_stat_activity` calls us, unless the URL says otherwise.
        public var applicationName: String = "pinpost"

        public init(
            url: String, limit: Int = 10, connectTimeout: Duration = .seconds(5),
            acquireTimeout: Duration = .seconds(5), statementTimeout: Duration = .seconds(30),
            applicationName: String = "pinpost"
        ) {
            self.url = url
            self.limit = limit
            self.connectTimeout = connectTimeout
            self.acquireTimeout = acquireTimeout
            self.statementTimeout = statementTimeout
            self.applicationName = applicationName
        }

        /// Without the URL: it may hold a password.
        public var description: String { "up to \(self.limit) connections as \(self.applicationName)" }
        public var customMirror: Mirror { Mirror(self, children: ["limit": self.limit]) }
    }

    /// How the pool is doing.
    public struct Statistics: Sendable, Hashable {
        /// Connections now: idle, lent and being opened.
        public var open: Int
        public var idle: Int
        /// Tasks waiting now.
        public var waiting: Int
        /// Connections lent since the pool was made.
        public var acquisitions: Int
        /// What those waited, altogether.
        public var totalWait: Duration
        /// Tasks that waited in vain, or were not even let wait.
        public var timeouts: Int
    }
}
