import Messaging
import Testing

@testable import Delivery
@testable import Store

@Suite struct AccountWalkTests {
    private let lane = Lane(rawValue: 0)
    private let provider = ProviderID(rawValue: 1)

    /// Lets the walk see a claim of these accounts, one message each, and says whether it would go on.
    private func claim(
        _ walk: inout AccountWalk, _ accounts: [Int32], quota: Int32 = 10, priority: Priority = .otp
    ) -> Bool {
        let request = walk.request(self.provider, limit: 100, lane: self.lane)
        let claims = accounts.map { Claim.sample(account: $0, priority: priority, quota: quota) }
        return walk.advance(lane: self.lane, requests: [request], claims: claims)
    }

    private func after(_ walk: AccountWalk, _ priority: Priority = .otp, lane: UInt8 = 0, provider: Int32 = 1) -> Int32?
    {
        walk.request(ProviderID(rawValue: provider), limit: 1, lane: Lane(rawValue: lane)).after[priority]?.rawValue
    }

    @Test func itGoesOnBehindTheLastAccountAndComesRound() {
        var walk = AccountWalk(accountLimit: 3)
        #expect(self.claim(&walk, [4, 2, 9]))
        #expect(self.after(walk) == 9)
        #expect(self.claim(&walk, [10, 11, 12]))
        #expect(self.after(walk) == 12)
        // Fewer than the limit: the end of the accounts, and so one more look from the first.
        #expect(self.claim(&walk, [13]))
        #expect(self.after(walk) == nil)
        #expect(!self.claim(&walk, [2]))
        #expect(!self.claim(&walk, []))
    }

    @Test func anEmptyClaimBehindTheLastAccountBeginsAgain() {
        var walk = AccountWalk(accountLimit: 2)
        #expect(self.claim(&walk, [1, 2]))
        #expect(self.claim(&walk, []))
        #expect(self.after(walk) == nil)
        #expect(!self.claim(&walk, []))
    }

    @Test func anAccountThatGotItsWholeQuotaHasMore() {
        var walk = AccountWalk()
        #expect(!self.claim(&walk, [1, 1, 1], quota: 4))
        #expect(self.claim(&walk, [1, 1, 1, 1], quota: 4))
        #expect(self.after(walk) == nil)
    }

    @Test func prioritiesProvidersAndLanesWalkByThemselves() {
        var walk = AccountWalk(accountLimit: 1)
        #expect(self.claim(&walk, [7], priority: .bulk))
        #expect(self.after(walk, .bulk) == 7)
        #expect(self.after(walk, .otp) == nil)
        #expect(self.after(walk, .bulk, lane: 1) == nil)
        #expect(self.after(walk, .bulk, provider: 2) == nil)
    }

    @Test func providersThatWereNotAskedKeepTheirPlace() {
        var walk = AccountWalk(accountLimit: 1)
        #expect(self.claim(&walk, [7]))
        let other = walk.request(ProviderID(rawValue: 2), limit: 1, lane: self.lane)
        _ = walk.advance(lane: self.lane, requests: [other], claims: [])
        #expect(self.after(walk) == 7)
    }
}
