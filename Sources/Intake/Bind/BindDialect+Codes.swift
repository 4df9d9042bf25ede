import HTTP
import JSON
import Messaging
import PhoneNumbers
import Store
import Verification

// A code is sent, and what was typed is looked at.
extension BindDialect {
    func sendCode(_ request: HTTPRequest, _ account: AccountID) async throws(BindError) -> HTTPResponse {
        let fields = try Self.reading(request) { json, reader in Self.fields(json, &reader) }
        guard let number = Self.number(fields.to) else { throw .rejected(.addressInvalid) }
        let (code, reachability) = try await self.verifying { () async throws(VerifierRefusal) in
            let code = CodeRequest(
                application: try await self.verifier.catalogue.application(of: fields.template, account: account),
                template: fields.template, recipient: .phone(number), channel: .sms,
                placeholders: fields.placeholders, isSingleUse: true)
            return (code, try await self.verifier.reachability(for: code, of: account))
        }
        if case .unreachable = reachability { throw .rejected(Self.word(for: number)) }
        let sent = try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.send(code, for: account)
        }
        return Self.ok([
            "status": "ACCEPTED", "request_id": .string("\(sent.verification)"), "error_message": "OK",
        ])
    }

    /// Right and wrong are both 200 (dialects.md section 1.2); what has ended is as good as unknown.
    func checkCode(_ request: HTTPRequest, _ account: AccountID) async throws(BindError) -> HTTPResponse {
        // Read first: whether it is a code must not depend on whether the verification is there.
        let (code, text) = try Self.reading(request) { json, reader in Self.guess(json, &reader) }
        guard let id = VerificationID(text) else { return Self.verdict(404, "not_found") }
        let result = try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.check(code, of: id, for: account)
        }
        switch result {
        case .right: return Self.ok(["verified": true, "status": "success"])
        case .wrong: return Self.verdict(200, "not_matched")
        case .ended, .unknown: return Self.verdict(404, "not_found")
        case .limited(let wait): return Self.tooMany(wait)
        case .locked(let wait): return Self.tooMany(wait)
        // The verifier has asked until it was told something else.
        case .again, .keyless: throw .unavailable
        }
    }

    // MARK: - Private

    /// International digits, 9 to 15 of them, without a plus sign.
    private static func number(_ text: String) -> PhoneNumber? {
        (9...15).contains(text.utf8.count) ? PhoneNumber(canonical: "+\(text)") : nil
    }

    private static func fields(
        _ json: JSON, _ reader: inout FieldReader
    ) -> (to: String, template: String, placeholders: Placeholders)? {
        let to = reader.string(json, "to", required: true, at: "")
        let template = reader.string(json, "template_id", required: true, at: "")
        let placeholders = reader.bindParameters(json)
        guard let to, let template else { return nil }
        return (to, template, placeholders)
    }

    private static func guess(_ json: JSON, _ reader: inout FieldReader) -> (code: Code, id: String)? {
        let id = reader.string(json, "request_id", required: true, at: "")
        // Some write a code as the number that it looks like.
        let typed = json["code"].flatMap { $0.string ?? $0.integer.map { String($0) } }
        guard let id, let code = typed.flatMap({ Code(typed: $0) }) else { return nil }
        return (code, id)
    }

    private static func verdict(_ status: Int, _ word: String) -> HTTPResponse {
        Self.response(status, ["verified": false, "status": .string(word)])
    }

    private static func tooMany(_ wait: Duration?) -> HTTPResponse {
        var response = Self.verdict(429, "too_many_requests")
        if let seconds = wait?.secondsRoundedUp { response.fields["Retry-After"] = String(seconds) }
        return response
    }

    /// Why nobody can have a number.
    private static func word(for number: PhoneNumber) -> BindError.Word {
        switch PhoneNumberFacts(e164: number.e164).impossibility {
        case .tooShort, .tooLong, .invalidLength, .localOnly: .lengthInvalid
        // Nil: somebody else than the numbering plans says so.
        case .notANumber, .invalidCountryCode, nil: .prefixInvalid
        }
    }
}

extension FieldReader {
    /// The values of `parameters` by the names of our placeholders. What no mark can be called is passed over, as every name is
    /// that the template has no mark for.
    fileprivate mutating func bindParameters(_ json: JSON) -> Placeholders {
        guard let value = self.value(json, "parameters", at: "") else { return [:] }
        guard let members = value.members else {
            self.fail("/parameters", "must be an object, not \(value.kind)")
            return [:]
        }
        let known = members.compactMap { member in
            TextPattern.placeholder(ofBindParameter: member.name).map { JSON.Member($0, member.value) }
        }
        return self.placeholders(["placeholders": .object(known)]) ?? [:]
    }
}
