import Crypto
public import HTTP
import JSON
public import Messaging

/// Twilio's Lookup v2 (`GET /v2/PhoneNumbers/{number}`).
///
/// Credentials: `account_sid`, `auth_token`. Setting: `fields`, names with commas between: `line_type_intelligence` (the
/// default), `line_status`, `sms_pumping_risk`; each is paid for. Whether a number can exist is told for nothing.
public struct TwilioLookUp: NumberDirectory {
    private let url: String
    private let fields: [String]
    private let authorization: Secret

    private static let known: Set = ["line_type_intelligence", "line_status", "sms_pumping_risk"]

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.url = reader.baseURL() + "/v2/PhoneNumbers/"
        self.fields = reader.setting(
            "fields", default: ["line_type_intelligence"],
            expected: "some of \(Self.known.sorted().joined(separator: ", ")), with commas between"
        ) { text in
            let names = text.split(separator: ",").map(String.init)
            return names.allSatisfy(Self.known.contains) ? names : nil
        }
        let (user, token) = (reader.requiredCredential("account_sid"), reader.requiredCredential("auth_token"))
        self.authorization = Secret("Basic \(Base64.encode(Array("\(user.text):\(token.text)".utf8)))")
        try reader.finish()
    }

    public func request(for number: PhoneNumber) -> OutgoingRequest {
        let query = self.fields.isEmpty ? "" : "?Fields=\(self.fields.joined(separator: ","))"
        return OutgoingRequest(
            method: "GET", url: self.url + PercentEncoding.encode(number.e164) + query,
            fields: ["Authorization": self.authorization.text, "Accept": "application/json"], body: [])
    }

    public func facts(of number: PhoneNumber, in response: HTTPResponse) -> NumberFacts? {
        guard
            response.status == 200, let answer = try? JSON(parsing: response.body),
            let isValid = answer["valid"]?.bool, answer["phone_number"]?.string ?? number.e164 == number.e164
        else { return nil }
        let line = answer["line_type_intelligence"]
        let (country, network) = (line?["mobile_country_code"]?.scalarText, line?["mobile_network_code"]?.scalarText)
        return NumberFacts(
            reachability: isValid ? Self.reachability(answer["line_status"]?["status"]?.string) : .unreachable,
            lineType: line?["type"]?.string.map { Self.lineTypes[$0] ?? .other } ?? .unknown,
            network: networkCode((country ?? "") + (network ?? "")),
            risk: answer["sms_pumping_risk"]?["sms_pumping_risk_score"]?.integer.map { Int(min(max($0, 0), 100)) })
    }

    // MARK: - Private

    /// `unreachable` is a telephone that is off.
    private static func reachability(_ status: String?) -> NumberFacts.Reachability {
        switch status {
        case "active", "reachable": .reachable
        case "inactive": .unreachable
        default: .unknown
        }
    }

    private static let lineTypes: [String: NumberFacts.LineType] = [
        "mobile": .mobile, "landline": .landline, "fixedVoip": .voip, "nonFixedVoip": .voip, "tollFree": .tollFree,
        "premium": .premium, "sharedCost": .premium, "pager": .pager, "unknown": .unknown,
    ]
}
