/// Why a group ended otherwise than by a request that was carried out.
public enum ServiceGroupError: Error, CustomStringConvertible {
    /// A service threw; the others were drained.
    case failed(service: String, any Error)
    /// A service returned though nobody had asked it to; the others were drained.
    case endedByItself(service: String)
    /// These were still at work when the time to drain was over, and were cancelled.
    case deadlinePassed(services: [String])

    public var description: String {
        switch self {
        case .failed(let service, let error): "\(service) failed: \(error)"
        case .endedByItself(let service): "\(service) ended by itself"
        case .deadlinePassed(let services): "not done in time and cancelled: \(services.joined(separator: ", "))"
        }
    }
}
