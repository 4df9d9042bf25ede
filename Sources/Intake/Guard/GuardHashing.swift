import Crypto
import Guard
import Messaging

/// What numbers, addresses and devices stand as in the guard's tables: keyed hashes, so that a copy of the database tells nobody's.
struct GuardHashing: Sendable {
    private let masterKeys: MasterKeys
    /// Bytes of a hash that are kept.
    private static let byteCount = 16

    init(_ masterKeys: MasterKeys) { self.masterKeys = masterKeys }

    /// Of what is blocked: one for each master key, so that a block outlives the rotation that it was made before.
    func hashes(_ value: String) -> [String] {
        self.masterKeys.authenticate(Array(value.utf8), for: "guard block").map { Self.hexadecimal($0.code) }
    }

    /// Of what is counted, under the first key.
    func key(_ key: GuardKey) -> [UInt8] {
        let message = Array("\(key.account.rawValue)/\(key.kind.rawValue)/\(key.value)".utf8)
        return Array(self.masterKeys.authenticate(message, for: "guard count")[0].code.prefix(Self.byteCount))
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.prefix(Self.byteCount).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0\(digits)" : digits
        }.joined()
    }
}
