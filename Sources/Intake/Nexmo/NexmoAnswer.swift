import Guard
import HTTP
import JSON

/// An answer about one message (dialects.md section 4.1). The HTTP status is 200 whatever it says, since `status` says it.
struct NexmoAnswer: Error {
    /// What `status` says.
    enum Status: Int {
        case accepted = 0
        case tooFast = 1
        case missing = 2
        case invalid = 3
        case badCredentials = 4
        case internalError = 5
        case unroutable = 6
        case outOfCredit = 9
        case tooLong = 12
        case badSignature = 14
        case notEnabled = 19
        case badNumber = 34
        case noCampaign = 101
        case optedOut = 102
    }

    /// What a path asks answers in.
    enum Format {
        case json, xml

        init(_ path: String) { self = path.hasSuffix("/xml") ? .xml : .json }
    }

    /// Of a member of a JSON answer and an element of one in XML, in the vendor's order.
    private struct Field {
        var name: String
        var element: String
        var value: String?
    }

    private var fields: [Field]
    private var allow: String?

    func response(_ format: Format) -> HTTPResponse {
        var fields: HTTPFields = ["Content-Type": "application/json", "Cache-Control": "no-store"]
        if let allow = self.allow { fields["Allow"] = allow }
        guard format == .xml else { return HTTPResponse(status: 200, fields: fields, body: self.json.serialized()) }
        fields["Content-Type"] = "application/xml"
        return HTTPResponse(status: 200, fields: fields, body: Array(self.xml.utf8))
    }

    // MARK: - Private

    /// Every value is a string.
    private var json: JSON {
        let members = self.fields.compactMap { field in field.value.map { JSON.Member(field.name, .string($0)) } }
        return ["message-count": "1", "messages": [.object(members)]]
    }

    private var xml: String {
        let elements = self.fields.compactMap { field in
            field.value.map { "<\(field.element)>\(Self.escaped($0))</\(field.element)>" }
        }
        return "<?xml version='1.0' encoding='UTF-8' ?><mt-submission-response><messages count='1'><message>"
            + elements.joined() + "</message></messages></mt-submission-response>"
    }

    /// XML 1.0 section 2.4. Control characters are refused where they are given.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&apos;"
            // Section 2.2: no document may hold them, in whatever form.
            case "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension NexmoAnswer {
    /// A message that is committed.
    struct Accepted {
        var id: String
        /// As it was given.
        var to: String
        var reference: String?
        var balance: String?
        var price: String?
        var network: String?
    }

    init(_ accepted: Accepted) {
        self.fields = [
            Field(name: "status", element: "status", value: "\(Status.accepted.rawValue)"),
            Field(name: "message-id", element: "messageId", value: accepted.id),
            Field(name: "to", element: "to", value: accepted.to),
            Field(name: "client-ref", element: "clientRef", value: accepted.reference),
            Field(name: "remaining-balance", element: "remainingBalance", value: accepted.balance),
            Field(name: "message-price", element: "messagePrice", value: accepted.price),
            Field(name: "network", element: "network", value: accepted.network),
        ]
    }

    /// `text` is for people, and never holds a value from the request.
    static func refused(_ status: Status, _ text: String) -> NexmoAnswer {
        NexmoAnswer(fields: [
            Field(name: "status", element: "status", value: "\(status.rawValue)"),
            Field(name: "error-text", element: "errorText", value: text),
        ])
    }

    static func missing(_ name: String) -> NexmoAnswer { .refused(.missing, "Missing \(name) param") }
    static func invalid(_ what: String) -> NexmoAnswer { .refused(.invalid, "Invalid parameter: \(what)") }

    static let wrongMethod: NexmoAnswer = {
        var answer = NexmoAnswer.refused(.invalid, "Invalid method: use GET or POST")
        answer.allow = "GET, POST"
        return answer
    }()

    /// PHP's SDK waits for as many milliseconds as stand in the brackets, and then sends again.
    static func tooFast(milliseconds: Int) -> NexmoAnswer {
        .refused(.tooFast, "Throughput Rate Exceeded - please wait [ \(milliseconds) ] and retry")
    }

    init(_ doubt: NexmoCaller.Doubt) {
        switch doubt {
        case .missing(let name): self = .refused(.missing, "Missing \(name)")
        case .wrongCredentials: self = .refused(.badCredentials, "Bad Credentials")
        case .wrongSignature: self = .refused(.badSignature, "Invalid Signature")
        }
    }

    init(_ problem: Problem) {
        switch problem {
        // Nothing was stored, so that whoever sends again sends once.
        case .busy: self = .tooFast(milliseconds: 1000)
        case .outcomeUnknown: self = .refused(.internalError, "Internal Error - the message may have been accepted")
        default:
            self =
                problem.code == "out_of_balance"
                ? .refused(.outOfCredit, "Quota Exceeded - rejected")
                : .refused(.internalError, "Internal Error - nothing was accepted")
        }
    }

    /// The vendor's word for all that is not to be sent is that it has no way there. It is never told to come back in so many
    /// milliseconds: its SDK would sit and wait for minutes.
    init(_ refusal: GuardRefusal) {
        self =
            switch refusal.reason {
            case .numberImpossible: .refused(.badNumber, "Invalid or Missing Msisdn Param")
            case .spendCap: .refused(.outOfCredit, "Quota Exceeded - rejected")
            default: .refused(.unroutable, "Unroutable message - rejected: \(refusal.reason.rawValue)")
            }
    }

    /// What the web server refuses before anybody reads the request.
    init(webServer status: Int) {
        switch status {
        case 413: self = .refused(.tooLong, "Too Long: the body is longer than this service takes")
        case 414, 431: self = .refused(.tooLong, "Too Long: the request's head is longer than this service takes")
        case 408: self = .refused(.internalError, "Internal Error - the request took too long to arrive")
        case 503: self = .refused(.internalError, "Internal Error - the message may have been accepted")
        case 500...599: self = .refused(.internalError, "Internal Error")
        default: self = .refused(.invalid, "Invalid request: it cannot be understood as HTTP")
        }
    }
}
