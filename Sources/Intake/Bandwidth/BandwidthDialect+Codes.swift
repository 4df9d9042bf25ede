import Egress
import HTTP
import JSON
import Messaging
import Postgres
import Store
import Verification

/// The operations: a code is sent, and looked at.
extension BandwidthDialect {
    func sendCode(
        on channel: Channel, _ request: HTTPRequest, _ principal: Principal
    ) async throws(BandwidthError) -> MessageID {
        let json = try Self.object(in: request)
        let asked = try Self.reading {
            BandwidthCodeRequest(json, on: channel, egress: self.egress, reader: &$0)
        }
        let name = try await self.applicationName(asked.application, principal)
        let code = CodeFormat(length: asked.digits).makeCode()
        let content = try Self.content(asked, on: channel, code: code, name: name)
        let scoped = ScopedCodeRequest(
            scope: Self.scope(asked.scope, asked.recipient.e164, principal.account), application: asked.application,
            recipient: .phone(asked.recipient), sender: asked.sender, code: code, content: content,
            callback: try await self.callback(asked.callback, principal.account))
        return try await self.verifying { () async throws(VerifierRefusal) in try await self.verifier.send(scoped) }
    }

    /// Right and wrong are both 200, and a number that never got a code is wrong.
    func verifyCode(_ request: HTTPRequest, _ account: AccountID) async throws(BandwidthError) -> Bool {
        let json = try Self.object(in: request)
        let asked = try Self.reading { BandwidthVerifyRequest(json, reader: &$0) }
        let scope = Self.scope(asked.scope, asked.recipient, account)
        let result = try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.check(asked.code, in: scope, application: asked.application, age: asked.age)
        }
        switch result {
        case .right: return true
        case .wrong: return false
        case .locked(let wait): throw .locked(wait: wait)
        // The verifier has asked until it was told something else.
        case .again, .keyless: throw .general
        }
    }

    // MARK: - Private

    /// Characters of a call's words: the vendor's, with room for names in the places of marks.
    private static let speechCharacters = 4096

    private static func scope(_ name: String, _ recipient: String, _ account: AccountID) -> CodeScope {
        CodeScope(account: account, vendor: .bandwidth, recipient: recipient, name: name)
    }

    /// An account that has made no applications has all: the vendor's ids are of its own making, and a customer who comes over
    /// need not tell us of them. Then its own name stands for theirs.
    private func applicationName(_ id: String, _ principal: Principal) async throws(BandwidthError) -> String {
        let account = principal.account
        let application = try await self.ask { () async throws(PostgresError) in
            try await self.store.application(id, of: account)
        }
        if let application {
            guard application.settings.isEnabled else { throw .badRequest("applicationId is disabled") }
            return application.settings.name
        }
        let hasOthers = try await self.ask { () async throws(PostgresError) in
            try await self.store.hasApplications(account)
        }
        guard !hasOthers else { throw .badRequest("applicationId is unknown") }
        return principal.accountName
    }

    private static func content(
        _ asked: BandwidthCodeRequest, on channel: Channel, code: Code, name: String
    ) throws(BandwidthError) -> Content {
        guard channel == .sms else {
            let text = asked.text.rendered(code: SpokenText.apart(code.text), name: name, scope: asked.scope)
            guard text.unicodeScalars.count <= Self.speechCharacters else {
                throw .badRequest("message becomes longer than \(Self.speechCharacters) characters")
            }
            return .speech(Speech(text))
        }
        let text = asked.text.rendered(code: code.text, name: name, scope: asked.scope)
        let segments = Segments(of: text).count
        guard segments <= MessageLimits.segments else {
            throw .badRequest(
                "message becomes \(segments) segments long; at most \(MessageLimits.segments) can be sent")
        }
        return .text(TextContent(text))
    }

    private func callback(
        _ callback: CallbackURL?, _ account: AccountID
    ) async throws(BandwidthError) -> Callback? {
        guard let callback else { return nil }
        let endpoint = try await self.ask { () async throws(PostgresError) in
            try await self.origins.endpoint(at: callback.origin, of: account)
        }
        guard let endpoint else {
            throw .badRequest(
                "callbackUrl is of one host too many: an account has \(Store.callbackOriginLimit) at most")
        }
        return Callback(endpoint: endpoint, url: callback.text)
    }
}
