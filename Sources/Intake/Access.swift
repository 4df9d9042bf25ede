import Crypto
import HTTP
public import Messaging
public import Store
import Timestamps

/// What a key may be used for.
public enum Scope: String, Sendable, Hashable, CaseIterable {
    /// Accept and cancel messages.
    case send
    /// Look at messages and verifications.
    case read
    /// Send codes, send them again and check them.
    case verify
    /// Make and change applications and templates.
    case manage
}

/// Who makes a request.
public struct Principal: Sendable, Hashable {
    public var account: AccountID
    public var accountName: String
    public var scopes: Set<Scope>
    var expiresAt: Timestamp?
}

/// Who may do what, and which way messages go: the API's view of the ``Directory``.
public struct Access: Sendable {
    private var principals: [[UInt8]: Principal] = [:]
    private var routes: [Place: ProviderID] = [:]

    private struct Place: Hashable {
        var account: AccountID?
        var channel: Channel
        var prefix: String
    }

    public init(_ directory: Directory) {
        for key in directory.keys {
            self.principals[key.digest] = Principal(
                account: key.account, accountName: key.accountName, scopes: Set(key.scopes.compactMap(Scope.init)),
                expiresAt: key.expiresAt)
        }
        for route in directory.routes {
            self.routes[Place(account: route.account, channel: route.channel, prefix: route.prefix)] = route.provider
        }
    }

    /// Whose key a request carries (RFC 6750 section 2.1).
    ///
    /// Keys are found by their SHA-256: what an attacker could learn from the time of the look-up is about a digest
    /// that he cannot steer.
    func principal(of request: HTTPRequest) throws(Problem) -> Principal {
        guard
            let field = request.fields["Authorization"], let space = field.firstIndex(of: " "),
            field[..<space].lowercased() == "bearer"
        else { throw .unauthorized }
        let key = field[field.index(after: space)...].drop { $0 == " " }
        guard let principal = self.principal(ofKey: String(key)) else { throw .unauthorized }
        return principal
    }

    /// Whose key this is; nil for one that is unknown or has expired.
    func principal(ofKey key: String) -> Principal? {
        guard APIKey.isWellFormed(key), let principal = self.principals[APIKey.digest(key)] else { return nil }
        return principal.expiresAt.map { $0 > .now } ?? true ? principal : nil
    }

    /// Whose user name and password these are in a vendor's API.
    func principal(vendor: Vendor, name: String, password: String) -> Principal? { nil }

    /// The provider for a recipient: the longest prefix wins, and among equals the account's own route. Addresses have no
    /// prefixes.
    func provider(for recipient: Recipient, channel: Channel, account: AccountID) -> ProviderID? {
        var prefix: Substring = if case .phone(let number) = recipient { number.e164[...] } else { "" }
        while true {
            for owner in [account, nil] {
                let place = Place(account: owner, channel: channel, prefix: String(prefix))
                if let provider = self.routes[place] { return provider }
            }
            guard !prefix.isEmpty else { return nil }
            // A lone "+" is no prefix.
            prefix = prefix.count == 2 ? "" : prefix.dropLast()
        }
    }
}
