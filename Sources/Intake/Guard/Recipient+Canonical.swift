import Messaging
import PhoneNumbers

// One person has one number, however it is written: before any limit counts, and before a code is looked for by its number. What is
// no plus sign and digits is none in the first place.
extension PhoneNumber {
    /// As ``init(_:)``, without a national prefix after the country code: +44 0 7400… is +44 7400….
    init?(canonical text: some StringProtocol) {
        guard let number = PhoneNumber(String(text)) else { return nil }
        self = PhoneNumber(PhoneNumberRanges.shared.canonical(number.e164)) ?? number
    }
}

extension Recipient {
    init?(canonical text: String, channel: Channel) {
        guard channel != .email else {
            self.init(text, channel: channel)
            return
        }
        guard let number = PhoneNumber(canonical: text) else { return nil }
        self = .phone(number)
    }
}
