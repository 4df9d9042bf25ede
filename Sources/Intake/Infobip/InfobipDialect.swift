import HTTP
import Store
import Telemetry

/// Infobip's 2FA API as its SDKs use it (dialects.md section 2), under `/2fa/2` and, as it was called before, `/2fa/1`.
struct InfobipDialect: Sendable {
    let store: Store
    let access: DirectoryWatch<Access>
    let verifier: Verifier
    let logger: Logger

    /// Whether a path is this vendor's, known or not.
    static func owns(_ path: String) -> Bool { path == "/2fa" || path.hasPrefix("/2fa/") }

    func respond(to request: HTTPRequest) async -> HTTPResponse { HTTPResponse(status: 404) }
}
