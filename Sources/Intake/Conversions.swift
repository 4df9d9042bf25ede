import Batching
import Messaging
import Postgres
import Store
import Telemetry

/// Stores what customers tell of their messages' success, many reports in one statement.
struct Conversions: Sendable {
    /// Reports in one statement.
    static let batchLimit = 500
    /// Those that may wait; beyond that the answer is 503.
    static let queueLimit = 10_000

    private let batcher: Batcher<ConversionReport, Bool>

    init(store: Store, gate: Gate, logger: Logger) {
        self.batcher = Batcher(
            name: "conversions", batchLimit: Self.batchLimit, queueLimit: Self.queueLimit, writers: 1
        ) { reports in
            do {
                let messages = try await Verifier.settled { () async throws(PostgresError) in
                    try await store.reportedMessages(reports)
                }
                // Told again, it was not used again.
                var told: Set<MessageID> = []
                for (report, message) in zip(reports, messages) {
                    guard let message, message.isCode, message.isNewlyConverted, told.insert(report.message).inserted
                    else { continue }
                    gate.used(message.recipient, of: report.account, isReported: true)
                }
                return messages.map { $0 != nil }
            } catch {
                logger.warning("could not store conversions", ["reports": reports.count, "error": "\(error)"])
                throw error
            }
        }
    }

    func run() async { await self.batcher.run() }
    func drain() { self.batcher.drain() }

    /// Whether the account has the message. Throws ``Problem/unavailable``, or that nobody knows what came of it; telling it again
    /// does no harm.
    func report(_ report: ConversionReport) async throws(Problem) -> Bool {
        do {
            return try await self.batcher.submit(report)
        } catch let error as PostgresError where error.mayHaveCommitted {
            throw .effectUnknown
        } catch is CancellationError {
            throw .effectUnknown
        } catch BatcherError.full {
            throw .busy
        } catch {
            throw .unavailable
        }
    }
}
