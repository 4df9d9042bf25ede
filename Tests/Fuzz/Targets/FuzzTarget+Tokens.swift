import Crypto
import JSON

@testable import Channels

extension FuzzTarget {
    /// JSON Web Tokens: only one of ours is taken, whatever is tried; and what is minted in the input's words is taken until a bit of
    /// it changes.
    static let tokens = FuzzTarget(name: "tokens") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let secret = Secret(FuzzAccounts.secret)
        let all = Set(JSONWebToken.Algorithm.allCases)
        let found = JSONWebToken.claims(in: text, secret: secret, algorithms: all, now: Self.now)
        try promise("nobody guesses a signature", found == nil)
        try promise(
            "no algorithm is nobody's",
            JSONWebToken.claims(in: text, secret: secret, algorithms: [], now: Self.now) == nil)
        _ = JSONWebToken.unverifiedClaims(in: text)
        // The input as header and claims, parted by a line, under a right signature.
        let lines = bytes.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
        let signed = lines.map { Base64.encode(Array($0), .url) }.joined(separator: ".")
        let code = Digest.sha256.authenticate(Array(signed.utf8), key: secret)
        let token = "\(signed).\(Base64.encode(code, .url))"
        guard let claims = JSONWebToken.claims(in: token, secret: secret, algorithms: [.hs256], now: Self.now) else {
            return
        }
        try promise("claims are those that were signed", claims == (try? JSON(parsing: Array(lines[1]))))
        try promise("claims are an object", claims.members != nil)
        try promise(
            "another algorithm is refused",
            JSONWebToken.claims(in: token, secret: secret, algorithms: [.hs512], now: Self.now) == nil)
        try promise(
            "another secret is refused",
            JSONWebToken.claims(in: token, secret: Secret("x"), algorithms: [.hs256], now: Self.now) == nil)
        try promise(
            "a changed token is refused",
            JSONWebToken.claims(in: "e\(token)", secret: secret, algorithms: [.hs256], now: Self.now) == nil)
    }
}
