import Crypto

/// Ids of applications and templates: what vendors' ids look like, so that one will do for every API.
enum PublicID {
    /// 32 upper-case hexadecimal digits that nobody can foretell.
    static func make() -> String { Hex.encode(SystemRandom.bytes(16)).uppercased() }
}
