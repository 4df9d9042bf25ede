import Crypto
public import HTTP
import JSON
public import Messaging

/// Vonage's Number Insight (`/ni/basic|standard|advanced/json`).
///
/// Credentials: `api_key`, `api_secret`. Setting: `level`, `basic` (what can be told from the number alone), `standard` (its
/// network; the default) or `advanced` (whether it is reached). Each costs more than the one before.
public struct VonageLookUp: NumberDirectory {
    private enum Level: String { case basic, standard, advanced }

    private let url: String
    private let authorization: Secret

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        let level = reader.setting("level", default: Level.standard, expected: "basic, standard or advanced") {
            Level(rawValue: $0)
        }
        self.url = "\(reader.baseURL())/ni/\(level.rawValue)/json"
        let (key, secret) = (reader.requiredCredential("api_key"), reader.requiredCredential("api_secret"))
        self.authorization = Secret("Basic \(Base64.encode(Array("\(key.text):\(secret.text)".utf8)))")
        try reader.finish()
    }

    /// The number travels in the body, and neither it nor the secret in an address.
    public func request(for number: PhoneNumber) -> OutgoingRequest {
        OutgoingRequest(
            method: "POST", url: self.url,
            fields: [
                "Authorization": self.authorization.text, "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            ],
            body: Array("number=\(number.digits)".utf8))
    }

    public func facts(of number: PhoneNumber, in response: HTTPResponse) -> NumberFacts? {
        guard
            response.status == 200, let answer = try? JSON(parsing: response.body),
            answer["status"]?.scalarText == "0",
            answer["international_format_number"]?.scalarText == String(number.digits)
        else { return nil }
        let carrier = answer["current_carrier"]
        return NumberFacts(
            reachability: Self.reachability(answer),
            lineType: Self.lineTypes[carrier?["network_type"]?.string ?? ""] ?? .unknown,
            network: networkCode(carrier?["network_code"]?.scalarText),
            isPorted: Self.isPorted(answer["ported"]?.string))
    }

    // MARK: - Private

    /// A telephone that is off (`absent`) is reached later.
    private static func reachability(_ answer: JSON) -> NumberFacts.Reachability {
        if answer["valid_number"]?.string == "not_valid" { return .unreachable }
        return switch answer["reachable"]?.string {
        case "reachable": .reachable
        case "undeliverable", "bad_number", "blacklisted": .unreachable
        default: .unknown
        }
    }

    private static func isPorted(_ word: String?) -> Bool? {
        switch word {
        case "ported", "assumed_ported": true
        case "not_ported", "assumed_not_ported": false
        default: nil
        }
    }

    private static let lineTypes: [String: NumberFacts.LineType] = [
        "mobile": .mobile, "landline": .landline, "landline_premium": .premium, "landline_tollfree": .tollFree,
        "virtual": .voip, "pager": .pager,
    ]
}
