import CMicroHTTP
import HTTP
import Synchronization

/// One request on its way to one response.
///
/// libmicrohttpd keeps a retained pointer to it while the request is alive. The daemon's thread fills in the request;
/// once the connection is suspended, the first of the handler's task and the sweeper to answer sets the response and
/// resumes the connection, which brings the daemon's thread back to send it. A later answer is dropped, so there is
/// exactly one.
final class Exchange: Sendable {
    enum Phase: Equatable {
        /// The request line is read.
        case begun
        /// The head is accepted, the body arrives.
        case receiving
        /// The body is too long; the rest of it is read and forgotten, so that the client reads the answer, which
        /// has this status.
        case overflowing(status: Int)
        /// Suspended until somebody answers.
        case waiting
        /// Answered; the daemon's thread is to send.
        case answered
        /// The response is libmicrohttpd's.
        case sent
    }

    private struct State {
        var phase = Phase.begun
        var request = HTTPRequest()
        var response: HTTPResponse?
        var receivedByteCount = 0
        /// What is taken of the budget of bodies.
        var budgetedByteCount = 0
        /// The connection must close behind the response.
        var isLast = false
        var handling: HandlingTask?
    }

    /// libmicrohttpd's connections may be resumed from any thread; all else happens on the daemon's own.
    private nonisolated(unsafe) let connection: OpaquePointer
    let client: ClientConnection
    let target: RequestTarget
    private let budget: BodyBudget
    private let state = Mutex(State())

    init(
        _ target: RequestTarget, from client: ClientConnection, on connection: OpaquePointer, budget: BodyBudget
    ) {
        self.budget = budget
        self.target = target
        self.client = client
        self.connection = connection
    }

    /// Neither libmicrohttpd nor the handler, which may outlive its answer, knows the request any more.
    deinit { self.budget.giveBack(self.state.withLock { $0.budgetedByteCount }) }

    // MARK: - On the daemon's thread

    var phase: Phase { self.state.withLock { $0.phase } }

    var isLast: Bool { self.state.withLock { $0.isLast } }

    /// Accepts the head; what follows is the body. False, and nothing is accepted, when a body of `byteCount` bytes does
    /// not fit the budget; a chunked one announces none.
    func begin(_ request: HTTPRequest, expecting byteCount: Int, isLast: Bool) -> Bool {
        guard self.budget.take(byteCount) else { return false }
        self.state.withLock { state in
            state.phase = .receiving
            state.budgetedByteCount = byteCount
            state.request = request
            // A length is a promise, and memory is not given for a promise alone.
            state.request.body.reserveCapacity(min(byteCount, 16 << 10))
            state.isLast = isLast
        }
        return true
    }

    /// Accepts the head only to read and forget the body, and then to refuse it.
    func overflow(_ status: Int) { self.state.withLock { $0.phase = .overflowing(status: status) } }

    /// Adds a piece of the body and tells how many bytes of it have come. Beyond `limit`, and beyond the budget, nothing
    /// is kept.
    func append(_ bytes: UnsafeRawBufferPointer, limit: Int) -> Int {
        self.state.withLock { state in
            state.receivedByteCount += bytes.count
            guard state.phase == .receiving else { return state.receivedByteCount }
            if state.receivedByteCount > limit {
                self.forgetBody(&state, status: 413)
            } else if !self.takeBudget(&state) {
                self.forgetBody(&state, status: 503)
            } else {
                state.request.body.append(contentsOf: bytes)
            }
            return state.receivedByteCount
        }
    }

    private func takeBudget(_ state: inout State) -> Bool {
        let missing = state.receivedByteCount - state.budgetedByteCount
        guard missing > 0 else { return true }
        guard self.budget.take(missing) else { return false }
        state.budgetedByteCount += missing
        return true
    }

    private func forgetBody(_ state: inout State, status: Int) {
        state.phase = .overflowing(status: status)
        state.request.body = []
        self.budget.giveBack(state.budgetedByteCount)
        state.budgetedByteCount = 0
    }

    /// Suspends the connection: from here on somebody must answer.
    func suspend() {
        self.state.withLock { state in
            precondition(state.phase == .receiving, "a request is suspended once, when it is complete")
            MHD_suspend_connection(self.connection)
            state.phase = .waiting
        }
    }

    /// The response, the one time it is ready to be sent.
    func takeResponse() -> HTTPResponse? {
        self.state.withLock { state in
            guard state.phase == .answered else { return nil }
            state.phase = .sent
            return state.response.take()
        }
    }

    // MARK: - On the handler's task

    /// The request, unless it has been answered already. `task` is cancelled if the deadline passes.
    func takeRequest(handledBy task: HandlingTask) -> HTTPRequest? {
        self.state.withLock { state in
            guard state.phase == .waiting else { return nil }
            state.handling = task
            defer { state.request = HTTPRequest() }
            return state.request
        }
    }

    // MARK: - Anywhere

    /// Answers the request, unless it has been answered. `cancelling` stops the handler too.
    func answer(_ response: HTTPResponse, cancelling: Bool = false) {
        self.state.withLock { state in
            // The handler is done, or is being told to be: nobody may cancel it after this.
            let handling = state.handling.take()
            guard state.phase == .waiting else { return }
            state.phase = .answered
            state.response = response
            if cancelling { handling?.cancel() }
            // Under the lock: once it is given up, the exchange may be sent, completed and its connection gone.
            MHD_resume_connection(self.connection)
        }
    }
}

/// A handler's task, for as long as it is inside `withUnsafeCurrentTask`.
///
/// `@unchecked Sendable`: `cancel()` may be called from any thread while the task lives. The exchange holds this only
/// between `takeRequest` and `answer`, both called by the task itself inside `withUnsafeCurrentTask`, and cancels
/// under the lock both of them take.
struct HandlingTask: @unchecked Sendable {
    private let task: UnsafeCurrentTask?

    init(_ task: UnsafeCurrentTask?) { self.task = task }

    func cancel() { self.task?.cancel() }
}
