import Crypto
import Messaging
import Postgres
import Store
import Testing
import Timestamps
import Verification

// Codes that are found by their scope.
extension VerificationFixture {
    static let code = "1234"

    func scope(_ name: String = "2FA", to number: String = Self.number, account: AccountID? = nil) -> CodeScope {
        CodeScope(account: account ?? self.account, vendor: .bandwidth, recipient: number, name: name)
    }

    func scopedSending(
        _ scope: CodeScope, code: String = Self.code, application: String = "app", keys: MasterKeys? = nil
    ) throws -> ScopedSending {
        let message = self.base.newMessage(recipient: scope.recipient, timeToLive: CodeScope.codeLifetime)
        let mac = CodeMAC(
            try #require(Code(typed: code)), in: scope, message: message.id, keys: keys ?? self.keys)
        return ScopedSending(scope: scope, application: application, mac: mac, message: message)
    }

    /// The message that carries the code.
    @discardableResult
    func sendScoped(
        _ scope: CodeScope, code: String = Self.code, application: String = "app", now: Timestamp? = nil
    ) async throws -> MessageID {
        let sending = try self.scopedSending(scope, code: code, application: application)
        #expect(try await self.store.send([sending], now: now) == [.sent])
        return sending.message.id
    }

    func scopedGuess(
        _ scope: CodeScope, _ typed: String, application: String? = nil, age: Duration = .seconds(180),
        keys: MasterKeys? = nil
    ) throws -> ScopedGuess {
        ScopedGuess(
            scope: scope, lane: self.base.lane, application: application, age: age,
            macs: CodeMAC.guesses(try #require(Code(typed: typed)), in: scope, keys: keys ?? self.keys))
    }

    func checkScoped(
        _ scope: CodeScope, _ typed: String = Self.code, application: String? = nil, age: Duration = .seconds(180),
        now: Timestamp? = nil
    ) async throws -> ScopedCheckResult {
        let guess = try self.scopedGuess(scope, typed, application: application, age: age)
        return try await self.store.check([guess], now: now)[0]
    }

    /// Guesses one by one or many in a batch, each until it was judged.
    func checkScopedInRounds(_ scope: CodeScope, _ typed: [String]) async throws -> [ScopedCheckResult] {
        var open = try typed.map { try self.scopedGuess(scope, $0) }
        var results: [ScopedCheckResult] = []
        while !open.isEmpty {
            let round = try await self.store.check(open)
            results += round.filter { $0 != .again }
            open = zip(open, round).filter { $0.1 == .again }.map(\.0)
        }
        return results
    }

    var failures: Int { get async throws { try await self.base.count("SELECT sum(failures) FROM recipient_failures") } }
}
