import HTTP
import JSON
import Messaging
import Store
import Timestamps

// Looking at verifications, and letting recipients try again.
extension Intake {
    func answerVerification(_ id: VerificationID?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
        let principal = try self.principal(of: request, with: .read, .verify)
        guard let id else { throw .notFound }
        let found = try await self.asking { () async throws(VerifierRefusal) in
            try await self.verifier.verification(id, of: principal.account)
        }
        guard let found else { throw .notFound }
        return Self.ok(found.json)
    }

    /// A search and not a list with parameters: a number has no place in an address, which proxies log.
    func answerSearch(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .read, .verify)
        let (recipient, application, isVerified) = try CodeReader.search(request.json)
        let filter = VerificationFilter(recipient: recipient.key, application: application, isVerified: isVerified)
        let found = try await self.asking { () async throws(VerifierRefusal) in
            try await self.verifier.verifications(filter, of: principal.account)
        }
        return Self.ok(["verifications": .array(found.map(\.json))])
    }

    func answerUnlocking(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .manage)
        let recipient = try CodeReader.unlocking(request.json)
        let unlocked = try await self.asking { () async throws(VerifierRefusal) in
            try await self.verifier.unlock(recipient, of: principal.account)
        }
        return Self.ok(["unlocked": .bool(unlocked)])
    }

    // MARK: - Private

    private func asking<Value>(
        _ body: () async throws(VerifierRefusal) -> Value
    ) async throws(Problem) -> Value {
        do throws(VerifierRefusal) {
            return try await body()
        } catch {
            throw Problem(error)
        }
    }
}

extension StoredVerification {
    fileprivate var json: JSON {
        [
            "id": .string("\(self.id)"), "application": .string(self.application), "template": .string(self.template),
            "channel": .string(self.channel.rawValue), "to": .string(self.recipient), "status": .string(self.status),
            "attempts": .integer(Int64(self.attempts)), "attempt_limit": .integer(Int64(self.attemptLimit)),
            "sends": .integer(Int64(self.sends)), "message": .string("\(self.message)"),
            "started_at": .string("\(self.startedAt)"), "sent_at": .string("\(self.sentAt)"),
            "expires_at": .string("\(self.expiresAt)"), "checked_at": .init(self.checkedAt.map { "\($0)" }),
            "verified_at": .init(self.verifiedAt.map { "\($0)" }),
        ]
    }

    /// What was verified or spent stays so when its time is over.
    private var status: String { self.state == .pending && self.isExpired ? "expired" : self.state.rawValue }
}
