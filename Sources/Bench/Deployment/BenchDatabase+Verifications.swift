import Crypto
import Messaging
import Postgres
import Store
import Timestamps
import Verification

extension BenchDatabase {
    /// Verifications in one statement.
    private static let batch = 1000

    /// Makes verifications of `code`, each for a recipient of its own, as the API would have.
    func seedVerifications(_ count: Int, code: Code, keys: MasterKeys) async throws -> [VerificationID] {
        let account = try await self.account()
        var ids: [VerificationID] = []
        while ids.count < count {
            let batch = Seeds(from: ids.count, count: min(Self.batch, count - ids.count), code, account, keys)
            try await self.store(batch, of: account)
            ids += batch.ids.map(VerificationID.init(rawValue:))
        }
        return ids
    }

    /// How many verifications are verified.
    func verified() async throws -> Int {
        try await self.pool.query("SELECT count(*) FROM verifications WHERE state = 'verified'") {
            row throws(PostgresError) in Int(try row.decode(0, as: Int64.self))
        }[0]
    }

    private func store(_ seeds: Seeds, of account: AccountID) async throws {
        _ = try await self.pool.execute(
            """
            WITH app AS (
                SELECT a.id, t.id AS template_id FROM applications a JOIN templates t ON t.application_id = a.id
                WHERE a.account_id = \(account.rawValue) AND a.public_id = 'bench'
            ), seed AS (
                SELECT * FROM unnest(\(seeds.ids), \(seeds.recipients), \(seeds.keyIDs), \(seeds.macs))
                    AS s (id, recipient, key_id, mac)
            ), limited AS (
                INSERT INTO recipient_limits (lane, account_id, application_id, recipient, sends, send_limit, send_period,
                                              check_limit, check_period, forget_at)
                SELECT 0, \(account.rawValue), app.id, recipient, 1, 3, '1 day', 1000, '1 s', now() + interval '3 days'
                FROM seed, app
            )
            INSERT INTO verifications (lane, id, account_id, application_id, template_id, key_id, attempt_limit, allows_reuse,
                                       channel, recipient, mac, message_id, expires_at, code)
            SELECT 0, s.id, \(account.rawValue), app.id, app.template_id, s.key_id, 10, true, 'sms', s.recipient, s.mac, s.id,
                   now() + interval '1 hour', decode(repeat('5a', 50), 'hex')
            FROM seed s, app
            """)
    }
}

private struct Seeds {
    var ids: [MessageID] = []
    var recipients: [String] = []
    var keyIDs: [Int16] = []
    var macs: [Bytes] = []

    init(from first: Int, count: Int, _ code: Code, _ account: AccountID, _ keys: MasterKeys) {
        var generator = SystemRandomNumberGenerator()
        let milliseconds = Timestamp.now.milliseconds
        for number in first..<first + count {
            let id = MessageID(lane: Lane(rawValue: 0), milliseconds: milliseconds, using: &generator)
            guard let phone = PhoneNumber("+41\(700_000_000 + number)") else {
                preconditionFailure("eleven digits are a number")
            }
            let mac = CodeMAC(
                code, of: VerificationID(rawValue: id), account: account, recipient: .phone(phone), keys: keys)
            self.ids.append(id)
            self.recipients.append(phone.e164)
            self.keyIDs.append(mac.keyID)
            self.macs.append(Bytes(mac.bytes))
        }
    }
}
