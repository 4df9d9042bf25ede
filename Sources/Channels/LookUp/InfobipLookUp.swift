import Crypto
public import HTTP
import JSON
public import Messaging

/// Infobip's number look-up (`POST /number/1/query`), which asks the number's own network.
///
/// Credential: `api_key`. No settings.
public struct InfobipLookUp: NumberDirectory {
    private let url: String
    private let authorization: Secret

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.url = reader.baseURL() + "/number/1/query"
        self.authorization = Secret("App \(reader.requiredCredential("api_key").text)")
        try reader.finish()
    }

    public func request(for number: PhoneNumber) -> OutgoingRequest {
        let body: JSON = ["to": [.string(String(number.digits))]]
        return OutgoingRequest(
            method: "POST", url: self.url,
            fields: [
                "Authorization": self.authorization.text, "Content-Type": "application/json",
                "Accept": "application/json",
            ],
            body: body.serialized())
    }

    public func facts(of number: PhoneNumber, in response: HTTPResponse) -> NumberFacts? {
        guard
            response.status == 200, let results = (try? JSON(parsing: response.body))?["results"]?.array,
            let result = results.first(where: { $0["to"]?.scalarText == String(number.digits) }),
            let group = result["status"]?["groupName"]?.string
        else { return nil }
        // A permanent error is the network's word that nobody has the number.
        let isDead = group == "UNDELIVERABLE" && result["error"]?["permanent"]?.bool == true
        let isReached = group == "DELIVERED"
        return NumberFacts(
            reachability: isDead ? .unreachable : isReached ? .reachable : .unknown,
            // Only mobile networks answer.
            lineType: isReached ? .mobile : .unknown, network: networkCode(result["mccMnc"]?.scalarText),
            isPorted: result["ported"]?.bool)
    }
}

/// The digits of a network, as in `22801`; nil for anything else.
func networkCode(_ text: String?) -> String? {
    guard let text, (5...6).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        return nil
    }
    return text
}
