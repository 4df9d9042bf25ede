/// Why a text is no URL that Pinpost would call. The description is for the customer who gave it: one sentence, in which
/// nothing of the URL stands.
public enum CallbackURLProblem: Error, Hashable, CaseIterable, CustomStringConvertible {
    case tooLong
    case notASCII
    case forbiddenCharacter
    case badPercentEncoding
    case notAbsolute
    case scheme
    case userInfo
    case fragment
    case port
    case zone
    case host
    case numericHost
    case trailingDot
    case unqualifiedHost
    case addressForbidden
    case needsTLS
    case portForbidden

    public var description: String {
        switch self {
        case .tooLong: "The URL is longer than \(CallbackURL.byteLimit) bytes."
        case .notASCII:
            "The URL has characters beyond ASCII; write the host in its xn-- form and percent-encode all else."
        case .forbiddenCharacter:
            "The URL has a character that must be percent-encoded, such as a space or a backslash."
        case .badPercentEncoding: "The URL has a % that is not followed by two hexadecimal digits."
        case .notAbsolute: "The URL is not absolute; it must begin with https:// and a host."
        case .scheme: "The URL must begin with https://."
        case .userInfo: "The URL must not hold a user or a password."
        case .fragment: "The URL must not have a fragment (#)."
        case .port: "The URL's port must be a number from 1 to 65535."
        case .zone: "The URL's host must not have a zone."
        case .host: "The URL's host is neither a name nor an address."
        case .numericHost: "An IPv4 address in a URL must be four decimal numbers without leading zeros."
        case .trailingDot: "The URL's host must not end in a dot."
        case .unqualifiedHost: "The URL's host must be a full name, with a domain."
        case .addressForbidden: "The URL's address may not be called; it must be public."
        case .needsTLS: "The URL must begin with https://, because its host is not on an allowed network."
        case .portForbidden: "The URL's port may not be called."
        }
    }
}
