public import Messaging
public import Postgres
import Verification

/// Something sealed that stays until a person changes it, whoever may use it now.
public struct SealedSecrets: Sendable {
    public enum Owner: Sendable, Hashable {
        case provider(String)
        case credential(Vendor, String)
        case endpoint(EndpointID, EndpointKind, account: AccountID, publicID: String)
        /// Of the look-up of numbers.
        case lookUp
    }

    public var owner: Owner
    public var sealed: [UInt8]

    public init(owner: Owner, sealed: [UInt8]) {
        self.owner = owner
        self.sealed = sealed
    }
}

/// What needs one master key.
public struct KeyUse: Sendable, Hashable {
    public var providers = 0
    public var credentials = 0
    public var endpoints = 0
    /// That can still be used, and whose code is hashed or sealed with the key.
    public var verifications = 0
    /// That wait to be sent.
    public var messages = 0

    public init() {}
}

extension Store {
    /// All secrets of providers and of customers, of those out of service and revoked too: they may be brought back. Those of
    /// endpoints are held against changes until the transaction ends.
    public static func sealedSecrets(in transaction: borrowing Transaction) async throws(PostgresError)
        -> [SealedSecrets]
    {
        let providers = try await transaction.query("SELECT name, credentials FROM providers ORDER BY id") {
            row throws(PostgresError) in
            SealedSecrets(owner: .provider(try row.decode(0)), sealed: try row.decode(1, as: Bytes.self).bytes)
        }
        let credentials = try await transaction.query("SELECT vendor, name, secrets FROM credentials ORDER BY id") {
            row throws(PostgresError) in
            SealedSecrets(
                owner: .credential(try row.decode(0, oneOf: Vendor.self), try row.decode(1)),
                sealed: try row.decode(2, as: Bytes.self).bytes)
        }
        let endpoints = try await transaction.query(
            // Held: customers change them at any time, and what they put there meanwhile would be put back.
            """
            SELECT id, kind, account_id, public_id, secrets FROM endpoints WHERE secrets IS NOT NULL ORDER BY id FOR UPDATE
            """
        ) { row throws(PostgresError) in
            SealedSecrets(
                owner: .endpoint(
                    EndpointID(rawValue: try row.decode(0)), try row.decode(1, oneOf: EndpointKind.self),
                    account: AccountID(rawValue: try row.decode(2)), publicID: try row.decode(3)),
                sealed: try row.decode(4, as: Bytes.self).bytes)
        }
        let lookUp = try await Self.lookUp(in: transaction).map {
            SealedSecrets(owner: .lookUp, sealed: $0.credentials)
        }
        return providers + credentials + endpoints + (lookUp.map { [$0] } ?? [])
    }

    /// Puts the same secrets, sealed with another key, in the place of what is stored.
    public static func putSealed(
        _ secrets: SealedSecrets, in transaction: borrowing Transaction
    ) async throws(PostgresError) {
        switch secrets.owner {
        case .provider(let name):
            try await transaction.execute(
                "UPDATE providers SET credentials = \(Bytes(secrets.sealed)) WHERE name = \(name)")
        case .credential(let vendor, let name):
            try await transaction.execute(
                """
                UPDATE credentials SET secrets = \(Bytes(secrets.sealed))
                WHERE vendor = \(vendor.rawValue) AND name = \(name)
                """)
        case .endpoint(let id, _, _, _):
            try await transaction.execute(
                "UPDATE endpoints SET secrets = \(Bytes(secrets.sealed)) WHERE id = \(id.rawValue)")
        case .lookUp: try await transaction.execute("UPDATE look_up SET credentials = \(Bytes(secrets.sealed))")
        }
    }

    // The second byte of what is sealed is its key's id; see `MasterKeys.seal`.

    /// How many providers, credentials and endpoints are sealed with each key.
    public func secretsByKey() async throws(PostgresError) -> [Int16: KeyUse] {
        let rows = try await self.pool.query(
            """
            SELECT key, count(*) FILTER (WHERE owner = 'provider'), count(*) FILTER (WHERE owner = 'credential'),
                   count(*) FILTER (WHERE owner = 'endpoint')
            FROM (
                SELECT get_byte(credentials, 1)::smallint AS key, 'provider' AS owner FROM providers
                -- The one of the look-up counts among them.
                UNION ALL SELECT get_byte(credentials, 1)::smallint, 'provider' FROM look_up
                UNION ALL SELECT get_byte(secrets, 1)::smallint, 'credential' FROM credentials
                UNION ALL SELECT get_byte(secrets, 1)::smallint, 'endpoint' FROM endpoints WHERE secrets IS NOT NULL
            ) sealed GROUP BY key
            """
        ) { row throws(PostgresError) in
            var use = KeyUse()
            use.providers = Int(try row.decode(1, as: Int64.self))
            use.credentials = Int(try row.decode(2, as: Int64.self))
            use.endpoints = Int(try row.decode(3, as: Int64.self))
            return (try row.decode(0, as: Int16.self), use)
        }
        return Dictionary(rows) { $1 }
    }

    /// How many messages that wait to be sent have their body sealed with each key.
    public func waitingBodiesByKey(lanes: [Lane], timeout: Duration) async throws(PostgresError) -> [Int16: Int] {
        let rows = try await self.pool.query(
            """
            SELECT get_byte(m.body, 1)::smallint AS key, count(*) FROM (
                SELECT lane, id FROM outbox WHERE lane = ANY(\(lanes.map(\.column)))
                UNION ALL SELECT lane, id FROM scheduled WHERE lane = ANY(\(lanes.map(\.column)))
            ) waiting JOIN messages m ON m.lane = waiting.lane AND m.id = waiting.id
            WHERE m.id >= \(Days.ofReady.first) AND octet_length(m.body) > 1 GROUP BY key
            """,
            timeout: timeout
        ) { row throws(PostgresError) in
            (try row.decode(0, as: Int16.self), Int(try row.decode(1, as: Int64.self)))
        }
        return Dictionary(rows) { $1 }
    }

    /// How many verifications, and codes found by their scope, that can still be used need each key. Verifications that are used
    /// up have no code any more, so the index of those with one tells.
    public func verificationsByKey(lanes: [Lane], timeout: Duration) async throws(PostgresError) -> [Int16: Int] {
        let rows = try await self.pool.query(
            """
            SELECT key_id, get_byte(code, 1)::smallint AS seal, count(*) FROM verifications
            WHERE lane = ANY(\(lanes.map(\.column))) AND code IS NOT NULL AND expires_at > now()
            GROUP BY key_id, seal
            UNION ALL
            SELECT key_id, key_id, count(*) FROM scoped_codes
            WHERE lane = ANY(\(lanes.map(\.column))) AND used_at IS NULL
              AND made_at > now() - \(CodeScope.codeLifetime)
            GROUP BY key_id
            """,
            timeout: timeout
        ) { row throws(PostgresError) in
            let keys: Set = [try row.decode(0, as: Int16.self), try row.decode(1, as: Int16.self)]
            return (keys: keys, count: Int(try row.decode(2, as: Int64.self)))
        }
        return rows.reduce(into: [:]) { counts, row in
            for key in row.keys { counts[key, default: 0] += row.count }
        }
    }
}
