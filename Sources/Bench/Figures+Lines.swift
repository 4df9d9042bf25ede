extension Figures {
    /// The roles that use the database.
    static let databaseRoles: [RoleName] = [.api, .worker, .receiver]

    /// What is expected of each figure on two cores with everything on one machine: the one place that says it.
    func lines(_ costs: CostMeter.Ledger) -> [Line] {
        self.rateLines(costs) + self.timeLines(costs) + self.processLines
    }

    // MARK: - Private

    private func rateLines(_ costs: CostMeter.Ledger) -> [Line] {
        [
            Line(
                name: "drain", what: "drained, history kept", unit: .perSecond, figure: self.drain,
                against: self.floorLifecycle, expectation: .atLeast(0.9), cost: costs[.drain]),
            Line(
                name: "accept_single", what: "accepted, one message a request", unit: .perSecond,
                figure: self.acceptSingle, against: self.floorCommit, expectation: .atLeast(4),
                cost: costs[.acceptSingle]),
            Line(
                name: "accept_batch", what: "accepted, 100 a request", unit: .perSecond, figure: self.acceptBatch,
                against: self.floorInsert, expectation: .atLeast(0.6), cost: costs[.acceptBatch]),
            Line(
                name: "end_to_end_batch_told", what: "end to end with events, batching provider", unit: .perSecond,
                figure: self.endToEndBatchTold, against: self.floorLifecycle, expectation: .atLeast(0.4),
                cost: costs[.endToEndBatchTold]),
            Line(
                name: "end_to_end_single_told", what: "end to end with events, one a request", unit: .perSecond,
                figure: self.endToEndSingleTold, against: self.floorLifecycle, expectation: .atLeast(0.2),
                cost: costs[.endToEndSingleTold]),
            Line(
                name: "verification", what: "verifications started and checked", unit: .perSecond,
                figure: self.verification, against: self.floorVerification, expectation: .atLeast(0.5),
                cost: self.verificationCost(costs)),
        ]
    }

    private func timeLines(_ costs: CostMeter.Ledger) -> [Line] {
        [
            Line(
                name: "pickup_p50", what: "accepted to provider at a tenth of the peak, p50", unit: .milliseconds,
                figure: self.pickupTimes?[50], expectation: .below(10), cost: costs[.pickup]),
            Line(
                name: "pickup_p99", what: "the same, p99", unit: .milliseconds, figure: self.pickupTimes?[99],
                expectation: .below(50), cost: costs[.pickup]),
            Line(
                name: "idle_pickup_p99", what: "accepted to provider when idle, p99", unit: .milliseconds,
                figure: self.idlePickupTimes?[99], expectation: .below(20), cost: costs[.idlePickup]),
        ]
    }

    private var processLines: [Line] {
        Self.databaseRoles.map { role in
            Line(
                name: "idle_statements_\(role)", what: "statements of an idle \(role)", unit: .perSecond,
                figure: self.idleStatement(of: role), expectation: .below(5),
                note: self.idleStatements[role].map(Self.most))
        }
            + Self.databaseRoles.map { role in
                Line(
                    name: "peak_memory_\(role)", what: "peak memory of each \(role)",
                    unit: .mebibytes, figure: self.peakMemory[role], expectation: .below(64))
            }
    }

    private static func most(_ rate: StatementCount.Rate) -> String {
        "a second, of all its processes: "
            + rate.most.map { "\(Quantity.decimal($0.perSecond, 1)) of `\($0.statement)`" }.joined(separator: ", ")
    }

    private func verificationCost(_ costs: CostMeter.Ledger) -> Cost? {
        guard let start = costs[.verifyStart], let check = costs[.verifyCheck] else { return nil }
        return .both(start, check)
    }
}
