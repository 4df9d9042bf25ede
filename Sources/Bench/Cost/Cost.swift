/// What a part took of the machine, over all of its messages.
///
/// Measured, not reckoned: processor time as the kernel counts it for each process, what PostgreSQL wrote to its log, and what
/// its backends were doing when they were looked at. ``bound`` says from it what kept the part from being faster.
struct Cost: Sendable, Hashable {
    var messages: Double
    /// From begin to end.
    var seconds: Double
    var cores: Int
    /// Processor seconds. Without ``Party/postgres`` where the server's processes are not to be seen, as on another machine.
    var processor: [Party: Double]
    /// Processor seconds of everything on the machine, others' programs and ``stolen`` included.
    var machine: Double
    /// Processor seconds that other virtual machines had while there was something to do on this one.
    var stolen = 0.0
    /// Bytes that were added to PostgreSQL's write-ahead log.
    var walBytes: Double
    /// Transactions that wrote, each of which has its commit.
    var transactions: Double
    /// How many backends were busy with a statement, on average: by what they waited for, `running` when for nothing.
    var backends: [String: Double]

    /// From here on the processors count as full.
    static let fullShare = 0.9
    /// What others take counts from here on.
    static let othersShare = 0.05

    /// Of all processors, what the parties took, from 0 to 1.
    var share: Double { self.total / (self.seconds * Double(self.cores)) }

    /// Of all processors, what other programs took, from 0 to 1.
    var othersShare: Double {
        max(0, self.machine / (self.seconds * Double(self.cores)) - self.share - self.stolenShare)
    }

    /// Of all processors, what other virtual machines had, from 0 to 1.
    var stolenShare: Double { self.stolen / (self.seconds * Double(self.cores)) }

    /// Messages a second when the processors do nothing else.
    var mostPerSecond: Double { Double(self.cores) * self.messages / self.total }

    /// Microseconds of processor time for one message.
    func microseconds(_ party: Party) -> Double? { self.processor[party].map { $0 * 1e6 / self.messages } }

    /// Of one message.
    var one: Cost {
        var one = self
        one.messages = 1
        one.seconds /= self.messages
        one.machine /= self.messages
        one.stolen /= self.messages
        one.walBytes /= self.messages
        one.transactions /= self.messages
        one.processor = self.processor.mapValues { $0 / self.messages }
        return one
    }

    /// Of a message that goes through both, one after the other.
    static func both(_ first: Cost, _ second: Cost) -> Cost {
        let (first, second) = (first.one, second.one)
        let seconds = first.seconds + second.seconds
        return Cost(
            messages: 1, seconds: seconds, cores: first.cores,
            processor: first.processor.merging(second.processor) { $0 + $1 }, machine: first.machine + second.machine,
            stolen: first.stolen + second.stolen,
            walBytes: first.walBytes + second.walBytes, transactions: first.transactions + second.transactions,
            backends: first.backends.mapValues { $0 * first.seconds / seconds }
                .merging(second.backends.mapValues { $0 * second.seconds / seconds }) { $0 + $1 })
    }

    // MARK: - Private

    private var total: Double { self.processor.values.reduce(0, +) }
}
