import HTTP
import JSON
import Messaging
import Postgres
import Store
import Verification

// What can be sent.
extension BindDialect {
    /// Templates in the list; of an account that has more, the newest are not in it.
    static let templateLimit: Int32 = 1000

    func listTemplates(_ account: AccountID) async throws(BindError) -> HTTPResponse {
        let (applications, templates) = try await self.verifying { () async throws(VerifierRefusal) in
            try await self.verifier.ask { () async throws(PostgresError) in
                (
                    try await self.store.applications(of: account),
                    try await self.store.textTemplates(of: account, limit: Self.templateLimit)
                )
            }
        }
        let timesToLive = Dictionary(
            applications.map { ($0.publicID, $0.settings.timeToLive.duration) },
            uniquingKeysWith: { first, _ in first })
        // An application that is not there was made since.
        let offered = templates.compactMap { template in
            timesToLive[template.applicationPublicID].flatMap { Self.json(template, timeToLive: $0) }
        }
        return Self.ok(["data": .array(offered)])
    }

    // MARK: - Private

    /// Our templates have an id and no name beside it.
    private static func json(_ stored: StoredTemplate, timeToLive: Duration) -> JSON? {
        guard case .text(let template) = stored.template else { return nil }
        return [
            "id": .string(stored.publicID), "name": .string(stored.publicID), "from": .string(template.sender ?? ""),
            "text": .string(template.text.bindText), "ttl": .integer(timeToLive.secondsRoundedUp),
        ]
    }
}
