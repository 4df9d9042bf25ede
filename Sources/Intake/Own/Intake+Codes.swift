import Crypto
import HTTP
import JSON
import Messaging
import Store
import Verification

// Sending codes and looking at what people typed.
extension Intake {
    func answerVerifications(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .verify)
        let key = try request.idempotencyKey
        var (code, lookUp) = try CodeReader.code(request.json)
        code.idempotency = key.map { ($0, Digest.sha256.hash(Array("POST \(request.path)\n".utf8) + request.body)) }
        return Self.sent(try await self.send(code, lookUp: lookUp, for: principal.account))
    }

    func answerCheck(_ id: VerificationID?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .verify)
        // Read first: whether it is a code must not depend on whether the verification is there.
        let (code, caller) = try CodeReader.guess(request.json)
        guard let id else { throw .verificationEnded }
        let result: CheckResult
        do throws(VerifierRefusal) {
            result = try await self.verifier.check(code, of: id, for: principal.account, caller: caller)
        } catch {
            throw .withoutKey(error)
        }
        return try Self.answer(to: result, at: id)
    }

    func answerResending(_ id: VerificationID?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .verify)
        let (channel, placeholders, caller) = try CodeReader.resend(request.body.isEmpty ? [:] : request.json)
        guard let id else { throw .verificationEnded }
        do throws(VerifierRefusal) {
            let resend = ResendRequest(
                verification: id, channel: channel, placeholders: placeholders, caller: caller)
            return Self.resent(try await self.verifier.resend(resend, for: principal.account))
        } catch {
            throw .withoutKey(error)
        }
    }

    // MARK: - Private

    private func send(
        _ code: CodeRequest, lookUp: Bool, for account: AccountID
    ) async throws(Problem) -> VerificationID {
        do throws(VerifierRefusal) {
            if lookUp {
                try self.verifier.screen(code.recipient, code.channel, account)
                try await self.verifier.refuseUnreachable(code.recipient)
            }
            return try await self.verifier.send(code, for: account).verification
        } catch {
            // What was sent stays sent, although a limit has been reached or a route has gone since.
            if let id = try await self.earlier(code, error, account) { return id }
            throw Problem(error)
        }
    }

    private func earlier(
        _ code: CodeRequest, _ refusal: VerifierRefusal, _ account: AccountID
    ) async throws(Problem) -> VerificationID? {
        guard refusal.isOfRequest else { return nil }
        do throws(VerifierRefusal) {
            return try await self.verifier.earlier(code, for: account)
        } catch {
            throw Problem(error)
        }
    }

    /// Nothing but the id depends on when it is asked, so an answer under an idempotency key is the same, byte for byte.
    private static func sent(_ id: VerificationID) -> HTTPResponse {
        var fields = Self.fields
        fields["Location"] = "/v1/verifications/\(id)"
        return HTTPResponse(status: 202, fields: fields, body: Array(#"{"id":"\#(id)","status":"pending"}"#.utf8))
    }

    private static func resent(_ sent: SentCode) -> HTTPResponse {
        let body: JSON = [
            "id": .string("\(sent.verification)"), "status": .string(sent.state.rawValue),
            "channel": .string(sent.channel.rawValue),
        ]
        return HTTPResponse(status: 202, fields: Self.fields, body: body.serialized())
    }

    private static func answer(to result: CheckResult, at id: VerificationID) throws(Problem) -> HTTPResponse {
        switch result {
        case .right: return Self.ok(["id": .string("\(id)"), "valid": true, "status": "verified"])
        case .wrong(_, let attemptsLeft):
            return Self.ok([
                "id": .string("\(id)"), "valid": false, "status": attemptsLeft > 0 ? "pending" : "exhausted",
                "attempts_left": .integer(Int64(attemptsLeft)),
            ])
        case .limited(let wait): throw .checksLimited(wait: wait)
        case .locked(let wait): throw .locked(wait: wait)
        case .ended, .unknown: throw .verificationEnded
        case .again, .keyless: throw .unavailable
        }
    }
}

extension Problem {
    /// Why a guess or a resend came to nothing.
    fileprivate static func withoutKey(_ refusal: VerifierRefusal) -> Problem {
        if case .outcomeUnknown = refusal { return .effectUnknown }
        return Problem(refusal)
    }
}

extension VerifierRefusal {
    /// Whether the request was refused for what it asks, and not for when it came.
    fileprivate var isOfRequest: Bool {
        switch self {
        case .keyInFlight, .keyReused, .unavailable, .outcomeUnknown: false
        default: true
        }
    }
}
