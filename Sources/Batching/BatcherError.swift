/// Why a batcher did not take an item. Nothing of it was written.
public enum BatcherError: Error, Hashable, CustomStringConvertible {
    /// As many items wait as may.
    case full(batcher: String)
    /// The batcher is being drained, or its `run()` has ended.
    case closed(batcher: String)

    public var description: String {
        switch self {
        case .full(let name): "\(name): too many items wait"
        case .closed(let name): "\(name): takes no more items"
        }
    }
}
