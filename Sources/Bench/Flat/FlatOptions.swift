import JSON

extension Bench {
    /// What is tried to make a message dearer. Each part compares rates or times with and without, in turns where that can be, so
    /// that what else the machine does falls on both.
    public struct FlatOptions: Sendable {
        public enum Part: String, Sendable, CaseIterable {
            /// Claims beside messages that are not due.
            case future
            /// Draining while a transaction is left open.
            case open
            /// Rates beside days of history.
            case history
            /// Dropping a day of history while messages pass.
            case drop
            /// Rates with ten times the accounts, providers and routes.
            case spread
            /// The memory of processes that work for long.
            case steady
        }

        public var parts = Set(Part.allCases)
        /// Messages that are not due.
        public var future = 10_000_000
        /// Rows of history, a third of them messages, a third attempts, a third receipts.
        public var history = 100_000_000
        /// How long the transaction is left open, and how long the processes work.
        public var minutes = 10.0

        public init() {}

        var members: [JSON.Member] {
            [
                .init("future_messages", JSON(self.future)), .init("history_rows", JSON(self.history)),
                .init("minutes", .rounded(self.minutes, 2)),
            ]
        }
    }
}
