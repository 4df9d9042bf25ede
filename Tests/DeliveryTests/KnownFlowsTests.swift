import Messaging
import Routing
import Store
import Testing

@testable import Delivery

/// Whom claims look for by name while they do not look at all of the queue.
@Suite struct KnownFlowsTests {
    private static let provider = ProviderID(rawValue: 1)
    private static let request = [ClaimRequest(provider: Self.provider, limit: 10, after: [:])]

    private static func flow(_ account: Int32, _ priority: Priority = .otp) -> ClaimFlow {
        ClaimFlow(provider: self.provider, priority: priority, account: AccountID(rawValue: account))
    }

    @Test func nobodyIsKnownBeforeAClaim() {
        #expect(KnownFlows().flows(of: Self.request).isEmpty)
    }

    @Test func thoseOfTheProvidersThatAreAskedFor() {
        var known = KnownFlows()
        let other = ClaimFlow(provider: ProviderID(rawValue: 2), priority: .otp, account: AccountID(rawValue: 1))
        known.note([Self.flow(1), other])
        #expect(known.flows(of: Self.request) == [Self.flow(1)])
    }

    @Test func whatWasSeenLastComesFirstAndEachPriorityHasItsPlaces() {
        var known = KnownFlows()
        known.note([Self.flow(1, .bulk)])
        let many = Int32(KnownFlows.limit + 10)
        for account in 1...many { known.note([Self.flow(account)]) }
        let flows = known.flows(of: Self.request)
        #expect(flows.filter { $0.priority == .bulk } == [Self.flow(1, .bulk)])
        let codes = flows.filter { $0.priority == .otp }
        #expect(codes.count == KnownFlows.limit)
        #expect(codes.first == Self.flow(many))
    }

    @Test func anotherProvidersTakeNobodysPlace() {
        var known = KnownFlows()
        let other = ProviderID(rawValue: 2)
        known.note([Self.flow(1, .bulk)])
        let many = Int32(KnownFlows.limit + 10)
        for account in 1...many {
            known.note([ClaimFlow(provider: other, priority: .otp, account: AccountID(rawValue: account))])
        }
        let both = known.flows(of: Self.request + [ClaimRequest(provider: other, limit: 10, after: [:])])
        #expect(both.count == KnownFlows.limit + 1)
        #expect(both.contains(Self.flow(1, .bulk)))
    }

    @Test func beyondTheLimitThoseThatWereSeenFirstAreForgotten() {
        var known = KnownFlows()
        let count = Int32(3 * KnownFlows.mostKept)
        for account in 1...count { known.note([Self.flow(account, account == 1 ? .otp : .bulk)]) }
        let flows = known.flows(of: Self.request)
        #expect(flows.count == KnownFlows.limit)
        #expect(flows.first == Self.flow(count, .bulk))
        #expect(flows.last == Self.flow(count - Int32(KnownFlows.limit) + 1, .bulk))
    }
}
