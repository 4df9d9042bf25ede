import Channels
import Messaging

/// Carries dispatches to one provider, over whatever it speaks, and back what it says of them.
///
/// There is one for each ``Wire``, in service as long as its provider's outlet is.
protocol Transport: Sendable {
    /// What came of each dispatch, in their order: at most ``Driver/batchLimit`` of them, several calls at once. Returns within
    /// `timeout`, or a moment later; what has no answer by then is unanswered, or not sent where that is sure. Cancelled, it returns
    /// at once with the same.
    func outcomes(of dispatches: [Dispatch], timeout: Duration) async -> [Outcome]

    /// Hosts what lives longer than a call: sessions, pools. Returns when closed, and when cancelled.
    func run() async

    /// Begins nothing more, and lets `run` return once what is under way has ended.
    func close()
}

extension Transport {
    func run() async {}
    func close() {}
}

/// For ``Wire/nowhere``.
struct NowhereTransport: Transport {
    func outcomes(of dispatches: [Dispatch], timeout: Duration) async -> [Outcome] {
        dispatches.map { _ in .accepted(parts: []) }
    }
}
