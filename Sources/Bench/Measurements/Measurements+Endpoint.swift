import Callbacks
import Messaging
import Postgres
import Store
import Telling

extension Measurements {
    /// Does `body` while the load's account has an endpoint on this machine, which is told of `types`; empty for all.
    ///
    /// Leaves nothing to be told behind: the tables are emptied before the next part, and who still looks into them at that moment
    /// could wait for that in a circle.
    func withEndpoint<Value>(
        port: UInt16, types: [String] = [], inFlight: Int16 = EndpointSettings(kind: .standard, url: "").inFlightLimit,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let account = try await self.database.account()
        let name = "bench"
        var settings = EndpointSettings(kind: .standard, url: "http://127.0.0.1:\(port)/")
        settings.types = types
        settings.inFlightLimit = inFlight
        // Nothing goes out unsigned.
        settings.secrets = CallbackSecrets(signingKeys: [.make()]).sealed(
            with: try self.deployment.masterKeys,
            for: EndpointKind.standard.sealingContext(account: account, publicID: name))
        _ = try await Store(self.database.pool).changingEndpoints { [settings] transaction throws(PostgresError) in
            try await Store.putEndpoint(name, settings, of: account, in: transaction)
        }
        let value = try await body()
        _ = try await Store(self.database.pool).changingEndpoints { transaction throws(PostgresError) in
            try await Store.deleteEndpoint(name, of: account, in: transaction)
        }
        try await self.database.waitUntilUntold()
        return value
    }
}
