import Synchronization

/// The parts of a run in their order, and how long is left.
final class Schedule: Sendable {
    enum Part: CaseIterable {
        case setUp, commits, updates, verifications, inserts, lifecycles, acceptSingle, start, check, acceptBatch,
            drain, smpp,
            single, batch, singleTold, batchTold, acceptTime, pickupTime, hanging, idleStatements, idlePickup

        fileprivate var title: String {
            switch self {
            case .setUp: "setting up a database"
            case .commits: "floor: one-row commits, 64 connections"
            case .updates: "floor: one-row updates of verifications, 64 connections"
            case .verifications: "floor: verifications, one insert and one update, 64 connections"
            case .inserts: "floor: 100-row inserts"
            case .lifecycles: "floor: whole lives of messages in batches of 100"
            case .acceptSingle: "accepting, one message a request, 64 callers"
            case .start: "starting verifications, 64 callers"
            case .check: "guessing at codes, 64 callers"
            case .acceptBatch: "accepting, 100 messages a request, 8 callers"
            case .drain: "draining what was accepted"
            case .smpp: "submitting by SMPP through one session, with receipts"
            case .single: "end to end, provider that takes one message a request"
            case .batch: "end to end, provider that takes many messages a request"
            case .singleTold: "the first of these with a webhook that is told of each delivery"
            case .batchTold: "the second of these with a webhook that is told of each delivery"
            case .acceptTime: "latency of accepting at a tenth of the peak"
            case .pickupTime: "latency from accepted to the provider's call at a tenth of the peak"
            case .hanging: "the same beside a customer's endpoint that hangs, and without it"
            case .idleStatements: "statements of processes that have nothing to do"
            case .idlePickup: "latency from accepted to the provider's call when there is hardly anything to do"
            }
        }

        /// What it usually takes, when each part is measured for so long.
        fileprivate func expected(_ seconds: Double) -> Double {
            switch self {
            case .setUp: 3
            case .commits, .verifications, .inserts, .acceptBatch: seconds + 0.5
            case .updates, .check: 1.5 * seconds + 1
            case .lifecycles, .acceptSingle, .start, .acceptTime, .pickupTime: seconds + 1
            case .drain: 1.5 * seconds + 1
            case .single, .batch, .singleTold, .batchTold: seconds + 2
            case .smpp: 1.5 * seconds + 2
            case .hanging: Double(Measurements.hangingSlices) * (Measurements.hangingSlicePart * seconds + 0.5)
            case .idleStatements: 3 * (Measurements.idlePart * seconds + Measurements.idleRest + 0.5)
            case .idlePickup: Measurements.idleMessagesPerSecond * seconds / 4 + 2
            }
        }
    }

    private let seconds: Double
    private let tell: @Sendable (String) -> Void

    init(seconds: Double, tell: @escaping @Sendable (String) -> Void) {
        self.seconds = seconds
        self.tell = tell
    }

    func begin(_ part: Part) {
        let all = Part.allCases
        let index = all.firstIndex(of: part) ?? 0
        let left = all[index...].reduce(0) { $0 + $1.expected(self.seconds) }
        self.tell("\(index + 1)/\(all.count) \(part.title); about \(Int(left.rounded())) s left")
    }
}
