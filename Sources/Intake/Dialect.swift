import HTTP

/// A vendor's API as its SDKs use it. Every answer under its paths is its own, the refusals too.
protocol Dialect: Sendable {
    /// Whether a path is this vendor's, known or not.
    static func owns(_ path: String) -> Bool

    /// What the web server refuses before anybody reads the request.
    static func refusal(_ status: Int, path: String) -> HTTPResponse

    func respond(to request: HTTPRequest) async -> HTTPResponse
}
