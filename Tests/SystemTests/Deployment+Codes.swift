import HTTP
import JSON
import WebClient

/// What a customer makes before it sends codes.
struct CodeSetup: Sendable {
    var application: String
    var textTemplate: String
    var mailTemplate: String

    /// Codes that are hit upon by chance nowhere: of 2.8 billion and more.
    static let codeLength = 8
}

/// A code that was sent, and what its recipient has read.
struct ReceivedCode: Sendable {
    /// The `pinId`.
    var id: String
    var recipient: String
    var code: String
}

// What tests ask of Infobip's API, which is as good as any to send codes by.
extension Deployment {
    /// Sends a request that must be answered with 200.
    func infobip(_ method: String, _ path: String, _ body: JSON) async throws -> JSON {
        let response = try await self.api(method, "/2fa/2\(path)", body: body)
        guard response.status == 200 else { throw Failure("\(method) \(path): \(response.status) \(response.text)") }
        return try response.json
    }

    /// An application with limits that nobody meets but those that `configuration` names, and a template for each kind of
    /// message. `text` may have a placeholder `{{word}}`.
    func makeCodeSetup(_ configuration: [String: JSON] = [:], text: String = "Code {{pin}}!") async throws -> CodeSetup
    {
        let wide: [String: JSON] = ["sendPinPerPhoneNumberLimit": "1000/1d", "verifyPinLimit": "100000/1s"]
        let settings = wide.merging(configuration) { $1 }.map { JSON.Member($0.key, $0.value) }
        let application = try await self.infobip(
            "POST", "/applications", ["name": "codes", "configuration": .object(settings)])
        let id = try Self.text(application, "applicationId")
        let length = JSON(CodeSetup.codeLength)
        let texts = try await self.infobip(
            "POST", "/applications/\(id)/messages",
            ["pinType": "ALPHANUMERIC", "pinLength": length, "messageText": .string(text)])
        let mails = try await self.infobip(
            "POST", "/applications/\(id)/email/messages",
            ["pinType": "ALPHANUMERIC", "pinLength": length, "emailTemplateId": 1])
        return CodeSetup(
            application: id, textTemplate: try Self.text(texts, "messageId"),
            mailTemplate: try Self.text(mails, "messageId"))
    }

    /// Sends a code and waits until its recipient has it. `path`: empty, `/voice` or `/email`.
    func sendCode(
        _ setup: CodeSetup, by path: String = "", to recipient: String, word: String? = nil
    ) async throws -> ReceivedCode {
        let template = path == "/email" ? setup.mailTemplate : setup.textTemplate
        let answer = try await self.infobip(
            "POST", "/pin\(path)",
            [
                "applicationId": .string(setup.application), "messageId": .string(template), "to": .string(recipient),
                "placeholders": word.map { ["word": .string($0)] } ?? .null,
            ])
        let id = try Self.text(answer, "pinId")
        let code = try await eventually("\(recipient) has a code") {
            try await self.inbox(of: recipient).last?["text"]?.string.flatMap(Self.code)
        }
        return ReceivedCode(id: id, recipient: recipient, code: code)
    }

    /// What the API answers to a guess.
    func guess(
        _ guess: String, at id: String, timeout: Duration = .seconds(30)
    ) async throws(WebClientError) -> HTTPResponse {
        try await self.api("POST", "/2fa/2/pin/\(id)/verify", body: ["pin": .string(guess)], timeout: timeout)
    }

    /// The code in a text; spoken, its characters are apart. Nil when there is none.
    static func code(in text: String) -> String? {
        let runs = text.replacing(", ", with: "").split { !$0.isASCII || !$0.isUppercase && !$0.isNumber }
        return runs.first { $0.count == CodeSetup.codeLength }.map(String.init)
    }

    private static func text(_ json: JSON, _ name: String) throws -> String {
        guard let text = json[name]?.string else { throw Failure("no \(name) in \(json)") }
        return text
    }
}
