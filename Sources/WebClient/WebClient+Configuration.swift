extension WebClient {
    /// The client's limits and habits.
    public struct Configuration: Sendable {
        /// Connections kept open for later requests.
        public var keptConnectionLimit = 256
        /// Connections open at once to one host; more requests wait, within their timeouts. 0 sets no limit.
        public var connectionLimitPerHost = 0
        /// Connections open at once; more requests wait, within their timeouts.
        public var connectionLimit = 1024
        /// A connection unused for longer is not used again: servers close them about then, and a request that meets
        /// such a close is lost. Whole seconds, 1 at least.
        public var keptConnectionAge: Duration = .seconds(20)
        /// A longer response, fields and body together, ends in `.tooLarge`.
        public var responseByteLimit = 1 << 20
        /// A file of certificates in PEM to trust in place of the system's.
        public var certificateFile: String?
        /// Uses HTTP/2 where the server offers it under TLS.
        public var allowsHTTP2 = false
        public var userAgent = "Pinpost"

        public init() {}
    }
}
