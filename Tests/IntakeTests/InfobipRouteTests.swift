import Messaging
import Testing

@testable import Intake

@Suite struct InfobipRouteTests {
    @Test func everyOperationHasAPathInBothVersions() {
        let routes: [(String, InfobipRoute)] = [
            ("applications", .applications), ("applications/A1", .application("A1")),
            ("applications/A%201", .application("A 1")), ("applications/A1/messages", .messages(application: "A1")),
            ("applications/A1/messages/M1", .message("M1", application: "A1")),
            ("applications/A1/email/messages", .emailMessages(application: "A1")),
            ("applications/A1/email/messages/M1", .emailMessage("M1", application: "A1")),
            ("applications/A1/verifications", .verifications(application: "A1")), ("pin", .pins(.sms)),
            ("pin/voice", .pins(.voice)), ("pin/email", .pins(.email)), ("pin/P1/resend", .resend(pin: "P1", .sms)),
            ("pin/P1/resend/voice", .resend(pin: "P1", .voice)), ("pin/P1/resend/email", .resend(pin: "P1", .email)),
            ("pin/P1/verify", .verify(pin: "P1")), ("pin/P1/status", .status(pin: "P1")),
        ]
        for (path, route) in routes {
            #expect(InfobipRoute("/2fa/2/\(path)") == route)
            #expect(InfobipRoute("/2fa/1/\(path)") == route)
        }
    }

    @Test func nothingElseIsARoute() {
        let paths = [
            "/2fa", "/2fa/", "/2fa/2", "/2fa/2/", "/2fa/3/applications", "/2fa/2/applications/",
            "/2fa/2/applications//",
            "/2fa/2/applications/A1/", "/2fa/2/applications//messages", "/2fa/2/applications/A1/email",
            "/2fa/2/applications/A1/messages/M1/x", "/2fa/2/applications/%00", "/2fa/2/applications/%zz",
            "/2fa/2/pin/P1", "/2fa/2/pin/P1/check", "/2fa/2/pin/P1/resend/fax", "/2fa/1/api-key", "/2fa/2/PIN",
        ]
        for path in paths { #expect(InfobipRoute(path) == nil, "\(path)") }
    }

    @Test func thePrefixIsTheVendorsWhole() {
        for path in ["/2fa", "/2fa/", "/2fa/9/x"] { #expect(InfobipDialect.owns(path)) }
        for path in ["/", "/2fax", "/v1/2fa"] { #expect(!InfobipDialect.owns(path)) }
    }
}
