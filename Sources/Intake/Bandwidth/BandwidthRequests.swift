import Egress
import JSON
import Messaging
import Verification

/// What a code is asked for with (dialects.md section 3.1).
struct BandwidthCodeRequest {
    var recipient: PhoneNumber
    var sender: String
    var application: String
    var scope: String
    var text: BandwidthText
    var digits: Int
    /// Of text messages only.
    var callback: CallbackURL?

    /// Nil when a problem was noted.
    init?(_ json: JSON, on channel: Channel, egress: EgressPolicy, reader: inout FieldReader) {
        let recipient = reader.bandwidthNumber(json, "to")
        let number = recipient.flatMap { PhoneNumber($0) }
        if recipient != nil, number == nil { reader.fail("/to", "must have 7 digits at least") }
        let sender = reader.bandwidthNumber(json, "from")
        let application = reader.string(json, "applicationId", characters: 1...50, required: true, at: "")
        let scope = reader.bandwidthScope(json)
        let text = reader.bandwidthText(json)
        let digits = reader.bandwidthDigits(json)
        let callback = channel == .sms ? reader.bandwidthCallback(json, egress) : nil
        guard reader.problems.isEmpty, let number, let sender, let application else { return nil }
        self.recipient = number
        self.sender = sender
        self.application = application
        self.scope = scope
        self.text = text
        self.digits = digits
        self.callback = callback
    }
}

/// What a code is looked at with (dialects.md section 3.2).
struct BandwidthVerifyRequest {
    /// In the vendor's form, which may be shorter than any number of ours; nobody got a code there.
    var recipient: String
    var scope: String
    var application: String?
    var code: Code
    /// Codes that are younger count.
    var age: Duration

    /// Nil when a problem was noted.
    init?(_ json: JSON, reader: inout FieldReader) {
        let recipient = reader.bandwidthNumber(json, "to")
        let scope = reader.bandwidthScope(json)
        let application = reader.string(json, "applicationId", characters: 1...50, at: "")
        let age = reader.bandwidthAge(json)
        let code = reader.bandwidthCode(json)
        guard reader.problems.isEmpty, let recipient, let code, let age else { return nil }
        self.recipient = recipient
        self.scope = scope
        self.application = application
        self.code = code
        self.age = age
    }
}

extension BandwidthCodeRequest: CustomStringConvertible, CustomReflectable {
    var description: String { "code for \(self.recipient)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

extension BandwidthVerifyRequest: CustomStringConvertible, CustomReflectable {
    var description: String { "guess" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

extension FieldReader {
    /// `^\+[1-9]\d{1,14}$`.
    fileprivate mutating func bandwidthNumber(_ json: JSON, _ name: String) -> String? {
        let expected = "in E.164: a plus sign, then 2 to 15 digits that do not begin with 0"
        return self.parsed(json, name, expected: expected, required: true, at: "") { text in
            let digits = text.utf8.dropFirst()
            let isNumber =
                text.utf8.first == UInt8(ascii: "+") && (2...15).contains(digits.count)
                && digits.first != UInt8(ascii: "0")
                && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return isNumber ? PhoneNumber(canonical: text)?.e164 ?? text : nil
        }
    }

    fileprivate mutating func bandwidthScope(_ json: JSON) -> String {
        self.string(json, "scope", characters: 0...25, at: "") ?? "2FA"
    }

    fileprivate mutating func bandwidthText(_ json: JSON) -> BandwidthText {
        guard let text = self.string(json, "message", characters: 0...2048, at: "") else { return .standard }
        let read = BandwidthText(text: text)
        if !read.hasCode { self.fail("/message", "must contain {CODE}") }
        return read
    }

    /// 6 where nobody says, as in the first of the vendor's versions.
    fileprivate mutating func bandwidthDigits(_ json: JSON) -> Int {
        guard let value = self.value(json, "digits", at: "") else { return CodeFormat.ownLength }
        let number: Int? =
            switch value {
            case .integer(let number): Int(number)
            case .number(let number): Int(exactly: number)
            default: nil
            }
        guard let number, (4...8).contains(number) else {
            self.fail("/digits", "must be an integer between 4 and 8")
            return CodeFormat.ownLength
        }
        return number
    }

    fileprivate mutating func bandwidthCallback(_ json: JSON, _ egress: EgressPolicy) -> CallbackURL? {
        guard let text = self.string(json, "callbackUrl", at: "") else { return nil }
        do throws(CallbackURLProblem) {
            return try CallbackURL(text, policy: egress)
        } catch {
            self.fail("/callbackUrl", "cannot be called: \(error)")
            return nil
        }
    }

    /// Minutes: more than none, and fifteen at most.
    fileprivate mutating func bandwidthAge(_ json: JSON) -> Duration? {
        let name = "expirationTimeInMinutes"
        guard let value = self.value(json, name, required: true, at: "") else { return nil }
        let minutes: Double? =
            switch value {
            case .integer(let number): Double(number)
            case .number(let number): number
            default: nil
            }
        guard let minutes, minutes > 0, minutes <= CodeScope.codeLifetime / .seconds(60) else {
            self.fail("/\(name)", "must be a number greater than 0 and not greater than 15")
            return nil
        }
        return .seconds(60) * minutes
    }

    /// Some write a code as the number that it looks like.
    fileprivate mutating func bandwidthCode(_ json: JSON) -> Code? {
        guard let value = self.value(json, "code", required: true, at: "") else { return nil }
        let text = value.string ?? value.integer.map { String($0) }
        guard let text, (4...8).contains(text.unicodeScalars.count), let code = Code(typed: text) else {
            self.fail("/code", "must be a string of 4 to 8 characters")
            return nil
        }
        return code
    }
}
