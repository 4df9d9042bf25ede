import Messaging
import Postgres
import Store
import TestSystem
import Testing

@Suite(.bothWays) struct OptOutTests {
    @Test func theFirstOfAnAccountIsAChangeOfTheConfiguration() async throws {
        try await StoreFixture.run { fixture async throws in
            _ = try await fixture.pool.execute("INSERT INTO accounts (name) VALUES ('a'), ('b')")
            let (one, other) = (AccountID(rawValue: 1), AccountID(rawValue: 2))
            let before = try await fixture.store.configurationRevision()
            #expect(try await fixture.store.putOptOut("+41790000001", of: one))
            let first = try await fixture.store.configurationRevision()
            #expect(first == before + 1)
            #expect(try await fixture.store.directory().accountsWithOptOuts == [one])
            #expect(try await !fixture.store.putOptOut("+41790000001", of: one))
            #expect(try await fixture.store.putOptOut("+41790000002", of: one))
            #expect(try await fixture.store.configurationRevision() == first)

            let asked = ["+41790000001", "+41790000002", "+41790000003"]
            #expect(try await fixture.store.optedOut(among: asked, of: one) == ["+41790000001", "+41790000002"])
            #expect(try await fixture.store.optedOut(among: asked, of: other).isEmpty)
            #expect(try await fixture.store.removeOptOut("+41790000001", of: one))
            #expect(try await !fixture.store.removeOptOut("+41790000001", of: other))
            #expect(try await fixture.store.optedOut(among: asked, of: one) == ["+41790000002"])
        }
    }
}
