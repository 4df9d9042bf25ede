public import HTTP

extension WebServer {
    /// Where to listen, and every limit.
    public struct Configuration: Sendable {
        /// A numeric address of this host: "127.0.0.1", "::1", "0.0.0.0"; "::" takes IPv4 clients too.
        public var address = "127.0.0.1"
        /// 0 picks a free port, told by `run(onListening:)`.
        public var port: UInt16
        /// Threads that read and write sockets, 1...64. Handlers run elsewhere.
        public var threads = 2
        /// Connections open at once; more wait in the kernel's backlog.
        public var connectionLimit = 4096
        /// Connections open at once from one address; more are closed at once. 0 sets no limit.
        public var connectionLimitPerAddress = 0
        /// How long a connection may be silent, between requests or within one. Whole seconds, 1 at least.
        public var idleTimeout: Duration = .seconds(60)
        /// How long a request may take to arrive, from its connection's opening or the response before it. It bounds
        /// a client that sends a byte now and then, so it also bounds how long a kept connection may wait unused.
        public var requestDeadline: Duration = .seconds(90)
        /// How long a handler may take. When it has passed, the handler's task is cancelled and 503 is answered.
        public var handlerDeadline: Duration = .seconds(30)
        /// A longer body is refused with 413.
        public var bodyByteLimit = 1 << 20
        /// Bytes of all bodies that are being received, or held by requests under way, together; at least
        /// `bodyByteLimit`. A request whose announced body does not fit, and one whose chunked body grows beyond it,
        /// is refused with 503. An announced body counts whole from its head on, so that what was let in is never
        /// refused halfway.
        public var bodyBudget = 64 << 20
        /// A longer request line and header fields together are refused with 431 (or 414). 1 KiB...1 MiB.
        public var headerByteLimit = 16 << 10
        /// Requests being answered at once; more are refused with 503.
        public var requestLimit = 1024
        /// The response for what this server refuses itself: 400, 408, 413, 431, 500, 503. It should be quick and must
        /// have the status asked for. The path is nil where the request line could not be read.
        public var refusal: @Sendable (_ status: Int, _ path: String?) -> HTTPResponse = Refusal.problem

        public init(port: UInt16 = 0) {
            self.port = port
        }
    }

    /// More header fields than this are refused with 431.
    public static let headerFieldLimit = 100

    /// A handler's response whose fields are longer together is not sent; 500 is.
    public static let responseFieldByteLimit = 8 << 10
}
