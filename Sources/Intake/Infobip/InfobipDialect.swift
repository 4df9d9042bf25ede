import HTTP
import JSON
import Messaging
import Postgres
import Store
import Telemetry
import Verification

/// Infobip's 2FA API as its SDKs use it (dialects.md section 2), under `/2fa/2` and, as it was called before, `/2fa/1`.
///
/// Every answer is one that those SDKs can read, the refusals too. Requests are looked at in this order: the key, its scopes,
/// the JSON, its fields, what it names, limits.
struct InfobipDialect: Dialect {
    let store: Store
    let access: DirectoryWatch<Access>
    let verifier: Verifier
    let logger: Logger

    /// How often a change is tried when others change the same at the same time.
    static let roundLimit = 20

    /// Whether a path is this vendor's, known or not.
    static func owns(_ path: String) -> Bool { path == "/2fa" || path.hasPrefix("/2fa/") }

    static func refusal(_ status: Int, path: String) -> HTTPResponse { InfobipError.refusal(status) }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        do throws(InfobipError) {
            let json = try await self.answer(request)
            return HTTPResponse(status: 200, fields: Self.fields, body: json.serialized())
        } catch {
            return error.response(to: request.method)
        }
    }

    // MARK: - For the operations

    /// The object in a request's body, whatever its Content-Type says.
    static func object(in request: HTTPRequest) throws(InfobipError) -> JSON {
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: request.body) } catch {
            throw .badRequest("The body is not JSON: \(error).")
        }
        guard json.members != nil else { throw .badRequest("The body must be an object, not \(json.kind).") }
        return json
    }

    /// What `read` makes of the fields; every problem that it notes is told.
    static func reading<Value>(_ read: (inout FieldReader) -> Value) throws(InfobipError) -> Value {
        var reader = FieldReader()
        let value = read(&reader)
        guard reader.problems.isEmpty else { throw .badRequest("Bad request", reader.problems) }
        return value
    }

    /// As ``Verifier/ask(changes:_:)``.
    func ask<Value>(
        changes: Bool = false, _ body: () async throws(PostgresError) -> Value
    ) async throws(InfobipError) -> Value {
        try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.ask(changes: changes, body)
        }
    }

    /// Runs something of the verifier's, whose refusals it says in the vendor's words.
    func verifying<Value>(
        _ body: () async throws(VerifierRefusal) -> Value
    ) async throws(InfobipError) -> Value {
        do throws(VerifierRefusal) { return try await body() } catch { throw InfobipError(error) }
    }

    // MARK: - Private

    private static let fields: HTTPFields = ["Content-Type": "application/json", "Cache-Control": "no-store"]

    private func answer(_ request: HTTPRequest) async throws(InfobipError) -> JSON {
        let principal = try self.principal(of: request)
        guard let route = InfobipRoute(request.path) else { throw .notFound }
        let method = request.method == "HEAD" ? "GET" : request.method
        guard let scopes = route.methods.first(where: { $0.key == method })?.value else {
            throw .methodNotAllowed(route.methods.map(\.key))
        }
        guard !principal.scopes.isDisjoint(with: scopes) else { throw .forbidden }
        return try await self.answer(request, route, isChange: method != "GET", for: principal.account)
    }

    private func answer(
        _ request: HTTPRequest, _ route: InfobipRoute, isChange: Bool, for account: AccountID
    ) async throws(InfobipError) -> JSON {
        switch route {
        case .applications:
            isChange ? try await self.createApplication(request, account) : try await self.listApplications(account)
        case .application(let id):
            isChange
                ? try await self.updateApplication(id, request, account) : try await self.showApplication(id, account)
        case .messages(let application):
            isChange
                ? try await self.createTemplate(.text, of: application, request, account)
                : try await self.listTemplates(of: application, account)
        case .message(let id, let application):
            isChange
                ? try await self.updateTemplate(id, .text, of: application, request, account)
                : try await self.showTemplate(id, of: application, account)
        case .emailMessages(let application):
            try await self.createTemplate(.email, of: application, request, account)
        case .emailMessage(let id, let application):
            try await self.updateTemplate(id, .email, of: application, request, account)
        case .verifications(let application): try await self.listVerifications(of: application, request, account)
        case .pins(let channel): try await self.sendPIN(by: channel, request, account)
        case .resend(let pin, let channel): try await self.resendPIN(pin, by: channel, request, account)
        case .verify(let pin): try await self.verifyPIN(pin, request, account)
        case .status(let pin): try await self.showStatus(of: pin, account)
        }
    }

    /// Any API key under each of the vendor's schemes (dialects.md section 2), or a user name and a password.
    private func principal(of request: HTTPRequest) throws(InfobipError) -> Principal {
        guard let field = request.fields["Authorization"], let space = field.firstIndex(of: " ") else {
            throw .unauthorized
        }
        let credentials = String(field[space...].drop { $0 == " " })
        let access = self.access.current
        let principal: Principal? =
            switch field[..<space].lowercased() {
            case "app", "bearer", "ibsso": access.principal(ofKey: credentials)
            case "basic":
                request.basicCredentials.flatMap {
                    access.principal(vendor: .infobip, name: $0.name, password: $0.password)
                }
            default: nil
            }
        guard let principal else { throw .unauthorized }
        return principal
    }
}
