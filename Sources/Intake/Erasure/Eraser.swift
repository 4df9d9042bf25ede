public import Crypto
public import Messaging
public import Postgres
public import Store

/// Takes one recipient out of what is kept.
///
/// What has ended is erased: numbers and addresses, what customers noted of the message, codes, and what was counted of the recipient.
/// What waits to be sent is cancelled first; what is being sent ends as it ends, and is counted. Opt-outs stay, as only who is known is
/// not written to; statistics stay, as nobody is in them. Asked again it erases what has come since.
public struct Eraser: Sendable {
    /// Rows of one transaction.
    static let batchLimit: Int32 = 500
    /// Accounts that are asked at once whether they know the recipient.
    static let accountLimit = 1000
    /// Messages under way that are counted of each account.
    static let countLimit: Int32 = 10_000
    /// Messages and verifications, together, that one request of the API erases; and messages, about, that it cancels.
    public static let requestLimit = 5000

    private let store: Store
    private let lanes: [Lane]
    private let masterKeys: MasterKeys

    public init(store: Store, lanes: [Lane], masterKeys: MasterKeys) {
        self.store = store
        self.lanes = lanes
        self.masterKeys = masterKeys
    }

    /// What an erasure came to.
    public struct Outcome: Sendable, Hashable {
        public var counts: ErasureCounts
        /// False when more was there than `limit`: ask again.
        public var isDone: Bool
    }

    /// - `accounts`: whose recipient it is.
    /// - `owner`: the account that asks; nil: the operator, for all.
    /// - `apiKey`: which of its keys.
    /// - `limit`: messages and verifications, together, at most; nil erases all.
    public func erase(
        _ recipient: Recipient, of accounts: [AccountID], for owner: AccountID?, apiKey: Int32? = nil, limit: Int? = nil
    ) async throws(PostgresError) -> Outcome {
        let mac = self.macs(of: recipient)[0]
        let erasure = try await self.store.beginErasure(
            NewErasure(account: owner, apiKey: apiKey, keyID: Int16(mac.keyID), mac: mac.code))
        let limit = limit ?? .max
        var run = Run(erasure: erasure, recipients: Self.names(of: recipient), left: limit, cancellationsLeft: limit)
        for lane in self.lanes {
            for account in try await self.knowing(accounts, run.recipients, lane: lane) {
                try await self.erase(&run, lane: lane, account: account)
            }
        }
        try await self.store.eraseLookUps(erasure, recipients: run.recipients)
        let counts = try await self.store.endErasure(erasure, underWay: run.underWay)
        return Outcome(counts: counts, isDone: !run.isSpent)
    }

    /// The erasures of a recipient, as far as the master keys of their time are still there; nil: of all. Newest first.
    public func erasures(of recipient: Recipient?, limit: Int32) async throws(PostgresError) -> [StoredErasure] {
        try await self.store.erasures(macs: recipient.map { self.macs(of: $0).map(\.code) }, limit: limit)
    }

    // MARK: - Private

    private struct Run {
        let erasure: Int64
        let recipients: [String]
        /// Messages and verifications that may still be erased.
        var left: Int
        var cancellationsLeft: Int
        var underWay = 0
        var isSpent = false
    }

    private func macs(of recipient: Recipient) -> [(keyID: UInt8, code: [UInt8])] {
        self.masterKeys.authenticate(Array(recipient.key.utf8), for: "erasure")
    }

    /// As it may be stored: messages have an address as it was written, and counters go by the key.
    private static func names(of recipient: Recipient) -> [String] {
        recipient.text == recipient.key ? [recipient.key] : [recipient.text, recipient.key]
    }

    /// Those of `accounts` that have something of the recipient: of a thousand it is few.
    private func knowing(
        _ accounts: [AccountID], _ recipients: [String], lane: Lane
    ) async throws(PostgresError) -> [AccountID] {
        guard accounts.count > 1 else { return accounts }
        var knowing: [AccountID] = []
        for start in stride(from: 0, to: accounts.count, by: Self.accountLimit) {
            let some = Array(accounts[start..<min(start + Self.accountLimit, accounts.count)])
            knowing += try await self.store.accounts(among: some, knowing: recipients, lane: lane)
        }
        return knowing
    }

    private func erase(_ run: inout Run, lane: Lane, account: AccountID) async throws(PostgresError) {
        try await self.cancel(&run, lane: lane, account: account)
        _ = try await self.store.leaveStandby(lane: lane, account: account, recipients: run.recipients)
        let (erasure, recipients) = (run.erasure, run.recipients)
        try await self.repeated(&run) { limit throws(PostgresError) in
            try await self.store.eraseMessages(
                erasure, lane: lane, account: account, recipients: recipients, limit: limit)
        }
        try await self.repeated(&run) { limit throws(PostgresError) in
            let count = try await self.store.eraseVerifications(
                erasure, lane: lane, account: account, recipients: recipients, limit: limit)
            return (count, count < Int(limit))
        }
        try await self.store.eraseCounts(erasure, lane: lane, account: account, recipients: recipients)
        if run.isSpent { return }
        // Whatever it was that kept them: they may have ended, or been sent on, since they were looked at.
        run.underWay += try await self.store.countMessages(
            lane: lane, account: account, recipients: recipients, limit: Self.countLimit)
    }

    /// Cancels what waits. What is beyond that is left.
    private func cancel(_ run: inout Run, lane: Lane, account: AccountID) async throws(PostgresError) {
        var after = MessageID(high: 0, low: 0)
        while true {
            let found = try await self.store.messagesUnderWay(
                lane: lane, account: account, recipients: run.recipients, after: after, limit: Self.batchLimit)
            var cancelled = 0
            for id in found {
                if try await self.store.cancel(id, account: account) == .cancelled { cancelled += 1 }
            }
            if cancelled > 0 { try await self.store.count(cancelled: cancelled, of: run.erasure) }
            run.cancellationsLeft -= cancelled
            guard found.count == Int(Self.batchLimit), let last = found.last else { return }
            guard run.cancellationsLeft > 0 else { return run.isSpent = true }
            after = last
        }
    }

    /// Batch by batch until nothing is left, or the limit is reached.
    private func repeated(
        _ run: inout Run, _ body: (Int32) async throws(PostgresError) -> (erased: Int, isLast: Bool)
    ) async throws(PostgresError) {
        while true {
            let limit = min(Self.batchLimit, Int32(clamping: run.left))
            guard limit > 0 else { return run.isSpent = true }
            let (erased, isLast) = try await body(limit)
            run.left -= erased
            if isLast { return }
        }
    }
}
