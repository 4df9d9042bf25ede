import Callbacks
import Crypto
import HTTP
import JSON
import Messaging
import Postgres
import Store

/// An endpoint that a test gives an account.
struct Webhook: Sendable {
    var name = "main"
    var account = "demo"
    var kind = EndpointKind.standard
    var url: String
    var secrets = CallbackSecrets()
    var settings: JSON = [:]
}

// What tests of events need.
extension Deployment {
    /// Lets workers call endpoints on this machine.
    static let callableHere = ["PINPOST_CALLBACK_ALLOW": "127.0.0.0/8"]

    @discardableResult
    func put(_ webhook: Webhook) async throws -> EndpointID {
        let account = try await self.account(webhook.account)
        let context = webhook.kind.sealingContext(account: account, publicID: webhook.name)
        var settings = EndpointSettings(kind: webhook.kind, url: webhook.url)
        settings.secrets = try MasterKeys(parsing: self.masterKey).seal(
            webhook.secrets.json.serialized(), for: context)
        settings.settings = String(decoding: webhook.settings.serialized(), as: UTF8.self)
        let store = Store(self.database)
        _ = try await store.changingEndpoints { [settings] transaction throws(PostgresError) in
            try await Store.putEndpoint(webhook.name, settings, of: account, in: transaction)
        }
        guard let stored = try await store.endpoint(webhook.name, of: account) else { throw Failure("no webhook") }
        return stored.id
    }

    func account(_ name: String) async throws -> AccountID {
        AccountID(rawValue: try await self.value("SELECT id FROM accounts WHERE name = \(name)"))
    }

    /// What was to wait for minutes and hours is tried again at once, from now on until the task is cancelled.
    func hastenEvents() async throws {
        while !Task.isCancelled {
            _ = try await self.database.execute("UPDATE event_outbox SET due_at = now() WHERE due_at > now()")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Waits until every message has its end, no code is open, and nothing is left to be told.
    func waitUntilAllIsTold(within limit: Duration = .seconds(60)) async throws {
        do {
            try await eventually("all has come to its end, and is told", within: limit) {
                let left: Int = try await self.value(
                    """
                    SELECT (SELECT count(*) FROM messages WHERE message_rank(state) < 50)
                         + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM scheduled)
                         + (SELECT count(*) FROM unmatched_receipts)
                         + (SELECT count(*) FROM verifications WHERE state = 'pending' AND code IS NOT NULL)
                         + (SELECT count(*) FROM event_outbox)
                    """)
                return left == 0
            }
        } catch let failure as Failure {
            throw Failure("\(failure)\n\(try await self.untold())")
        }
    }

    private func untold() async throws -> String {
        let rows: [String] = try await self.database.query(
            """
            SELECT 'to be told: ' || subject_id || ', worker ' || coalesce(worker_id::text, 'none') || ', attempt '
                   || attempt || coalesce(', due ' || due_at, '') || ', ' || cardinality(events) || ' events'
            FROM event_outbox
            UNION ALL SELECT 'message ' || id || ' ' || state FROM messages WHERE message_rank(state) < 50
            UNION ALL SELECT 'verification ' || id || ' ' || state FROM verifications WHERE state = 'pending' AND code IS NOT NULL
            """
        ) { row throws(PostgresError) in try row.decode(0) }
        return "\(rows.count) left:\n\(rows.prefix(10).joined(separator: "\n"))"
    }
}
