import Polling

/// Why a private server could not be made, started or stopped: a sentence for whoever runs it, and what the server itself
/// had to say.
public struct PostgresServerError: Error, CustomStringConvertible {
    public let reason: String
    /// The last lines of the server's log, or of the failed program's output.
    public let log: String

    init(_ reason: String, log: String = "") {
        self.reason = reason
        self.log = log
    }

    init(_ error: SystemError) { self.init("\(error)") }

    public var description: String { self.log.isEmpty ? self.reason : "\(self.reason)\n\(self.log)" }
}
