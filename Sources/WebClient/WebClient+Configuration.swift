public import Egress

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

        /// Which addresses may be called, for clients that call URLs of customers; nil lets all be called.
        ///
        /// With it, a URL must be a ``CallbackURL``; names are looked up by the client itself; one forbidden address
        /// among those of a name ends the request in `.forbidden`; only addresses that were judged are dialled, and
        /// each is judged again when it is. Timeouts are cut to five minutes, the looking up included.
        public var egress: EgressPolicy?
        /// Name servers for clients with a policy, each an address with or without a port, IPv6 in brackets; none
        /// stands for the system's.
        public var nameServers: [String] = []
        /// Names looked up at once; more wait, within their requests' timeouts.
        public var lookUpLimit = 128
        /// How long a name's addresses are used again, or for as long as their time to live, if that is shorter.
        public var knownNameAge: Duration = .seconds(30)

        public init() {}
    }
}
