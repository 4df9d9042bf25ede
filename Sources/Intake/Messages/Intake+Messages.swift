import HTTP
import Messaging

extension Intake {
    func answerMessages(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch request.method {
        case "POST": try await self.accept(request, for: self.principal(of: request, with: .send))
        case "GET", "HEAD": try await self.list(request, for: self.principal(of: request, with: .read))
        default: throw .methodNotAllowed("GET, POST")
        }
    }

    func answerMessage(_ id: MessageID?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
        return try await self.show(id, for: self.principal(of: request, with: .read))
    }

    func answerCancellation(_ id: MessageID?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        return try await self.cancel(id, for: self.principal(of: request, with: .send))
    }
}
