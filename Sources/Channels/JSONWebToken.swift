import Crypto
import JSON
import Timestamps

/// JSON Web Tokens in their compact form (RFC 7519, RFC 7515), as far as providers use them: RS256 for what we ask of
/// them, HMAC for what they tell us.
enum JSONWebToken {
    /// What may stand in `alg` of a token that is verified. There is no `none`, and no public key that a stranger could
    /// pass off as a secret.
    enum Algorithm: String, Sendable, CaseIterable {
        case hs256 = "HS256"
        case hs384 = "HS384"
        case hs512 = "HS512"

        fileprivate var digest: Digest {
            switch self {
            case .hs256: .sha256
            case .hs384: .sha384
            case .hs512: .sha512
            }
        }
    }

    /// Bytes of a token that are read at all.
    static let byteLimit = 8192
    /// How far another's clock may be from ours.
    static let leeway = Duration.seconds(60)

    /// A token of these claims, signed with RS256.
    static func mint(_ claims: JSON, key: RSAPrivateKey) -> String {
        let header: JSON = ["alg": "RS256", "typ": "JWT"]
        let signed = [header, claims].map { Base64.encode($0.serialized(), .url) }.joined(separator: ".")
        return "\(signed).\(Base64.encode(key.signature(of: Array(signed.utf8)), .url))"
    }

    /// The claims of `token` before anything of it is proved: only for choosing the secret to prove it with.
    static func unverifiedClaims(in token: some StringProtocol) -> JSON? { Pieces(of: token)?.claims }

    /// The claims of `token`, when one of `algorithms` with `secret` signed it and `now` is neither before its `nbf` nor
    /// from its `exp` on, give or take `leeway`. A token that says no time is of any.
    static func claims(
        in token: some StringProtocol, secret: Secret, algorithms: Set<Algorithm>, now: Timestamp,
        leeway: Duration = Self.leeway
    ) -> JSON? {
        guard
            let pieces = Pieces(of: token), pieces.isSigned(with: secret, algorithms),
            Self.isTimely(pieces.claims, now: now, leeway: leeway)
        else { return nil }
        return pieces.claims
    }

    // MARK: - Private

    /// A time that is no number of seconds is as wrong as one that has passed.
    private static func isTimely(_ claims: JSON, now: Timestamp, leeway: Duration) -> Bool {
        if let end = claims["exp"] {
            guard let seconds = Self.seconds(end), (now - leeway).inSeconds < seconds else { return false }
        }
        if let start = claims["nbf"] {
            guard let seconds = Self.seconds(start), (now + leeway).inSeconds >= seconds else { return false }
        }
        return true
    }

    /// A NumericDate (RFC 7519 section 2), which may have a fraction.
    private static func seconds(_ json: JSON) -> Double? {
        switch json {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A token in its pieces, of which nothing is proved.
    private struct Pieces {
        let header: JSON
        let claims: JSON
        private let signed: [UInt8]
        private let signature: [UInt8]

        init?(of token: some StringProtocol) {
            guard token.utf8.count <= JSONWebToken.byteLimit else { return nil }
            let pieces = token.split(separator: ".", omittingEmptySubsequences: false)
            guard
                pieces.count == 3,
                let header = Self.object(pieces[0]), let claims = Self.object(pieces[1]),
                let signature = Base64.decode(pieces[2], .url)
            else { return nil }
            self.header = header
            self.claims = claims
            self.signed = Array("\(pieces[0]).\(pieces[1])".utf8)
            self.signature = signature
        }

        func isSigned(with secret: Secret, _ algorithms: Set<Algorithm>) -> Bool {
            // What must be understood and is not (RFC 7515 section 4.1.11) makes a token void.
            guard
                let algorithm = self.header["alg"]?.string.flatMap({ Algorithm(rawValue: $0) }),
                algorithms.contains(algorithm), self.header["crit"] == nil
            else { return false }
            let expected = algorithm.digest.authenticate(self.signed, key: secret)
            return equalInConstantTime(expected, self.signature)
        }

        private static func object(_ piece: some StringProtocol) -> JSON? {
            guard
                let bytes = Base64.decode(piece, .url), let json = try? JSON(parsing: bytes), json.members != nil
            else { return nil }
            return json
        }
    }
}

extension Timestamp {
    /// Seconds since 1970 with their fraction.
    fileprivate var inSeconds: Double { Double(self.microseconds) / 1e6 }
}
