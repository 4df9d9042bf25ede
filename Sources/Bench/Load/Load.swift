/// What a load client sends, to whom, and how fast.
struct Load: Sendable {
    /// API processes on 127.0.0.1, to which callers are spread in turn.
    var ports: [UInt16]
    /// Connections, on each of which one request at a time is under way.
    var callers: Int
    /// To whom callers are given in turn; their requests are of one kind.
    var senders: [Sender]
    var mode: Pacer.Mode
    /// For what is no rate: a host that stands still for seconds is answered with 503, and ends nothing.
    var allowsRefusals = false

    /// Who sends, and what.
    struct Sender: Sendable {
        var request: LoadRequest
        var key: String
    }

    /// At least one sender.
    init(ports: [UInt16], callers: Int, senders: [Sender], mode: Pacer.Mode) {
        precondition(!senders.isEmpty, "a load has senders")
        self.ports = ports
        self.callers = callers
        self.senders = senders
        self.mode = mode
    }

    init(ports: [UInt16], callers: Int, request: LoadRequest, key: String, mode: Pacer.Mode) {
        self.init(ports: ports, callers: callers, senders: [Sender(request: request, key: key)], mode: mode)
    }

    /// What one request counts for.
    var weight: Int { self.senders[0].request.weight }
    /// The status that says that it was done.
    var success: Int { self.senders[0].request.success }

    /// Sends it all, from one thread of its own, and returns when every request is answered.
    ///
    /// Throws when any request was answered otherwise than it should be, or not within ``LoadClient/patience``: a rate with
    /// errors in it is none. Unless ``allowsRefusals``.
    func run() async throws -> LoadResult {
        let result = try await BlockingWork.run("load") { stop in
            let client = try LoadClient(self)
            return try client.run(stop)
        }
        if let status = result.firstRefusal, !self.allowsRefusals {
            throw BenchError(
                "\(result.refused) of \(result.requests) requests were refused; the first was answered with "
                    + "status \(status)")
        }
        return result
    }
}

/// What came of a load.
struct LoadResult: Sendable {
    var requests = 0
    /// Messages, or guesses, of requests that were answered as they should be.
    var accepted = 0
    var refused = 0
    /// The status of the first request that was refused.
    var firstRefusal: Int?
    /// From the first request's sending to the last answer.
    var started = MonotonicTime.now
    var ended = MonotonicTime.now
    /// From when a request was due to its answer, in milliseconds.
    var latencies: [Double] = []

    var acceptedPerSecond: Double { Double(self.accepted) / (self.ended - self.started) }
}
