import Messaging
import Store

/// Where the claims' walk over the accounts stands, for each lane, provider and priority.
///
/// A claim serves a limited number of accounts. When it reached that number the next one goes on behind them, and starts
/// again from the first when it came to the end: so every account has its turn, however many there are.
struct AccountWalk {
    private struct Place: Hashable {
        var lane: Lane
        var provider: ProviderID
        var priority: Priority
    }

    private let accountLimit: Int
    private var last: [Place: AccountID] = [:]

    init(accountLimit: Int = Int(Store.accountLimit)) {
        self.accountLimit = accountLimit
    }

    func request(_ provider: ProviderID, limit: Int32, lane: Lane) -> ClaimRequest {
        var after: [Priority: AccountID] = [:]
        for priority in Priority.allCases {
            after[priority] = self.last[Place(lane: lane, provider: provider, priority: priority)]
        }
        return ClaimRequest(provider: provider, limit: limit, after: after)
    }

    /// Takes note of what a claim brought. True when another claim would find more: an account had more than its quota,
    /// or the walk has not come round to all accounts.
    mutating func advance(lane: Lane, requests: [ClaimRequest], claims: [Claim]) -> Bool {
        let flows = Self.flows(of: claims)
        var more = flows.values.contains { accounts in accounts.values.contains { $0.count >= $0.quota } }
        let cut = Set(claims.lazy.filter(\.isCut).map(\.provider))
        for request in requests {
            for priority in Priority.allCases {
                let accounts = flows[Flow(provider: request.provider, priority: priority)]?.keys
                let place = Place(lane: lane, provider: request.provider, priority: priority)
                let served = accounts?.count ?? 0
                let isCut = cut.contains(request.provider)
                let goesOn = served >= self.accountLimit(of: request) || isCut && served > 0
                if goesOn || isCut || self.last[place] != nil { more = true }
                // One that had no turn because there was no room keeps its place.
                if isCut, served == 0 { continue }
                self.last[place] = goesOn ? accounts?.max { $0.rawValue < $1.rawValue } : nil
            }
        }
        return more
    }

    /// As the claim has it: no more accounts than there is room for.
    private func accountLimit(of request: ClaimRequest) -> Int {
        min(self.accountLimit, max(1, Int(request.limit) / 3))
    }

    private struct Flow: Hashable {
        var provider: ProviderID
        var priority: Priority
    }

    /// How many each account got, and could have got.
    private static func flows(of claims: [Claim]) -> [Flow: [AccountID: (count: Int, quota: Int)]] {
        var flows: [Flow: [AccountID: (count: Int, quota: Int)]] = [:]
        for claim in claims {
            flows[Flow(provider: claim.provider, priority: claim.priority), default: [:]][
                claim.account, default: (0, Int(claim.quota))
            ].count += 1
        }
        return flows
    }
}
