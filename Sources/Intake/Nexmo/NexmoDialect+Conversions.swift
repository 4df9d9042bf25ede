import HTTP
import JSON
import Messaging
import Store
import Timestamps

/// Whether a code was typed in (dialects.md section 4.4).
extension NexmoDialect {
    func convert(_ request: HTTPRequest) async -> HTTPResponse {
        do throws(NexmoConversionError) {
            try await self.report(request)
            return HTTPResponse(
                status: 200, fields: ["Content-Type": "text/plain", "Cache-Control": "no-store"], body: Array("OK".utf8)
            )
        } catch {
            return error.response
        }
    }

    // MARK: - Private

    private func report(_ request: HTTPRequest) async throws(NexmoConversionError) {
        guard let parameters = NexmoParameters(request) else { throw .invalid }
        let caller: NexmoCaller
        do throws(NexmoCaller.Doubt) {
            // When a report is signed, `timestamp` is the time of the conversion, so it says nothing of the signature's age.
            caller = try NexmoCaller(request, parameters, window: nil, self.access.current)
        } catch {
            throw .unauthorized
        }
        guard ["/conversions/sms", "/conversions/voice"].contains(request.path) else { throw .notFound }
        guard request.method == "POST" else { throw .wrongMethod }
        guard !caller.principal.scopes.isDisjoint(with: [.send, .verify]) else { throw .notEnabled }
        guard let report = try Self.report(parameters, of: caller.principal.account) else { return }
        do throws(Problem) {
            // Of a message that the account has not, too: whoever reports learns it too late to do anything about it.
            _ = try await self.conversions.report(report)
        } catch {
            throw .unavailable
        }
    }

    /// Nil for a message that cannot be one of ours.
    private static func report(
        _ parameters: NexmoParameters, of account: AccountID
    ) throws(NexmoConversionError) -> ConversionReport? {
        guard let id = parameters["message-id"], let delivered = parameters["delivered"] else { throw .missing }
        guard let converted = Self.flag(delivered) else { throw .invalid }
        var moment: Timestamp?
        if let text = parameters["timestamp"] {
            moment = Self.moment(text)
            guard moment != nil else { throw .invalid }
        }
        let message = MessageID(compactText: id) ?? MessageID(id) ?? MessageID(bandwidthCallText: id)
        return message.map { ConversionReport(message: $0, account: account, converted: converted, at: moment) }
    }

    private static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1": true
        case "false", "0": false
        default: nil
        }
    }

    /// To the end of the year 9999, the last that a date can name: PostgreSQL does not have every time, and refuses with it all
    /// that is stored at once.
    private static let seconds: Range<Int64> = 0..<253_402_300_800

    /// `yyyy-MM-dd HH:mm:ss` in UTC; with an offset, and in seconds since 1970, which is what signed requests carry otherwise.
    private static func moment(_ text: String) -> Timestamp? {
        if let seconds = Int64(text) { return Self.seconds.contains(seconds) ? Timestamp(seconds: seconds) : nil }
        return Timestamp("\(text)Z") ?? Timestamp(text)
    }
}

/// A refusal of the Conversion API, in the form that its SDKs look for a title in.
struct NexmoConversionError: Error {
    var status: Int
    var type: String
    var title: String
    var allow: String?

    init(_ status: Int, _ type: String, _ title: String) {
        self.status = status
        self.type = type
        self.title = title
    }

    var response: HTTPResponse {
        var fields: HTTPFields = ["Content-Type": "application/json", "Cache-Control": "no-store"]
        if let allow = self.allow { fields["Allow"] = allow }
        if self.status == 401 { fields["WWW-Authenticate"] = "Basic realm=\"Nexmo\"" }
        let json: JSON = ["type": .string(self.type), "error_title": .string(self.title)]
        return HTTPResponse(status: self.status, fields: fields, body: json.serialized())
    }

    static let unauthorized = NexmoConversionError(401, "UNAUTHORIZED", "Unauthorized")
    static let notEnabled = NexmoConversionError(402, "NOT_ENABLED", "Conversion is not enabled for this account")
    static let notFound = NexmoConversionError(404, "NOT_FOUND", "Not Found")
    static let invalid = NexmoConversionError(420, "INVALID_PARAMETERS", "Invalid parameters")
    static let missing = NexmoConversionError(423, "MISSING_PARAMETERS", "Missing parameters")
    static let unavailable = NexmoConversionError(503, "UNAVAILABLE", "Not stored for certain. Report it again")

    static let wrongMethod: NexmoConversionError = {
        var error = NexmoConversionError(405, "METHOD_NOT_ALLOWED", "Method Not Allowed")
        error.allow = "POST"
        return error
    }()

    /// What the web server refuses before anybody reads the request.
    init(webServer status: Int) {
        switch status {
        case 408: self.init(408, "TIMEOUT", "The request took too long to arrive")
        case 413: self.init(413, "TOO_LARGE", "The body is longer than this service takes")
        case 414, 431: self.init(status, "TOO_LARGE", "The request's head is longer than this service takes")
        case 503: self = .unavailable
        case 500...599: self.init(status, "ERROR", "Internal error")
        default: self.init(status, "BAD_REQUEST", "The request cannot be understood as HTTP")
        }
    }
}
