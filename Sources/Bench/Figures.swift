import JSON

/// What was measured. Rates are messages per second, times are milliseconds.
///
/// | name | what it is | what it is not |
/// |---|---|---|
/// | `accept_single_per_s` | messages answered with 202, that is committed: 64 callers, each with one request under way and one message in it, closed loop, no worker running | what it is beside delivery: see `end_to_end_…` |
/// | `accept_batch_per_s` | as above with 8 callers and 100 messages a request | |
/// | `verify_start_per_s` | verifications answered with 202, that is, the code and its message are committed: 64 callers, closed loop, no worker running | |
/// | `verify_check_per_s`, `check_ms` | right guesses answered with 200, that is, charged and committed, and the time of each: 64 callers, closed loop; each at another verification while there are any, then at the first again | a time at a rate that leaves room |
/// | `floor_update_per_s`, `floor_update_ms` | one-row updates of `verifications`, each with its commit, 64 connections: what a guess is at the least | a guess, which also keeps the pace and the failures of its recipient |
/// | `check_p99_ratio` | the p99 of `check_ms` divided by that of `floor_update_ms` | |
/// | `drain_per_s` | messages claimed, given to a provider that takes everything at once, and settled with their history kept, from a queue that was there before | a provider's speed: nothing is sent |
/// | `smpp_submit_per_s` | messages of one part submitted by SMPP through one session with a window of 64, from a queue that was there before, their receipts taken over the same session and applied; over the time from the first claim to the last receipt applied | a provider's speed: the carrier's SMSC answers at once |
/// | `end_to_end_single_per_s` | messages delivered: accepted one a request, sent one a request (Vonage's contract) over HTTP, receipts posted one a request, verified and applied; over the time from the first request to the last receipt applied | a provider's speed: the carrier answers at once |
/// | `end_to_end_batch_per_s` | as above through the contract that takes many messages a request (Infobip's), accepted 100 a request | |
/// | `end_to_end_single_told_per_s`, `end_to_end_batch_told_per_s` | as the two above with a customer's webhook that is told of each delivery, by a signed request each, and takes it at once; over the time to the last that was taken | |
/// | `accept_ms` | from when a request was due to its 202, sent at fixed intervals at a tenth of `accept_single_per_s`, workers running | the time of a caller in a closed loop |
/// | `pickup_ms` | from the begin of the accepting transaction (`accepted_at`, so the commit is in it) to the message's arrival at the carrier (its clock has milliseconds), at a tenth of `end_to_end_single_per_s` | |
/// | `webhook_none_ms`, `webhook_hang_ms` | as `pickup_ms`, in short turns without and with an endpoint of the same account that takes requests and answers none | |
/// | `webhook_hang_p99_ratio` | the p99 of the second divided by that of the first | |
/// | `peak_memory_mib` | the most resident memory (`VmHWM`) of the largest process of each role | what PostgreSQL needs |
/// | `idle_statements_per_s` | statements of a process that has nothing to do, by role; each alone with the database, counted by PostgreSQL, those that begin and end transactions included; null where it cannot count them | |
/// | `idle_pickup_ms` | as `pickup_ms`, of single messages with pauses of 0.1 to 0.4 s between them and nothing else to do | |
/// | `verification_per_s` | verifications started and then checked, both phases one after the other: as many as that take n / (n / `verify_start_per_s` + n / `verify_check_per_s`) | |
/// | `floor_verification_per_s` | one-row inserts into `verifications`, each followed by an update of the row, each of the two with its commit, 64 connections | |
/// | `floor_commit_per_s` | one-row inserts into `messages`, each with its commit, 64 connections | what an API does, which stores the message in the outbox too, and shares commits |
/// | `floor_insert_per_s` | messages inserted into `messages` and `outbox` 100 a statement, the best of 2, 4 and 8 connections | |
/// | `floor_lifecycle_per_s` | messages inserted, claimed, settled and given a receipt in the same tables, 100 a statement, the best of 2, 4 and 8 connections | a product: no HTTP, no provider, no fairness, no retries |
/// | `busy_before_percent` | how busy the processors were before the bench began; what others take of them is missing from every figure, and the ratios suffer too when it changes from one part to the next | |
/// | `…_ratio` | the figure divided by its floor: `accept_single` by `floor_commit`, `accept_batch` by `floor_insert`, `verification` by `floor_verification`, all others by `floor_lifecycle` | |
/// | `costs` | what a message of each part takes of the machine, see ``Cost`` | |
/// | `lines` | what is expected, what was measured and what bounds it, see ``Figures/lines(_:)`` | |
struct Figures {
    var floorCommit = 0.0
    var floorInsert = 0.0
    var floorLifecycle = 0.0
    var acceptSingle = 0.0
    var acceptBatch = 0.0
    var floorUpdate: Floor.Timed?
    var floorVerification = 0.0
    var verifyStart = 0.0
    var verifyCheck = 0.0
    var checkTimes: Percentiles?
    var drain = 0.0
    var smppSubmit = 0.0
    var endToEndSingle = 0.0
    var endToEndBatch = 0.0
    var endToEndSingleTold = 0.0
    var endToEndBatchTold = 0.0
    var acceptTimes: Percentiles?
    var pickupTimes: Percentiles?
    var hangingTimes: Measurements.HangingTimes?
    /// Of all processes of a role, and how many these are.
    var idleStatements: [RoleName: StatementCount.Rate] = [:]
    var copies = 1
    var idlePickupTimes: Percentiles?
    var peakMemory: [RoleName: Double] = [:]

    /// Of one process.
    func idleStatement(of role: RoleName) -> Double? {
        self.idleStatements[role].map { $0.perSecond / Double(self.copies) }
    }

    /// Of both phases together.
    var verification: Double { 1 / (1 / self.verifyStart + 1 / self.verifyCheck) }

    /// The figures, the floors and the ratios.
    var members: [JSON.Member] { self.rates + self.times + self.floors + self.ratios }

    // MARK: - Private

    private var rates: [JSON.Member] {
        [
            .init("accept_single_per_s", .rounded(self.acceptSingle, 0)),
            .init("accept_batch_per_s", .rounded(self.acceptBatch, 0)),
            .init("verify_start_per_s", .rounded(self.verifyStart, 0)),
            .init("verify_check_per_s", .rounded(self.verifyCheck, 0)),
            .init("verification_per_s", .rounded(self.verification, 0)),
            .init("drain_per_s", .rounded(self.drain, 0)),
            .init("smpp_submit_per_s", .rounded(self.smppSubmit, 0)),
            .init("end_to_end_single_per_s", .rounded(self.endToEndSingle, 0)),
            .init("end_to_end_batch_per_s", .rounded(self.endToEndBatch, 0)),
            .init("end_to_end_single_told_per_s", .rounded(self.endToEndSingleTold, 0)),
            .init("end_to_end_batch_told_per_s", .rounded(self.endToEndBatchTold, 0)),
        ]
    }

    private var times: [JSON.Member] {
        let memory = RoleName.allCases.map { role in
            JSON.Member(role.rawValue, self.peakMemory[role].map { .rounded($0, 1) } ?? .null)
        }
        let statements = Self.databaseRoles.map { role in
            JSON.Member(role.rawValue, self.idleStatement(of: role).map { .rounded($0, 2) } ?? .null)
        }
        return [
            .init("accept_ms", self.acceptTimes?.json ?? .null),
            .init("pickup_ms", self.pickupTimes?.json ?? .null),
            .init("webhook_none_ms", self.hangingTimes?.without?.json ?? .null),
            .init("webhook_hang_ms", self.hangingTimes?.with?.json ?? .null),
            .init("check_ms", self.checkTimes?.json ?? .null),
            .init("idle_pickup_ms", self.idlePickupTimes?.json ?? .null),
            .init("idle_statements_per_s", .object(statements)),
            .init("peak_memory_mib", .object(memory)),
        ]
    }

    private var floors: [JSON.Member] {
        [
            .init("floor_commit_per_s", .rounded(self.floorCommit, 0)),
            .init("floor_update_per_s", .rounded(self.floorUpdate?.perSecond ?? 0, 0)),
            .init("floor_update_ms", self.floorUpdate?.times?.json ?? .null),
            .init("floor_verification_per_s", .rounded(self.floorVerification, 0)),
            .init("floor_insert_per_s", .rounded(self.floorInsert, 0)),
            .init("floor_lifecycle_per_s", .rounded(self.floorLifecycle, 0)),
        ]
    }

    private var checkRatio: Double? {
        guard let check = self.checkTimes?[99], let floor = self.floorUpdate?.times?[99] else { return nil }
        return check / floor
    }

    private var ratios: [JSON.Member] {
        [
            .init("accept_single_ratio", .rounded(self.acceptSingle / self.floorCommit, 2)),
            .init("accept_batch_ratio", .rounded(self.acceptBatch / self.floorInsert, 2)),
            .init("verify_check_ratio", .rounded(self.verifyCheck / (self.floorUpdate?.perSecond ?? 0), 2)),
            .init("verification_ratio", .rounded(self.verification / self.floorVerification, 2)),
            .init("check_p99_ratio", self.checkRatio.map { .rounded($0, 2) } ?? .null),
            .init("webhook_hang_p99_ratio", self.hangingTimes?.ratio.map { .rounded($0, 2) } ?? .null),
            .init("drain_ratio", .rounded(self.drain / self.floorLifecycle, 2)),
            .init("end_to_end_single_ratio", .rounded(self.endToEndSingle / self.floorLifecycle, 2)),
            .init("end_to_end_batch_ratio", .rounded(self.endToEndBatch / self.floorLifecycle, 2)),
            .init("end_to_end_single_told_ratio", .rounded(self.endToEndSingleTold / self.floorLifecycle, 2)),
            .init("end_to_end_batch_told_ratio", .rounded(self.endToEndBatchTold / self.floorLifecycle, 2)),
        ]
    }
}
