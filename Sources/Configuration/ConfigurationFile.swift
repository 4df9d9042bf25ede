public import Callbacks
public import Crypto
public import JSON
public import Messaging
public import Telling
public import Timestamps
public import Verification

/// What a file for `pinpost apply` says, checked as far as that can be done without the database.
///
///     {
///       "accounts":  [{"name": "acme", "keys": [{"name": "main", "scopes": ["send", "read"]}],
///                      "applications": [{"id": "login", "name": "Login", "time_to_live": "10m",
///                                        "templates": [{"id": "code", "text": "Your code is {{pin}}"}]}],
///                      "credentials": [{"vendor": "infobip", "username": "acme", "password": {"env": "PASSWORD"}}],
///                      "webhooks": [{"id": "main", "url": "https://example.com/pinpost"}]}],
///       "providers": [{"name": "vonage", "kind": "vonage-sms",
///                      "credentials": {"api_key": "abcd1234", "api_secret": {"env": "VONAGE_SECRET"}},
///                      "in_flight": 30, "per_second": 30}],
///       "routes":    [{"channel": "sms", "prefix": "+41", "provider": "vonage"},
///                     {"country": "US", "priority": "otp", "providers": ["vonage", "calls"]},
///                     {"policy": "weighted", "providers": [{"name": "vonage", "weight": 300, "max_weight": 500}, "other"]}],
///       "prices":    [{"channel": "sms", "prefix": "+41", "price": "0.05"}],
///       "look_up":   {"provider": "vonage", "max_age": 86400, "timeout_ms": 800},
///       "retention": {"messages": 90, "events": 30, "verifications": "keep"}
///     }
///
/// What the file does not name is left alone. Keys and credentials are revoked by `"revoked": true` and brought back only by an
/// explicit `false`, providers put out of service by `"enabled": false`, routes,
/// prices and webhooks taken away by `"remove": true`. What was paid in once is never paid in again: its `id` says so.
public struct ConfigurationFile: Sendable {
    public struct Account: Sendable {
        public var name: String
        /// ISO 4217. Nil: it stays as it is.
        public var currency: String?
        public var topUps: [TopUp]
        public var keys: [Key]
        public var credentials: [Credential]
        public var webhooks: [Webhook]
        public var applications: [Application]
        public var emailContents: [NumberedContent]
        /// The members `countries` and `guard` as they stand there, checked; what is not there stays as it is.
        public var guardFields: JSON
    }

    /// What is paid into an account, or, when it is negative, taken out.
    public struct TopUp: Sendable {
        public var id: String
        public var amount: Money
    }

    public struct Key: Sendable {
        public var name: String
        /// Nil: one is made, unless the account has one of this name.
        public var secret: Secret?
        public var scopes: [String]
        public var expiresAt: Timestamp?
        /// Nil: a key that is stored stays as it is, alive or revoked.
        public var isRevoked: Bool?
    }

    /// What a customer shows in a vendor's API: a user name with a password, or a key with a secret.
    public struct Credential: Sendable {
        public var vendor: Vendor
        public var name: String
        public var secrets: [String: Secret]
        public var settings: [String: String]
        public var scopes: [String]
        /// Nil: one that is stored stays as it is, alive or revoked.
        public var isRevoked: Bool?
    }

    /// Where a customer wants to be told of what happens.
    public struct Webhook: Sendable {
        /// At Nexmo the API key whose messages it is told of.
        public var id: String
        public var kind: EndpointKind
        public var fields: EndpointFields
        /// Of the kind `standard`. Nil: the stored one stays, and a new webhook gets one that is made.
        public var signingKey: CallbackSecrets.SigningKey?
        /// Of the other kinds.
        public var secrets: [String: Secret]
        public var settings: [String: String]
        public var isRemoved: Bool

        /// The field of a file that holds ``id``.
        static func idField(of kind: EndpointKind) -> String { kind == .nexmo ? "api_key" : "id" }
    }

    public struct Application: Sendable {
        public var id: String
        /// As the file has them: what they mean depends on what is stored, as what they do not name stays.
        public var fields: JSON
        public var templates: [Template]
    }

    public struct Template: Sendable {
        public var id: String
        public var kind: Verification.Template.Kind
        /// As those of an application.
        public var fields: JSON
    }

    /// The words of e-mails whose templates name the number.
    public struct NumberedContent: Sendable {
        public var number: Int64
        public var content: EmailContent
    }

    public struct Provider: Sendable {
        public var name: String
        public var kind: String
        public var url: String
        public var credentials: [String: Secret]
        public var settings: [String: String]
        public var sender: String?
        public var inFlight: Int32
        public var perSecond: Int32
        /// What `perSecond` counts; nil as is usual for its kind.
        public var rateUnit: RateUnit?
        public var timeout: Duration
        public var slowAfter: Duration
        public var receiptWindow: Duration?
        /// Lines over the built-in table of its kind's codes.
        public var codes: String
        public var isEnabled: Bool
    }

    public struct Route: Sendable {
        /// Which messages it is for.
        public var place: RoutePlace
        public var isWeighted: Bool
        public var silenceLimit: Duration?
        /// In the order of preference; empty only when it is to be removed.
        public var targets: [RouteTarget]
        public var isRemoved: Bool
    }

    /// Which messages a route is for; what is nil is any.
    public struct RoutePlace: Sendable, Hashable {
        public var account: String?
        public var channel: Channel
        public var prefix: String
        public var country: String?
        public var sender: String?
        public var priority: Priority?
    }

    /// One provider of a route.
    public struct RouteTarget: Sendable {
        public var provider: String
        public var weight: Int32
        public var bounds: ClosedRange<Int32>
        /// Where the file names the provider.
        public var path: String
    }

    public struct ListedPrice: Sendable {
        /// Nil: for every account.
        public var account: String?
        public var channel: Channel
        public var prefix: String
        /// Nil only when it is to be removed.
        public var price: Price?
        public var isRemoved: Bool
    }

    /// Whom to ask about numbers before codes are sent to them.
    public struct LookUp: Sendable {
        /// Whose address and credentials are used; nil with those of its own.
        public var provider: String?
        public var kind: String?
        public var url: String?
        public var credentials: [String: Secret]
        public var settings: [String: String]
        public var maxAge: Duration
        public var timeLimit: Duration
        public var isRemoved: Bool
    }

    public var accounts: [Account] = []
    public var providers: [Provider] = []
    public var routes: [Route] = []
    public var prices: [ListedPrice] = []
    /// Nil: it stays as it is.
    public var lookUp: LookUp?
    /// For how long each kind is kept; nil: it stays as it is.
    public var retention: KeptFor?

    /// For how many days what is over is kept; what the file does not name stays as it is.
    public struct KeptFor: Sendable, Hashable {
        public enum Period: Sendable, Hashable {
            case days(Int32)
            case forEver
        }

        public var messages: Period?
        public var events: Period?
        public var verifications: Period?
    }

    /// Lines of codes for one provider.
    static let codeLimit = 2000

    /// The scopes of a key that names none.
    public static let scopes = ["send", "read", "verify", "manage"]
    /// Those that a key may have. Whoever may bill, or steer the guard, is the operator: no key does unless it says so.
    public static let allScopes = Self.scopes + ["bill", "guard"]
}

/// All that is wrong with a configuration, each with its place. Never a value: it may be a secret.
public struct ConfigurationProblems: Error, Hashable, CustomStringConvertible {
    public var problems: [JSONProblem]

    public var description: String {
        let lines = self.problems.map { "  \($0.path.isEmpty ? "/" : $0.path): \($0.problem)" }
        return "nothing was changed, because the file has problems:\n" + lines.joined(separator: "\n")
    }
}
