import HTTP
import JSON
import Postgres
import Store
import Telemetry

// What the answers to all requests have in common.
extension Intake {
    static let fields: HTTPFields = ["Content-Type": "application/json", "Cache-Control": "no-store"]

    static func ok(_ json: JSON) -> HTTPResponse {
        HTTPResponse(status: 200, fields: self.fields, body: json.serialized())
    }

    static func created(_ json: JSON, at location: String) -> HTTPResponse {
        var fields = self.fields
        fields["Location"] = location
        return HTTPResponse(status: 201, fields: fields, body: json.serialized())
    }

    /// Whoever asks, when its key has any of `scopes`.
    func principal(of request: HTTPRequest, with scopes: Scope...) throws(Problem) -> Principal {
        let principal = try self.access.current.principal(of: request)
        guard !principal.scopes.isDisjoint(with: scopes) else { throw .missingScope(scopes) }
        return principal
    }

    /// Runs a statement that a caller can repeat; or one that `changes` more when it is repeated.
    func ask<Value>(
        changes: Bool = false, _ body: () async throws(PostgresError) -> Value
    ) async throws(Problem) -> Value {
        do throws(VerifierRefusal) {
            return try await self.verifier.ask(changes: changes, body)
        } catch {
            guard case .outcomeUnknown = error else { throw .unavailable }
            throw .effectUnknown
        }
    }
}
