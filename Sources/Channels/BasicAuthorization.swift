import Crypto

/// `Authorization: Basic` (RFC 7617) with a user's name and password; whole, with the word before it.
func basicAuthorization(_ user: Secret, _ password: Secret) -> Secret {
    Secret("Basic \(Base64.encode(user.reveal() + [UInt8(ascii: ":")] + password.reveal()))")
}
