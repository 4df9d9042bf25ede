import Crypto
import JSON
import Messaging
import Verification

/// What a resend needs: the code, and what its text was filled with. Sealed while the code lives, in clear nowhere.
struct SealedCode: Sendable {
    var code: Code
    var sender: String?
    var placeholders: Placeholders

    func sealed(for id: VerificationID, account: AccountID, keys: MasterKeys) -> [UInt8] {
        var members: [JSON.Member] = [.init("code", .string(self.code.text))]
        if let sender { members.append(.init("sender", .string(sender))) }
        if !self.placeholders.isEmpty {
            let values = self.placeholders.map { JSON.Member($0.key, .string($0.value)) }
            members.append(.init("placeholders", .object(values)))
        }
        return keys.seal(JSON.object(members).serialized(), for: Self.context(id, account))
    }

    /// Nil when it does not open: it was sealed under a key that is no longer given, or for another row.
    init?(opening sealed: [UInt8], for id: VerificationID, account: AccountID, keys: MasterKeys) {
        guard
            let plain = try? keys.open(sealed, for: Self.context(id, account)), let json = try? JSON(parsing: plain),
            let code = json["code"]?.string.flatMap(Code.init(typed:))
        else { return nil }
        self.code = code
        self.sender = json["sender"]?.string
        let values = json["placeholders"]?.members ?? []
        self.placeholders = Dictionary(values.map { ($0.name, $0.value.string ?? "") }) { $1 }
    }

    init(code: Code, sender: String?, placeholders: Placeholders) {
        self.code = code
        self.sender = sender
        self.placeholders = placeholders
    }

    private static func context(_ id: VerificationID, _ account: AccountID) -> String {
        "verification/\(account.rawValue)/\(id)/code"
    }
}

extension SealedCode: CustomStringConvertible, CustomReflectable {
    var description: String { "sealed code" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
