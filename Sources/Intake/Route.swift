import HTTP
import Messaging

/// The resources of the API. An id that is none is a resource that does not exist, after the key was looked at.
enum Route {
    case messages
    case message(MessageID?)
    case cancellation(MessageID?)
    case conversion(MessageID?)
    case applications
    case application(String?)
    case templates
    case template(String?)
    case verifications
    case verification(VerificationID?)
    case check(VerificationID?)
    case resending(VerificationID?)
    case search
    case unlocking
    case erasure
    case account
    case prices
    case topUps
    case optOuts
    case optOutRemoval
    case optOutSearch
    case rates
    case guardBlocks
    case guardBlock(Int64?)
    case guardRefusals
    case silence
    case webhooks
    case webhook(String?)
    case rotation(String?)
    case replay(String?)
    case events
    case event(EventID?)
    case eventReplay(EventID?)
    case openAPI
    case none

    init(_ path: String) {
        let pieces = path.split(separator: "/", omittingEmptySubsequences: false)
        if path.hasPrefix("/v1/"), pieces.count > 2 {
            self = Self.resource(pieces[2], pieces.dropFirst(3))
        } else {
            self = path == "/openapi.json" ? .openAPI : .none
        }
    }

    // MARK: - Private

    private static func resource(_ name: Substring, _ rest: ArraySlice<Substring>) -> Route {
        switch (name, rest.count) {
        case ("messages", 0): .messages
        case ("messages", 1): .message(MessageID(rest[3]))
        case ("messages", 2) where rest[4] == "cancel": .cancellation(MessageID(rest[3]))
        case ("messages", 2) where rest[4] == "conversion": .conversion(MessageID(rest[3]))
        case ("applications", 0): .applications
        case ("applications", 1): .application(Self.name(rest[3]))
        case ("templates", 0): .templates
        case ("templates", 1): .template(Self.name(rest[3]))
        case ("verifications", 0): .verifications
        case ("verifications", 1) where rest[3] == "search": .search
        case ("verifications", 1): .verification(VerificationID(rest[3]))
        case ("verifications", 2) where rest[4] == "check": .check(VerificationID(rest[3]))
        case ("verifications", 2) where rest[4] == "resend": .resending(VerificationID(rest[3]))
        case ("account", 0): .account
        case ("account", 1) where rest[3] == "prices": .prices
        case ("account", 1) where rest[3] == "top-ups": .topUps
        case ("recipients", 1) where rest[3] == "unlock": .unlocking
        case ("recipients", 1) where rest[3] == "erase": .erasure
        case ("opt-outs", 0): .optOuts
        case ("opt-outs", 1) where rest[3] == "remove": .optOutRemoval
        case ("opt-outs", 1) where rest[3] == "search": .optOutSearch
        case ("rates", 0): .rates
        case ("guard", 1) where rest[3] == "blocks": .guardBlocks
        case ("guard", 2) where rest[3] == "blocks": .guardBlock(Int64(rest[4]))
        case ("guard", 1) where rest[3] == "refusals": .guardRefusals
        case ("reports", 1) where rest[3] == "silent": .silence
        case ("webhooks", 0): .webhooks
        case ("webhooks", 1): .webhook(Self.name(rest[3]))
        case ("webhooks", 2) where rest[4] == "rotate": .rotation(Self.name(rest[3]))
        case ("webhooks", 2) where rest[4] == "replay": .replay(Self.name(rest[3]))
        case ("events", 0): .events
        case ("events", 1): .event(EventID(rest[3]))
        case ("events", 2) where rest[4] == "replay": .eventReplay(EventID(rest[3]))
        default: .none
        }
    }

    /// An id that a customer may have brought along; nil for what cannot be one.
    private static func name(_ piece: Substring) -> String? {
        guard let name = PercentEncoding.decode(String(piece)), !name.utf8.contains(0) else { return nil }
        return name
    }
}
