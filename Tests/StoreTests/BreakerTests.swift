import Messaging
import Postgres
import Routing
import Store
import Testing

@Suite struct BreakerTests {
    private static let place = Conditions.Place(provider: ProviderID(rawValue: 1), country: "+44")

    @Test func eachOpeningLastsTwiceAsLongAndIsForgottenWhenAllIsWell() async throws {
        try await StoreFixture.run { fixture async throws in
            for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
                let duration = try await fixture.store.openBreaker(Self.place, reason: .networkTimeout)
                #expect(duration > .seconds(seconds - 1) && duration <= .seconds(seconds))
                _ = try await fixture.pool.execute("UPDATE breakers SET open_until = now()")
            }
            try await fixture.store.rampBreaker(Self.place)
            #expect(try await fixture.store.closeBreakers() == 0)
            _ = try await fixture.pool.execute("UPDATE breakers SET changed_at = now() - interval '31 s'")
            #expect(try await fixture.store.closeBreakers() == 1)
            #expect(try await fixture.store.openBreaker(Self.place, reason: .networkTimeout) <= .seconds(5))
        }
    }

    @Test func whoOpensAnOpenOneChangesNothing() async throws {
        try await StoreFixture.run { fixture async throws in
            _ = try await fixture.store.openBreaker(Self.place, reason: .networkTimeout)
            let second = try await fixture.store.openBreaker(Self.place, reason: .providerError)
            #expect(second <= .seconds(5))
            #expect(try await fixture.count("SELECT count(*) FROM breakers WHERE openings = 1") == 1)
            // And one that is still open is not let through.
            try await fixture.store.rampBreaker(Self.place)
            #expect(try await fixture.count("SELECT count(*) FROM breakers WHERE open_until IS NULL") == 0)
        }
    }
}
