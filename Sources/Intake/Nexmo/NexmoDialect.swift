import HTTP
import JSON
import Messaging
import Store

/// Nexmo's 2FA API for US short codes and its Conversion API as its SDKs use them (dialects.md section 4), under `/sc` and
/// `/conversions`.
///
/// There is no code of ours in it: the caller sends its own PIN, and checks it itself. Requests are looked at in this order: the
/// parameters as such, the key, the path, the method, its scopes, each parameter, opt-outs, the way there.
struct NexmoDialect: Dialect {
    let access: DirectoryWatch<Access>
    let acceptor: Acceptor
    let lookUp: any NumberLookUp
    let optOuts: OptOuts
    let gate: Gate
    let conversions: Conversions

    /// Whether a path is this vendor's, known or not.
    static func owns(_ path: String) -> Bool { Self.isUnder("/sc", path) || Self.isConversion(path) }

    static func refusal(_ status: Int, path: String) -> HTTPResponse {
        guard !Self.isConversion(path) else { return NexmoConversionError(webServer: status).response }
        return NexmoAnswer(webServer: status).response(.init(path))
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        guard !Self.isConversion(request.path) else { return await self.convert(request) }
        let answer: NexmoAnswer
        do throws(NexmoAnswer) { answer = try await self.answer(request) } catch { answer = error }
        return answer.response(.init(request.path))
    }

    // MARK: - Private

    private static func isConversion(_ path: String) -> Bool { Self.isUnder("/conversions", path) }

    private static func isUnder(_ prefix: String, _ path: String) -> Bool {
        path == prefix || path.hasPrefix("\(prefix)/")
    }

    private func answer(_ request: HTTPRequest) async throws(NexmoAnswer) -> NexmoAnswer {
        guard let parameters = NexmoParameters(request) else {
            throw .refused(.invalid, "Invalid parameters: they cannot be read")
        }
        let caller: NexmoCaller
        do throws(NexmoCaller.Doubt) {
            caller = try NexmoCaller(
                request, parameters, window: NexmoCaller.signatureWindow, self.access.current)
        } catch {
            throw NexmoAnswer(error)
        }
        // The vendor's other campaigns have their paths under the same prefix.
        guard ["/sc/us/2fa/json", "/sc/us/2fa/xml"].contains(request.path) else {
            throw .refused(.notEnabled, "Facility Not Enabled: there is no such resource")
        }
        guard ["GET", "POST"].contains(request.method) else { throw .wrongMethod }
        guard caller.principal.scopes.contains(.send) else {
            throw .refused(.noCampaign, "Invalid Account for Campaign")
        }
        return try await self.send(parameters, for: caller)
    }
}
