import Channels
public import Crypto
import Guard
import HTTP
import JSON
public import Messaging
import PhoneNumbers
public import Routing
public import Store
public import Telemetry
import Timestamps

/// What a key or a vendor's credential may be used for.
public enum Scope: String, Sendable, Hashable, CaseIterable {
    /// Accept and cancel messages.
    case send
    /// Look at messages and verifications.
    case read
    /// Send codes, send them again and check them.
    case verify
    /// Make and change applications and templates.
    case manage
    /// Top the account up and set its prices: the operator's, so no key has it unless its configuration says so.
    case bill
    /// Look at what the guard has refused, make blocks and lift them: the operator's as ``bill``.
    case `guard`
}

/// Who makes a request.
public struct Principal: Sendable, Hashable {
    public var account: AccountID
    public var accountName: String
    public var scopes: Set<Scope>
    var expiresAt: Timestamp?
    /// The number of its key; nil of a vendor's credential.
    var apiKey: Int32?
}

/// Who may do what, which way messages go and what they cost: the API's view of the ``Directory``.
public struct Access: Sendable {
    private var principals: [[UInt8]: Principal] = [:]
    private var credentials: [CredentialName: Credential] = [:]
    private var vendorAccounts: [VendorCustomer: Set<String>] = [:]
    private let routes: RouteTable
    private let conditions: @Sendable () -> Conditions
    /// Of one segment.
    private var prices: [Place: Price] = [:]
    private var endpoints: [EndpointName: EndpointID] = [:]
    let accountsWithOptOuts: Set<AccountID>
    private var guardPolicies: [AccountID: GuardPolicy] = [:]

    /// Which messages a price is for.
    private struct Place: Hashable {
        var account: AccountID?
        var channel: Channel
        var prefix: String
    }

    /// Opens what is sealed, once for each revision. A credential that does not open is left out, and the log tells which:
    /// by its number, as its name may be a mail address.
    ///
    /// - `region`: see ``RouteTable/init(_:region:)``.
    /// - `conditions`: how the providers are now.
    public init(
        _ directory: Directory, masterKeys: MasterKeys, logger: Logger,
        region: @escaping @Sendable (PhoneNumber) -> String? = { Access.region(of: $0) },
        conditions: @escaping @Sendable () -> Conditions = { Conditions() }
    ) {
        self.accountsWithOptOuts = Set(directory.accountsWithOptOuts)
        self.routes = RouteTable(directory.routes, region: region)
        self.conditions = conditions
        for key in directory.keys {
            self.principals[key.digest] = Principal(
                account: key.account, accountName: key.accountName, scopes: Set(key.scopes.compactMap(Scope.init)),
                expiresAt: key.expiresAt, apiKey: key.id)
        }
        for stored in directory.credentials {
            guard let credential = Credential(stored, masterKeys: masterKeys) else {
                logger.error(
                    "a vendor's credential does not open with this master key and is refused",
                    [
                        "account": stored.accountName, "vendor": stored.vendor.rawValue, "credential": Int(stored.id),
                    ])
                continue
            }
            self.credentials[CredentialName(vendor: stored.vendor, name: stored.name)] = credential
            guard let account = credential.vendorAccount else { continue }
            let customer = VendorCustomer(vendor: stored.vendor, account: stored.account)
            self.vendorAccounts[customer, default: []].insert(account)
        }
        for price in directory.prices {
            self.prices[Place(account: price.account, channel: price.channel, prefix: price.prefix)] = price.price
        }
        for (account, text) in directory.guardPolicies {
            var reader = FieldReader()
            self.guardPolicies[account] = GuardPolicy(
                (try? JSON(parsing: Array(text.utf8))) ?? [:], reader: &reader)
            guard !reader.problems.isEmpty else { continue }
            // Of a later version; what this one understands of it holds.
            logger.warning(
                "what an account's file says of its guard is not all understood", ["account": Int(account.rawValue)])
        }
        for endpoint in directory.endpoints {
            let name = EndpointName(account: endpoint.account, kind: endpoint.kind, publicID: endpoint.publicID)
            self.endpoints[name] = endpoint.id
        }
    }

    /// Whose key a request carries (RFC 6750 section 2.1).
    func principal(of request: HTTPRequest) throws(Problem) -> Principal {
        guard
            let field = request.fields["Authorization"], let space = field.firstIndex(of: " "),
            field[..<space].lowercased() == "bearer"
        else { throw .unauthorized }
        let key = field[field.index(after: space)...].drop { $0 == " " }
        guard let principal = self.principal(ofKey: String(key)) else { throw .unauthorized }
        return principal
    }

    /// Whose key this is, in whichever vendor's form a request carries it; nil when it is nobody's.
    ///
    /// Keys are found by their SHA-256: what an attacker could learn from the time of the look-up is about a digest
    /// that he cannot steer.
    func principal(ofKey text: String) -> Principal? {
        guard
            APIKey.isWellFormed(text), let principal = self.principals[APIKey.digest(text)],
            principal.expiresAt.map({ $0 > .now }) ?? true
        else { return nil }
        return principal
    }

    /// Whose name and password, or key and secret, these are in a vendor's API; nil when they are nobody's.
    ///
    /// Names are no secret, yet the time does not tell which exist: digests are compared, in constant time, for a name that
    /// nobody has too.
    func principal(vendor: Vendor, name: String, password: String) -> Principal? {
        let credential = self.credentials[CredentialName(vendor: vendor, name: name)]
        let given = Digest.sha256.hash(password.utf8)
        guard equalInConstantTime(given, credential?.digest ?? Self.nobodysDigest) else { return nil }
        return credential?.principal
    }

    /// What requests signed in a vendor's API are judged by, and whose they are; nil when nobody of this name signs.
    func signature(vendor: Vendor, name: String) -> (signature: VonageSignature, principal: Principal)? {
        guard
            let credential = self.credentials[CredentialName(vendor: vendor, name: name)],
            let signature = credential.signature
        else { return nil }
        return (signature, credential.principal)
    }

    /// What an account has settled of a vendor's credential; nil when it has nothing of this name.
    func setting(_ setting: String, vendor: Vendor, name: String) -> String? {
        self.credentials[CredentialName(vendor: vendor, name: name)]?.settings[setting]?.string
    }

    /// The endpoint of an account that is told of messages which came in by a vendor's API that names none: its first.
    func endpoint(kind: EndpointKind, account: AccountID) -> EndpointID? {
        self.endpoints.filter { $0.key.account == account && $0.key.kind == kind }.values
            .min { $0.rawValue < $1.rawValue }
    }

    /// The endpoint of an account that is told of messages which came in by a vendor's API.
    func endpoint(kind: EndpointKind, publicID: String, account: AccountID) -> EndpointID? {
        self.endpoints[EndpointName(account: account, kind: kind, publicID: publicID)]
    }

    /// The number of the vendor's account that this credential is for; nil when it says none.
    func vendorAccount(_ vendor: Vendor, name: String) -> String? {
        self.credentials[CredentialName(vendor: vendor, name: name)]?.vendorAccount
    }

    /// Those of all credentials of one account of ours.
    func vendorAccounts(_ vendor: Vendor, of account: AccountID) -> Set<String> {
        self.vendorAccounts[VendorCustomer(vendor: vendor, account: account)] ?? []
    }

    /// Where an account may send; nowhere when nothing is said of it.
    func guardPolicy(of account: AccountID) -> GuardPolicy { self.guardPolicies[account] ?? GuardPolicy() }

    private static let nobodysDigest = [UInt8](repeating: 0, count: Digest.sha256.byteCount)

    /// As libphonenumber has it, each time anew.
    public static func region(of number: PhoneNumber) -> String? { PhoneNumberFacts(e164: number.e164).region }

    /// Where a message goes first; nil when no route is for it.
    func way(for query: RouteQuery) -> Way? {
        guard let route = self.routes.route(for: query) else { return nil }
        return Way(provider: route.targets[self.beginning(of: route, query)].provider, mayBeSpoken: route.mayBeSpoken)
    }

    private func beginning(of route: Routing.Route, _ query: RouteQuery) -> Int {
        // Most routes have one, and then its condition does not matter.
        guard route.targets.count > 1 else { return 0 }
        var random = SystemRandomNumberGenerator()
        return route.begin(
            priority: query.priority, country: query.recipient.country, conditions: self.conditions(), now: .now,
            using: &random)
    }

    /// What one segment to a recipient costs; nil when there is no price for it. See ``Price/times(_:)``.
    func price(for recipient: Recipient, channel: Channel, account: AccountID) -> Price? {
        Self.nearest(in: self.prices, to: recipient, channel: channel, account: account)
    }

    /// The longest prefix wins, and among equals what is the account's own. Addresses have no prefixes.
    private static func nearest<Value>(
        in table: [Place: Value], to recipient: Recipient, channel: Channel, account: AccountID
    ) -> Value? {
        if table.isEmpty { return nil }
        var prefix: Substring = if case .phone(let number) = recipient { number.e164[...] } else { "" }
        while true {
            for owner in [account, nil] {
                let place = Place(account: owner, channel: channel, prefix: String(prefix))
                if let value = table[place] { return value }
            }
            guard !prefix.isEmpty else { return nil }
            // A lone "+" is no prefix.
            prefix = prefix.count == 2 ? "" : prefix.dropLast()
        }
    }
}

/// The first step of a message's way.
struct Way: Sendable, Hashable {
    var provider: ProviderID
    /// Whether a short message may become a call, there or further on.
    var mayBeSpoken: Bool
}

extension Routing.Route {
    fileprivate var mayBeSpoken: Bool { self.channel == .sms && self.targets.contains { $0.channel == .voice } }
}

private struct EndpointName: Hashable {
    var account: AccountID
    var kind: EndpointKind
    var publicID: String
}

private struct CredentialName: Hashable {
    var vendor: Vendor
    var name: String
}

private struct VendorCustomer: Hashable {
    var vendor: Vendor
    var account: AccountID
}

/// An opened credential.
private struct Credential {
    var principal: Principal
    /// SHA-256 of the password, so that comparing takes the same time whatever its length.
    var digest: [UInt8]
    /// Of a vendor whose requests may be signed.
    var signature: VonageSignature?
    /// An object of texts.
    var settings: JSON
    /// What the vendor calls the customer's account, where it has a word for it.
    var vendorAccount: String?

    init?(_ stored: StoredCredential, masterKeys: MasterKeys) {
        let context = stored.vendor.sealingContext(of: stored.name)
        guard
            let plain = try? masterKeys.open(stored.secrets, for: context), let json = try? JSON(parsing: plain),
            let secret = (json["password"] ?? json["api_secret"])?.string
        else { return nil }
        self.principal = Principal(
            account: stored.account, accountName: stored.accountName,
            scopes: Set(stored.scopes.compactMap(Scope.init)), expiresAt: nil)
        self.digest = Digest.sha256.hash(secret.utf8)
        self.settings = (try? JSON(parsing: Array(stored.settings.utf8))) ?? [:]
        self.signature = json["signature_secret"]?.string.flatMap { [settings] secret in
            let method = settings["signature_method"]?.string.flatMap(VonageSignature.Method.init)
            return method.map { VonageSignature(secret: Secret(secret), method: $0) }
        }
        self.vendorAccount = self.settings["account"]?.string
    }
}
