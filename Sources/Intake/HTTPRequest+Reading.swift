import Crypto
import HTTP
import JSON

extension HTTPRequest {
    var json: JSON {
        get throws(Problem) {
            do throws(JSONError) {
                return try JSON(parsing: self.body)
            } catch {
                throw Problem(400, "invalid_json", "The body is not JSON: \(error).")
            }
        }
    }

    /// The parameters of the query.
    var parameters: Form {
        get throws(Problem) {
            guard let form = Form(parsing: self.query ?? "") else {
                throw Problem(400, "invalid_query", "The query is not percent-encoded UTF-8.")
            }
            return form
        }
    }

    /// The user name and the password of Basic authentication (RFC 7617 section 2); nil for another scheme, or none. The name
    /// ends at the first colon.
    var basicCredentials: (name: String, password: String)? {
        guard
            let field = self.fields["Authorization"], let space = field.firstIndex(of: " "),
            field[..<space].lowercased() == "basic",
            let text = Base64.decode(String(field[space...].drop { $0 == " " }))
                .flatMap({ String(validating: $0, as: UTF8.self) }),
            let colon = text.firstIndex(of: ":")
        else { return nil }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    /// Characters of an `Idempotency-Key`.
    private static let keyCharacters = 1...255

    var idempotencyKey: String? {
        get throws(Problem) {
            let keys = self.fields.values("Idempotency-Key")
            guard let key = keys.first else { return nil }
            guard
                keys.count == 1, Self.keyCharacters.contains(key.utf8.count),
                key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else {
                throw .invalid([
                    .init(
                        "Idempotency-Key",
                        "must be given once and have 1 to 255 printable ASCII characters without spaces")
                ])
            }
            return key
        }
    }
}
