/// Who works for the messages, each in processes of its own.
enum Party: String, Sendable, CaseIterable {
    case api, worker, receiver, carrier
    /// This process: the load generator, and the floors.
    case load
    /// The server and all of its processes.
    case postgres

    init(_ role: RoleName) {
        self =
            switch role {
            case .api: .api
            case .worker: .worker
            case .receiver: .receiver
            case .carrier: .carrier
            }
    }
}
