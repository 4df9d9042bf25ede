public import Messaging
public import Postgres

/// What a stored credential should be; see ``StoredCredential``.
public struct NewCredential: Sendable {
    public var vendor: Vendor
    public var name: String
    /// Sealed JSON.
    public var secrets: [UInt8]
    public var settings: String
    public var scopes: [String]
    /// True ends it, false brings it back, nil leaves a stored one as it is; a new one lives.
    public var revoked: Bool?

    public init(
        vendor: Vendor, name: String, secrets: [UInt8], settings: String, scopes: [String], revoked: Bool?
    ) {
        self.vendor = vendor
        self.name = name
        self.secrets = secrets
        self.settings = settings
        self.scopes = scopes
        self.revoked = revoked
    }
}

extension Store {
    /// Whose a vendor's credential of this name is, and its sealed secrets; nil when there is none. Revoked ones too.
    public static func credential(
        _ vendor: Vendor, named name: String, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> (account: AccountID, secrets: [UInt8])? {
        try await transaction.query(
            "SELECT account_id, secrets FROM credentials WHERE vendor = \(vendor.rawValue) AND name = \(name)"
        ) { row throws(PostgresError) in
            (AccountID(rawValue: try row.decode(0)), try row.decode(1, as: Bytes.self).bytes)
        }.first
    }

    /// Makes an account's credential what it should be; another account's of the same name is left as it is. One that is
    /// revoked keeps its time of death until it is brought back.
    public static func putCredential(
        _ credential: NewCredential, of account: AccountID, in transaction: borrowing Transaction
    ) async throws(PostgresError) -> KeyChange {
        let changed = try await transaction.query(
            """
            INSERT INTO credentials AS c (account_id, vendor, name, secrets, settings, scopes, revoked_at)
            VALUES (\(account.rawValue), \(credential.vendor.rawValue), \(credential.name),
                    \(Bytes(credential.secrets)), \(credential.settings), \(credential.scopes),
                    CASE WHEN \(credential.revoked) THEN now() END)
            ON CONFLICT (vendor, name) DO UPDATE SET
                secrets = excluded.secrets, settings = excluded.settings, scopes = excluded.scopes,
                revoked_at = CASE \(credential.revoked)
                    WHEN true THEN coalesce(c.revoked_at, now()) WHEN false THEN NULL ELSE c.revoked_at END
            WHERE c.account_id = excluded.account_id AND
                (c.secrets, c.settings, c.scopes, c.revoked_at IS NOT NULL)
                IS DISTINCT FROM (excluded.secrets, excluded.settings, excluded.scopes,
                                  coalesce(\(credential.revoked), c.revoked_at IS NOT NULL))
            RETURNING c.revoked_at IS NOT NULL
            """
        ) { row throws(PostgresError) in try row.decode(0, as: Bool.self) }
        guard let isRevoked = changed.first else { return .none }
        return isRevoked ? .revoked : .alive
    }
}
