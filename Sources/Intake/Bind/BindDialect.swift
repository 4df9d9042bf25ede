import HTTP
import JSON
import Messaging
import Store
import Verification

/// Bind's 2FA API (dialects.md section 1), under `/v1.0`, as the vendor has it today, and under `/api/v1.0`, as it had it
/// before.
///
/// Requests are looked at in this order: the key, the path, the method, the key's scopes, the JSON, its fields, what it names,
/// the number, limits. What is refused for its content is refused with 200, as the vendor does.
struct BindDialect: Dialect {
    let store: Store
    let access: DirectoryWatch<Access>
    let verifier: Verifier

    /// Whether a path is this vendor's, known or not.
    static func owns(_ path: String) -> Bool { Self.operation(path) != nil }

    static func refusal(_ status: Int, path: String) -> HTTPResponse {
        BindError(status, .general).response(to: "")
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        do throws(BindError) {
            return try await self.answer(request)
        } catch {
            return error.response(to: request.method)
        }
    }

    // MARK: - For the operations

    static func ok(_ json: JSON) -> HTTPResponse { Self.response(200, json) }

    static func response(_ status: Int, _ json: JSON) -> HTTPResponse {
        HTTPResponse(
            status: status, fields: ["Content-Type": "application/json", "Cache-Control": "no-store"],
            body: json.serialized())
    }

    /// What `read` makes of the object in a request's body, whatever its Content-Type says.
    static func reading<Value>(
        _ request: HTTPRequest, _ read: (JSON, inout FieldReader) -> Value?
    ) throws(BindError) -> Value {
        guard let json = try? JSON(parsing: request.body), json.members != nil else { throw .badRequest }
        var reader = FieldReader()
        guard let value = read(json, &reader), reader.problems.isEmpty else { throw .badRequest }
        return value
    }

    /// Runs something of the verifier's, whose refusals it says in the vendor's words.
    func verifying<Value>(_ body: () async throws(VerifierRefusal) -> Value) async throws(BindError) -> Value {
        do throws(VerifierRefusal) { return try await body() } catch { throw BindError(error) }
    }

    // MARK: - Private

    private static let prefixes = ["/v1.0", "/api/v1.0"]

    /// What follows the prefix; nil for a path of somebody else's.
    private static func operation(_ path: String) -> Substring? {
        for prefix in Self.prefixes where path.hasPrefix(prefix) {
            let rest = path.dropFirst(prefix.count)
            if rest.isEmpty || rest.hasPrefix("/") { return rest }
        }
        return nil
    }

    private func answer(_ request: HTTPRequest) async throws(BindError) -> HTTPResponse {
        let principal = try self.principal(of: request)
        switch Self.operation(request.path) {
        case "/2fa/request":
            guard request.method == "POST" else { throw .methodNotAllowed("POST") }
            return try await self.sendCode(request, try Self.account(of: principal, with: [.verify]))
        case "/2fa/validate":
            guard request.method == "POST" else { throw .methodNotAllowed("POST") }
            return try await self.checkCode(request, try Self.account(of: principal, with: [.verify]))
        case "/2fa/template":
            guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
            return try await self.listTemplates(try Self.account(of: principal, with: [.read, .verify]))
        default: throw .notFound
        }
    }

    /// A key that may not do this is, in the vendor's words, one whose product is switched off.
    private static func account(of principal: Principal, with scopes: Set<Scope>) throws(BindError) -> AccountID {
        guard !principal.scopes.isDisjoint(with: scopes) else { throw .productDisabled }
        return principal.account
    }

    /// Any API key in `X-API-KEY`; or in `Authorization`, where one page of the vendor's has it, alone or behind a scheme.
    private func principal(of request: HTTPRequest) throws(BindError) -> Principal {
        let key =
            request.fields["X-API-KEY"]
            ?? request.fields["Authorization"]?.split(separator: " ").last.map { String($0) }
        guard let key, let principal = self.access.current.principal(ofKey: key) else { throw .unauthorized }
        return principal
    }
}
