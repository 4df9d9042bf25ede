import Channels
import Messaging
import Testing

/// Each driver of calls, mails and gateways against the carrier's side of its contract, over real sockets: the carrier signs with
/// code of its own, so the two agree about the contract and not only with themselves.
@Suite(.timeLimit(.minutes(2))) struct DriverTests {
    @Test(arguments: ContractAccount.all)
    func aMessageArrivesAndIsReported(_ account: ContractAccount) async throws {
        try await DriverFixture.run(account) { fixture in
            let dispatch = fixture.dispatch("0100", of: account)
            let outcome = await fixture.send(dispatch)
            guard case .accepted = outcome else {
                Issue.record("\(String(describing: outcome))")
                return
            }
            let receipt = try #require(await fixture.nextEnd())
            #expect(receipt.verdict.state == .delivered)
            #expect(receipt.message == dispatch.reference)
            let inbox = await fixture.inbox(dispatch.recipient.text)
            #expect(inbox.contains(account.channel == .voice ? "4, 9, 3, 8" : "4938"))
            #expect(inbox.contains(#""channel":"\#(account.channel.rawValue)""#))
        }
    }

    @Test(arguments: ContractAccount.all.filter { $0.channel == .voice })
    func aCallEndsInOneWayOrAnother(_ account: ContractAccount) async throws {
        try await DriverFixture.run(account) { fixture in
            for (suffix, reason) in [
                ("0021", Verdict.Reason.busy), ("0022", .noAnswer), ("0023", .machineAnswered),
            ] {
                let dispatch = fixture.dispatch(suffix, of: account)
                guard case .accepted = await fixture.send(dispatch) else {
                    Issue.record("\(suffix) was not taken")
                    return
                }
                let receipt = try #require(await fixture.nextEnd())
                #expect(receipt.message == dispatch.reference)
                #expect(receipt.verdict.state == .undelivered)
                #expect(receipt.verdict.reason == reason)
            }
        }
    }

    @Test(arguments: ContractAccount.all.filter { $0.channel != .voice })
    func whatDoesNotArriveIsReported(_ account: ContractAccount) async throws {
        try await DriverFixture.run(account) { fixture in
            let dispatch = fixture.dispatch("0011", of: account)
            _ = await fixture.send(dispatch)
            let receipt = try #require(await fixture.nextEnd())
            #expect(receipt.message == dispatch.reference)
            #expect(receipt.verdict.state.messageState == .undelivered)
            if account.channel == .email { #expect(receipt.verdict.reason == .hardBounce) }
        }
    }

    @Test(arguments: ContractAccount.all)
    func faultsOfAnAnswerAreOutcomes(_ account: ContractAccount) async throws {
        try await DriverFixture.run(account) { fixture in
            #expect(await fixture.send(fixture.dispatch("0004", of: account)) == nil)
            #expect(await fixture.send(fixture.dispatch("0005", of: account)) == nil)
            #expect(await fixture.send(fixture.dispatch("0007", of: account)) == .unanswered(.providerError))
            let expected: [(String, Verdict.Action?)] = [("0001", nil), ("0002", .throttle), ("0006", .retrySame)]
            for (suffix, action) in expected {
                let outcome = await fixture.send(fixture.dispatch(suffix, of: account))
                guard case .refused(let verdict, _, let wait) = outcome else {
                    Issue.record("\(suffix) was not refused: \(String(describing: outcome))")
                    return
                }
                if let action { #expect(verdict.action == action) }
                if action == .throttle { #expect(wait == .seconds(1)) }
            }
        }
    }

    @Test(arguments: ContractAccount.all)
    func aReceiptComesTwice(_ account: ContractAccount) async throws {
        try await DriverFixture.run(account) { fixture in
            _ = await fixture.send(fixture.dispatch("0013", of: account))
            let (first, second) = (await fixture.nextEnd(), await fixture.nextEnd())
            // What it is stored by.
            #expect(first?.message == second?.message && first?.part == second?.part)
            #expect(first?.status == second?.status && first?.code == second?.code)
        }
    }

    @Test(arguments: ContractAccount.all)
    func aStrangerIsRefused(_ account: ContractAccount) async throws {
        try await DriverFixture.run(account, wrongly: true) { fixture in
            guard case .refused(let verdict, _, _) = await fixture.send(fixture.dispatch("0100", of: account)) else {
                Issue.record("it was not refused")
                return
            }
            #expect(verdict.action == .haltProvider)
        }
    }
}
