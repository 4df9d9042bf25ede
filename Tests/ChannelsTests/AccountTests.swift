import Channels
import Crypto
import Testing

@Suite struct AccountTests {
    static let vonageProblems: [(ProviderAccount, String)] = [
        (Sample.vonage([:]), "could forge"),
        (Sample.vonage(["api_key": "", "receipt_token": Sample.token]), "credential api_key is empty"),
        (Sample.vonage(["receipt_token": "short"]), "receipt_token is not 16 to 64"),
        (Sample.vonage(["receipt_token": "with/a/slash/0123456789"]), "receipt_token is not 16 to 64"),
        (Sample.vonage(["signature_secret": "s", "signature_method": "crc"]), "signature_method is not"),
        (Sample.vonage(["signature_secrets": "s", "receipt_token": Sample.token]), "signature_secrets is not known"),
        (Sample.vonage(settings: ["authentication": "none"]), "authentication is not secret or signature"),
        (Sample.vonage(settings: ["authentication": "signature"]), "signature_secret is missing"),
        (Sample.vonage(settings: ["receipt_window_seconds": "1"]), "receipt_window_seconds is not"),
        (Sample.vonage(settings: ["colour": "red"]), "setting colour is not known"),
        (Sample.vonage(receiptURL: "r.example"), "receipt URL is no http"),
        (Sample.vonage(receiptURL: "https://" + String(repeating: "r", count: 80)), "longer than 100"),
    ]

    static let infobipProblems: [(ProviderAccount, String)] = [
        (Sample.infobip([:]), "could forge"),
        (Sample.infobip(["receipt_username": "user"]), "go together"),
        (Sample.infobip(["receipt_header_name": "X-Key"]), "go together"),
        (Sample.infobip(["receipt_username": "a:b", "receipt_password": "p"]), "holds a colon"),
        (Sample.infobip(["api_key": "a\r\nX: b", "receipt_token": Sample.token]), "control characters"),
    ]

    static let carrierProblems: [(ProviderAccount, String)] = [
        (Sample.carrier([:]), "could forge"), (Sample.carrier(["api_key": ""]), "credential api_key is empty"),
        (Sample.carrier(settings: ["mail_sender": "Acme"]), "mail_sender is not an address"),
    ]

    @Test(arguments: vonageProblems + infobipProblems + carrierProblems)
    func aBadAccountIsRefused(_ account: ProviderAccount, _ problem: String) {
        let error = #expect(throws: ProviderProblems.self) { try Drivers.make(account) }
        #expect(error?.description.contains(problem) == true)
    }

    @Test(arguments: [
        "", "rest.nexmo.com", "https://", "https:///x", "ftp://x", "https://a b", "https://u:p@x", "https://x?y",
    ])
    func aBaseURLIsAbsolute(_ url: String) {
        var account = Sample.vonage()
        account.baseURL = url
        #expect(throws: ProviderProblems.self) { try Drivers.make(account) }
    }

    @Test func allProblemsAreToldAtOnceAndNoSecret() {
        var account = Sample.vonage(["api_key": "", "api_secret": "hunter2", "oops": "hunter2"])
        account.baseURL = "x"
        let error = #expect(throws: ProviderProblems.self) { try Drivers.make(account) }
        #expect(error?.problems.count == 4)
        #expect(error?.description.hasPrefix("provider v1: ") == true)
        #expect(error?.description.contains("hunter2") == false)
    }
}
