import Egress
import Guard
import JSON

extension FieldReader {
    /// Characters of the customer's name for a device.
    static let deviceCharacters = 1...128

    /// Whose user it is about, as far as the customer says.
    mutating func caller(_ json: JSON, at path: String = "") -> GuardCaller {
        guard let value = self.value(json, "caller", at: path) else { return GuardCaller() }
        let path = "\(path)/caller"
        guard self.isObject(value, known: ["address", "device"], at: path) else { return GuardCaller() }
        let address = self.parsed(value, "address", expected: "an IPv4 or IPv6 address", at: path) { text in
            NetworkAddress(text).map { "\($0.household)" }
        }
        let device = self.string(value, "device", characters: Self.deviceCharacters, at: path)
        return GuardCaller(address: address, device: device)
    }
}
