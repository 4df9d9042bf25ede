import Crypto
import HTTP
import JSON
import WebClient

extension Contract {
    /// The pieces of a path between its slashes, decoded.
    func pieces(of request: HTTPRequest) -> [String] {
        request.path.split(separator: "/").map { PercentEncoding.decode(String($0)) ?? "" }
    }

    func isBasic(_ request: HTTPRequest) -> Bool {
        guard let given = request.fields["Authorization"].flatMap({ basicCredentials($0) }) else { return false }
        return given.user == self.account.user && Secret(given.password) == self.account.secret
    }

    func isAuthorized(_ request: HTTPRequest, word: String) -> Bool {
        guard let text = request.fields["Authorization"], text.hasPrefix("\(word) ") else { return false }
        return Secret(String(text.dropFirst(word.utf8.count + 1))) == self.account.secret
    }

    func json(_ request: HTTPRequest) throws(ContractRefusal) -> JSON {
        guard let json = try? JSON(parsing: request.body), json.members != nil else { throw .invalid("body") }
        return json
    }

    /// With its plus sign, from text that has one or must not have one.
    func number(_ text: String?, withPlus: Bool) throws(ContractRefusal) -> String {
        guard let text else { throw .invalidRecipient }
        let digits = withPlus ? String(text.dropFirst()) : text
        guard !withPlus || text.hasPrefix("+"), isRecipient(digits) else { throw .invalidRecipient }
        return "+\(digits)"
    }

    func required(_ text: String?, _ name: String) throws(ContractRefusal) -> String {
        guard let text, !text.isEmpty else { throw .invalid(name) }
        return text
    }

    func webAddress(_ text: String?, _ name: String) throws(ContractRefusal) -> String? {
        if let text, !isWebAddress(text) { throw .invalid(name) }
        return text
    }

    /// The value of `message` in the query of an address: by it our own side names what it sends.
    func reference(in url: String?) -> String? {
        guard let query = url?.split(separator: "?", maxSplits: 1).dropFirst().first?.prefix(while: { $0 != "#" })
        else {
            return nil
        }
        return Form(parsing: String(query))?["message"]
    }

    /// As Basic authentication with the account's words for receipts; none when it has no user.
    func receiptFields(_ type: String) -> HTTPFields {
        var fields: HTTPFields = ["Content-Type": type]
        if !self.account.receiptUser.isEmpty {
            let text = Array("\(self.account.receiptUser):".utf8) + self.account.receiptPassword.reveal()
            fields["Authorization"] = "Basic \(Base64.encode(text))"
        }
        return fields
    }
}

extension HTTPResponse {
    func with(_ name: String, _ value: String?) -> HTTPResponse {
        var response = self
        if let value { response.fields[name] = value }
        return response
    }
}
