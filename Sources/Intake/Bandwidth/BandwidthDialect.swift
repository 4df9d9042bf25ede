import Crypto
import Egress
import HTTP
import JSON
import Messaging
import Postgres
import Store
import Telemetry

/// Bandwidth's multi-factor authentication API as its SDKs use it (dialects.md section 3), under `/api/v1`.
///
/// Every answer is one that those SDKs can read, the refusals too. Requests are looked at in this order: who asks and for which
/// account, the JSON, its fields, what it names, limits.
struct BandwidthDialect: Dialect {
    let store: Store
    let access: DirectoryWatch<Access>
    let verifier: ScopedVerifier
    let origins: CallbackOrigins
    /// Judges where customers want to be called.
    let egress: EgressPolicy
    let logger: Logger

    init(store: Store, access: DirectoryWatch<Access>, verifier: ScopedVerifier, egress: EgressPolicy, logger: Logger) {
        self.store = store
        self.access = access
        self.verifier = verifier
        self.origins = CallbackOrigins(store: store)
        self.egress = egress
        self.logger = logger
    }

    /// Whether a path is this vendor's, known or not. `/api/v1.0` is not.
    static func owns(_ path: String) -> Bool { path == "/api/v1" || path.hasPrefix("/api/v1/") }

    static func refusal(_ status: Int, path: String) -> HTTPResponse { BandwidthError.refusal(status) }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        do throws(BandwidthError) {
            let json = try await self.answer(request)
            return HTTPResponse(status: 200, fields: Self.fields, body: json.serialized())
        } catch {
            return error.response
        }
    }

    // MARK: - For the operations

    /// The object in a request's body, whatever its Content-Type says.
    static func object(in request: HTTPRequest) throws(BandwidthError) -> JSON {
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: request.body) } catch {
            throw .badRequest("The body is not JSON: \(error).")
        }
        guard json.members != nil else { throw .badRequest("The body must be an object, not \(json.kind).") }
        return json
    }

    /// What `read` makes of the fields; the first problem that it notes is told.
    static func reading<Value>(_ read: (inout FieldReader) -> Value?) throws(BandwidthError) -> Value {
        var reader = FieldReader()
        if let value = read(&reader) { return value }
        throw reader.problems.first.map { .badRequest(BandwidthError.sentence($0)) } ?? .general
    }

    /// Runs something of the verifier's, whose refusals it says in the vendor's words.
    func verifying<Value>(
        _ body: () async throws(VerifierRefusal) -> Value
    ) async throws(BandwidthError) -> Value {
        do throws(VerifierRefusal) { return try await body() } catch { throw BandwidthError(error) }
    }

    /// Runs a statement that a caller can repeat.
    func ask<Value>(_ body: () async throws(PostgresError) -> Value) async throws(BandwidthError) -> Value {
        try await self.verifying { () async throws(VerifierRefusal) in try await self.verifier.ask(body) }
    }

    // MARK: - Private

    private static let fields: HTTPFields = ["Content-Type": "application/json", "Cache-Control": "no-store"]

    /// Who asks, and the numbers of the vendor's accounts for which it may; nil for any.
    private typealias Caller = (principal: Principal, accounts: Set<String>?)

    private func answer(_ request: HTTPRequest) async throws(BandwidthError) -> JSON {
        let caller = try self.caller(of: request)
        guard let route = BandwidthRoute(request.path) else { throw .notFound }
        guard caller.accounts?.contains(route.account) ?? true, caller.principal.scopes.contains(.verify) else {
            throw .forbidden
        }
        guard request.method == "POST" else { throw .methodNotAllowed }
        switch route.operation {
        case .messaging:
            let message = try await self.sendCode(on: .sms, request, caller.principal)
            return ["messageId": .string(message.bandwidthText)]
        case .voice:
            let message = try await self.sendCode(on: .voice, request, caller.principal)
            return ["callId": .string(message.bandwidthCallText)]
        case .verify: return ["valid": .bool(try await self.verifyCode(request, caller.principal.account))]
        }
    }

    /// A user name and a password, or any API key. Where there is an Authorization and it is not good, the vendor's own tests
    /// want 403.
    private func caller(of request: HTTPRequest) throws(BandwidthError) -> Caller {
        guard let field = request.fields["Authorization"], !field.isEmpty else { throw .unauthorized }
        guard let caller = self.basic(request) ?? self.bearer(request) else { throw .forbidden }
        return caller
    }

    private func basic(_ request: HTTPRequest) -> Caller? {
        guard let (name, password) = request.basicCredentials else { return nil }
        let access = self.access.current
        guard let principal = access.principal(vendor: .bandwidth, name: name, password: password) else { return nil }
        return (principal, Set([access.vendorAccount(.bandwidth, name: name)].compactMap { $0 }))
    }

    private func bearer(_ request: HTTPRequest) -> Caller? {
        let access = self.access.current
        guard let principal = try? access.principal(of: request) else { return nil }
        let accounts = access.vendorAccounts(.bandwidth, of: principal.account)
        return (principal, accounts.isEmpty ? nil : accounts)
    }
}
