public import HTTP
public import Messaging

/// Somebody who knows numbers, as pure functions: what to ask, and what the answer says.
public protocol NumberDirectory: Sendable {
    init(_ account: ProviderAccount) throws(ProviderProblems)

    func request(for number: PhoneNumber) -> OutgoingRequest

    /// Nil when the answer says nothing: a refusal, garbage, another number.
    func facts(of number: PhoneNumber, in response: HTTPResponse) -> NumberFacts?
}

/// Whose look-up is asked; the raw values are what an operator writes.
public enum LookUpKind: String, Sendable, Hashable, CaseIterable {
    case infobip, vonage, twilio

    /// Of the providers of a kind whose account can be asked; nil for others.
    public init?(providerKind: String) {
        self.init(rawValue: String(providerKind.prefix { $0 != "-" }))
    }

    /// Where it answers, when that is the same for everybody.
    public var defaultBaseURL: String? {
        switch self {
        // Each of its accounts has a host of its own.
        case .infobip: nil
        case .vonage: "https://api.nexmo.com"
        case .twilio: "https://lookups.twilio.com"
        }
    }

    /// Those that a provider's account has and that are of use here.
    public var credentialNames: Set<String> {
        switch self {
        case .infobip: ["api_key"]
        case .vonage: ["api_key", "api_secret"]
        case .twilio: ["account_sid", "auth_token"]
        }
    }

    /// The directory for an account, which it has checked; the account's own kind is not looked at.
    public func make(_ account: ProviderAccount) throws(ProviderProblems) -> any NumberDirectory {
        switch self {
        case .infobip: try InfobipLookUp(account)
        case .vonage: try VonageLookUp(account)
        case .twilio: try TwilioLookUp(account)
        }
    }
}
