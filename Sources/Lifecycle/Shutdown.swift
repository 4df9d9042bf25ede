/// Decides, event by event, how a group of services ends. It does nothing itself.
///
///     running ─stop, or one ended─▶ draining the last ─ended─▶ draining the one before … ─▶ ended
///                                        └──────────deadline──────────▶ cancelled ─all ended─▶ ended
struct Shutdown {
    enum Event {
        case stopRequested
        case ended(service: Int, failure: (any Error)?)
        case deadlinePassed
    }

    enum Action: Equatable {
        case startDeadline
        case drain(service: Int)
        case cancelAll
        case finish
    }

    private enum Phase: Equatable {
        case running
        case draining(service: Int)
        case cancelled
    }

    private let names: [String]
    private var phase = Phase.running
    private var running: [Bool]
    /// The first thing that went wrong: what follows is most often its consequence.
    private(set) var problem: ServiceGroupError?

    init(names: [String]) {
        self.names = names
        self.running = names.map { _ in true }
    }

    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .stopRequested: return self.beginDraining()
        case .ended(let service, let failure): return self.end(service, failure)
        case .deadlinePassed: return self.giveUp()
        }
    }

    // MARK: - Private

    private mutating func beginDraining() -> [Action] {
        self.phase == .running ? [.startDeadline] + self.drainNext() : []
    }

    /// Last started, first stopped: what stands in front stops before what it leans on.
    private mutating func drainNext() -> [Action] {
        guard let service = self.running.lastIndex(of: true) else { return [.finish] }
        self.phase = .draining(service: service)
        return [.drain(service: service)]
    }

    private mutating func end(_ service: Int, _ failure: (any Error)?) -> [Action] {
        self.running[service] = false
        if self.phase != .cancelled { self.note(service, failure) }
        switch self.phase {
        case .running: return self.beginDraining()
        case .draining(service): return self.drainNext()
        case .draining: return []
        case .cancelled: return self.running.contains(true) ? [] : [.finish]
        }
    }

    /// Once stopping, a service may return early; a failure is a failure at any time but after a cancellation.
    private mutating func note(_ service: Int, _ failure: (any Error)?) {
        guard self.problem == nil else { return }
        if let failure {
            self.problem = .failed(service: self.names[service], failure)
        } else if self.phase == .running {
            self.problem = .endedByItself(service: self.names[service])
        }
    }

    private mutating func giveUp() -> [Action] {
        guard case .draining = self.phase else { return [] }
        self.phase = .cancelled
        let late = self.names.indices.filter { self.running[$0] }.map { self.names[$0] }
        self.problem = self.problem ?? .deadlinePassed(services: late)
        return [.cancelAll]
    }
}
