import Messaging
import Postgres
import Store
import Telemetry
import TestSystem
import Testing
import Verification

@testable import Intake

@Suite struct AllowancesTests {
    /// Runs `body` with allowances of a new application; afterwards they are drained.
    private static func run(
        _ body: (_ allowances: Allowances, _ application: ApplicationID, _ taken: () async throws -> Int64) async throws
            ->
            Void
    ) async throws {
        try await TestSystem.run(limit: 4) { system async throws in
            let ids = try await system.pool.query("INSERT INTO accounts (name) VALUES ('acme') RETURNING id") {
                row throws(PostgresError) in AccountID(rawValue: try row.decode(0))
            }
            let made = try await system.store.createApplication("app", ApplicationSettings(name: "x"), of: ids[0])
            guard case .created(let application) = made else { preconditionFailure("the account is new") }
            let allowances = Allowances(store: system.store, logger: Logger(label: "test", write: { _ in }))
            try await withThrowingTaskGroup { group in
                group.addTask { await allowances.run() }
                let result: Result<Void, any Error>
                do {
                    try await body(allowances, application.id) {
                        try await system.pool.query("SELECT taken::bigint FROM application_sends") {
                            row throws(PostgresError) in try row.decode(0, as: Int64.self)
                        }.first ?? 0
                    }
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
                allowances.drain()
                try await group.waitForAll()
                try result.get()
            }
        }
    }

    private static func isGiven(_ grant: Allowances.Grant) -> Bool { if case .given = grant { true } else { false } }

    @Test func fiftyAtOnceGetFiveOfFive() async throws {
        try await Self.run { allowances, application, taken in
            let limit = try #require(RateLimit("5/1d"))
            let given = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 {
                    group.addTask { Self.isGiven(try await allowances.take(application, limit: limit)) }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(given == 5)
            #expect(try await taken() == 5)
        }
    }

    /// Although the slice that it came from was used up, and somebody has been refused since.
    @Test func whatIsPutBackIsGivenAgain() async throws {
        try await Self.run { allowances, application, taken in
            let limit = try #require(RateLimit("1/1d"))
            guard case .given(let permit) = try await allowances.take(application, limit: limit) else {
                Issue.record("nothing given")
                return
            }
            #expect(!Self.isGiven(try await allowances.take(application, limit: limit)))
            allowances.putBack(permit, to: application)
            #expect(Self.isGiven(try await allowances.take(application, limit: limit)))
            #expect(!Self.isGiven(try await allowances.take(application, limit: limit)))
            #expect(try await taken() == 1)
        }
    }

    @Test func aLoweredLimitHoldsForWhatWasTakenBefore() async throws {
        try await Self.run { allowances, application, taken in
            let high = try #require(RateLimit("10000/1d"))
            let low = try #require(RateLimit("3/1d"))
            #expect(Self.isGiven(try await allowances.take(application, limit: high)))
            #expect(try await taken() > 3)
            #expect(Self.isGiven(try await allowances.take(application, limit: low)))
            #expect(Self.isGiven(try await allowances.take(application, limit: low)))
            #expect(!Self.isGiven(try await allowances.take(application, limit: low)))
            #expect(try await taken() == 3)
        }
    }

    @Test func whatIsLeftIsGivenBackAtTheEnd() async throws {
        try await TestSystem.run(limit: 4) { system async throws in
            let ids = try await system.pool.query("INSERT INTO accounts (name) VALUES ('acme') RETURNING id") {
                row throws(PostgresError) in AccountID(rawValue: try row.decode(0))
            }
            let made = try await system.store.createApplication("app", ApplicationSettings(name: "x"), of: ids[0])
            guard case .created(let application) = made else { preconditionFailure("the account is new") }
            let allowances = Allowances(store: system.store, logger: Logger(label: "test", write: { _ in }))
            let limit = try #require(RateLimit("10000/1d"))
            await withDiscardingTaskGroup { group in
                group.addTask { await allowances.run() }
                for _ in 0..<7 { _ = try? await allowances.take(application.id, limit: limit) }
                allowances.drain()
            }
            let taken = try await system.pool.query("SELECT taken FROM application_sends") {
                row throws(PostgresError) in try row.decode(0, as: Int32.self)
            }
            #expect(taken == [7])
        }
    }
}
