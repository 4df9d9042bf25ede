import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@Suite(.bothWays) struct EndpointTests {
    /// Both counted before either was there; the second counts again once it is alone.
    @Test func whoWaitsForAnotherToMakeTheLastEndpointMakesNone() async throws {
        try await EventFixture.run(limit: 8) { fixture async throws in
            try await fixture.fill(Store.endpointLimit - 1)
            #expect(try await fixture.putWhileAnotherPuts("last", after: "other") == .tooMany)
            #expect(try await fixture.store.endpoints(of: fixture.account).count == Store.endpointLimit)
        }
    }

    @Test func whoWaitsForAnotherToMakeTheSameEndpointFindsIt() async throws {
        try await EventFixture.run(limit: 8) { fixture async throws in
            #expect(try await fixture.putWhileAnotherPuts("main", after: "main") == EndpointChange.none)
            #expect(try await fixture.store.endpoints(of: fixture.account).count == 1)
        }
    }

    /// What a customer changed meanwhile would be put back to what it was.
    @Test func secretsThatAreBeingSealedAnewAreNotChanged() async throws {
        try await EventFixture.run(limit: 8) { fixture async throws in
            let endpoint = try await fixture.endpoint()
            try await fixture.setSecrets([1, 1], of: endpoint)
            let changing = try await fixture.pool.transaction { transaction in
                let sealed = try await Store.sealedSecrets(in: transaction)
                let changing = Task { try await fixture.setSecrets([1, 2], of: endpoint) }
                try await fixture.base.waitForALock()
                for secrets in sealed {
                    try await Store.putSealed(
                        SealedSecrets(owner: secrets.owner, sealed: [1, 3]), in: transaction)
                }
                return changing
            }
            try await changing.value
            #expect(try await fixture.store.endpoint("main", of: fixture.account)?.settings.secrets == [1, 2])
        }
    }

    /// An event's id tells when its transaction began, and one that began earlier may have waited for the other.
    @Test func eventsOfASubjectAreReplayedInTheOrderOfTheirSequence() async throws {
        try await EventFixture.run { fixture async throws in
            let endpoint = try await fixture.endpoint(isEnabled: false)
            let message = try await fixture.accepted()
            _ = try await fixture.store.apply([fixture.base.receipt(message)])
            try await fixture.pool.execute("UPDATE events SET sequence = 3 - sequence WHERE lane = 0")
            _ = try await fixture.store.replay(
                since: .now - .seconds(3600), after: nil, to: endpoint, of: fixture.account, lane: fixture.lane,
                limit: 100)
            try await fixture.pool.execute("UPDATE endpoints SET disabled = NULL")
            #expect(try await fixture.claim().map(\.facts?.sequence) == [1])
        }
    }
}

extension EventFixture {
    fileprivate func fill(_ count: Int) async throws {
        try await self.pool.execute(
            """
            INSERT INTO endpoints (account_id, public_id, kind, url)
            SELECT \(self.account.rawValue), 'e' || n, 'standard', 'https://example.com/'
            FROM generate_series(1, \(Int32(count))) AS n
            """)
    }

    fileprivate func setSecrets(_ secrets: [UInt8], of endpoint: EndpointID) async throws {
        try await self.pool.execute(
            "UPDATE endpoints SET secrets = \(Bytes(secrets)) WHERE id = \(endpoint.rawValue)")
    }

    /// Begins to put the endpoint `name` when another transaction has put `other`, and before it ends.
    fileprivate func putWhileAnotherPuts(_ name: String, after other: String) async throws -> EndpointChange {
        let settings = EndpointSettings(kind: .standard, url: "https://example.com/")
        let putting = try await self.pool.transaction { transaction in
            _ = try await Store.putEndpoint(other, settings, of: self.account, in: transaction)
            let putting = Task {
                try await self.store.changingEndpoints { transaction throws(PostgresError) in
                    try await Store.putEndpoint(name, settings, of: self.account, in: transaction)
                }
            }
            try await self.base.waitForALock()
            return putting
        }
        return try await putting.value
    }
}
