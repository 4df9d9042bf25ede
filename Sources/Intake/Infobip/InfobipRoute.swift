import HTTP
import Messaging

/// The operations' paths (dialects.md section 2.1), in either version. Ids are opaque.
enum InfobipRoute: Hashable {
    case applications
    case application(String)
    /// Those for SMS and voice are made here; those for e-mail are listed here too.
    case messages(application: String)
    case message(String, application: String)
    case emailMessages(application: String)
    case emailMessage(String, application: String)
    case verifications(application: String)
    case pins(Channel)
    case resend(pin: String, Channel)
    case verify(pin: String)
    /// Of version 1.
    case status(pin: String)

    /// Nil for a path that is none of them.
    init?(_ path: String) {
        let pieces = path.split(separator: "/", omittingEmptySubsequences: false)
        guard pieces.count > 3, pieces[1] == "2fa", ["1", "2"].contains(pieces[2]) else { return nil }
        let names = pieces.dropFirst(3).compactMap { PercentEncoding.decode(String($0)) }
        // PostgreSQL stores no NUL, so nothing is called by one.
        guard names.count == pieces.count - 3, !names.contains(where: { $0.isEmpty || $0.utf8.contains(0) }) else {
            return nil
        }
        switch names[0] {
        case "applications": self.init(application: names)
        case "pin": self.init(pin: names)
        default: return nil
        }
    }

    private init?(application names: [String]) {
        switch names.count {
        case 1: self = .applications
        case 2: self = .application(names[1])
        case 3 where names[2] == "messages": self = .messages(application: names[1])
        case 3 where names[2] == "verifications": self = .verifications(application: names[1])
        case 4 where names[2] == "messages": self = .message(names[3], application: names[1])
        case 4 where names[2...] == ["email", "messages"]: self = .emailMessages(application: names[1])
        case 5 where names[2...3] == ["email", "messages"]: self = .emailMessage(names[4], application: names[1])
        default: return nil
        }
    }

    private init?(pin names: [String]) {
        switch names.count {
        case 1: self = .pins(.sms)
        case 2 where names[1] == "voice": self = .pins(.voice)
        case 2 where names[1] == "email": self = .pins(.email)
        case 3 where names[2] == "resend": self = .resend(pin: names[1], .sms)
        case 3 where names[2] == "verify": self = .verify(pin: names[1])
        case 3 where names[2] == "status": self = .status(pin: names[1])
        case 4 where names[2...] == ["resend", "voice"]: self = .resend(pin: names[1], .voice)
        case 4 where names[2...] == ["resend", "email"]: self = .resend(pin: names[1], .email)
        default: return nil
        }
    }

    /// The methods that it understands, each with the scopes of which a key needs one.
    var methods: KeyValuePairs<String, Set<Scope>> {
        switch self {
        case .applications, .messages: ["GET": [.manage, .read], "POST": [.manage]]
        case .application, .message: ["GET": [.manage, .read], "PUT": [.manage]]
        case .emailMessages: ["POST": [.manage]]
        case .emailMessage: ["PUT": [.manage]]
        case .verifications, .status: ["GET": [.verify, .read]]
        case .pins, .resend, .verify: ["POST": [.verify]]
        }
    }
}
