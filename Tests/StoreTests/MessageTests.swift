import Messaging
import Postgres
import Store
import TestSystem
import Testing
import Timestamps

@Suite(.bothWays) struct MessageTests {
    @Test func anotherAccountsMessageDoesNotExist() async throws {
        try await StoreFixture.run { fixture async throws in
            let ids = try await fixture.accept([fixture.newMessage()])
            let stranger = AccountID(rawValue: 2)
            #expect(try await fixture.store.timeline(of: ids[0], account: stranger) == nil)
            #expect(try await fixture.store.cancel(ids[0], account: stranger) == .notFound)
            #expect(try await fixture.count("SELECT count(*) FROM outbox") == 1)
        }
    }

    @Test func aClaimedMessageCannotBeCancelled() async throws {
        try await StoreFixture.run { fixture async throws in
            let worker = try await fixture.store.registerWorker(name: "test")
            let ids = try await fixture.accept([fixture.newMessage()])
            _ = try await fixture.claim(worker)
            #expect(try await fixture.store.cancel(ids[0], account: fixture.account) == .refused(.sending))
        }
    }

    @Test func aScheduledMessageCanBeCancelledOnce() async throws {
        try await StoreFixture.run { fixture async throws in
            let ids = try await fixture.accept([fixture.newMessage(sendAt: .now + .seconds(60))])
            #expect(try await fixture.store.cancel(ids[0], account: fixture.account) == .cancelled)
            #expect(try await fixture.store.cancel(ids[0], account: fixture.account) == .refused(.cancelled))
            #expect(try await fixture.count("SELECT count(*) FROM scheduled") == 0)
        }
    }

    @Test func listsArePagedNewestFirst() async throws {
        try await StoreFixture.run { fixture async throws in
            let ids = try await fixture.accept((0..<7).map { _ in fixture.newMessage() }).sorted(by: >)
            var filter = MessageFilter()
            var seen: [MessageID] = []
            repeat {
                let page = try await fixture.store.messages(
                    lane: fixture.lane, account: fixture.account, filter: filter, limit: 3)
                seen += page.messages.map(\.id)
                filter.before = page.next
            } while filter.before != nil
            #expect(seen == ids)
        }
    }

    @Test func listsAreFilteredByRecipientReferenceStateAndTime() async throws {
        try await StoreFixture.run { fixture async throws in
            let one = try await fixture.accept([fixture.newMessage(recipient: "+41790000009", reference: "r")])[0]
            try await fixture.accept([fixture.newMessage()])
            func ids(_ change: (inout MessageFilter) -> Void) async throws -> [MessageID] {
                var filter = MessageFilter()
                change(&filter)
                return try await fixture.store.messages(
                    lane: fixture.lane, account: fixture.account, filter: filter, limit: 10
                ).messages.map(\.id)
            }
            #expect(try await ids { $0.recipient = "+41790000009" } == [one])
            #expect(try await ids { $0.reference = "r" } == [one])
            #expect(try await ids { $0.state = .delivered } == [])
            #expect(try await ids { $0.state = .queued }.count == 2)
            #expect(try await ids { $0.from = .now + .seconds(60) } == [])
            #expect(try await ids { $0.until = .now + .seconds(60) }.count == 2)
        }
    }

    @Test func aPageThatLooksForARareStateEndsAndGoesOn() async throws {
        try await StoreFixture.run { fixture async throws in
            try await fixture.accept((0..<10).map { _ in fixture.newMessage() })
            var filter = MessageFilter()
            filter.state = .delivered
            var pages = 0
            repeat {
                let page = try await fixture.store.messages(
                    lane: fixture.lane, account: fixture.account, filter: filter, limit: 5, scanLimit: 4)
                #expect(page.messages.isEmpty)
                filter.before = page.next
                pages += 1
            } while filter.before != nil
            #expect(pages == 3)
        }
    }

    @Test func theStatesOfTheTableAreThoseOfTheType() async throws {
        try await StoreFixture.run { fixture async throws in
            let ranks = try await fixture.pool.query(
                "SELECT state, message_rank(state) FROM unnest(\(MessageState.allCases.map(\.rawValue))) AS s (state)"
            ) { row throws(PostgresError) in
                (try row.decode(0, as: String.self), Int(try row.decode(1, as: Int16.self)))
            }
            for (state, rank) in ranks { #expect(MessageState(rawValue: state)?.rank == rank) }
            let check = try await fixture.pool.query(
                """
                SELECT pg_get_constraintdef(oid) FROM pg_constraint
                WHERE conrelid = 'messages'::regclass AND conname = 'messages_state_check'
                """
            ) { row throws(PostgresError) in try row.decode(0, as: String.self) }[0]
            let named = check.split(separator: "'").enumerated().filter { $0.offset % 2 == 1 }.map {
                String($0.element)
            }
            #expect(Set(named) == Set(MessageState.allCases.map(\.rawValue)))
        }
    }
}
