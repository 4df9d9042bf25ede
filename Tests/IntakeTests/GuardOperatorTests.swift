import Guard
import HTTP
import JSON
import Messaging
import Postgres
import Store
import Telemetry
import TestSystem
import Testing
import Timestamps

@testable import Intake

/// What operators see of the guard and do about it, and what several processes know together.
@Suite(.timeLimit(.minutes(3))) struct GuardOperatorTests {
    /// Neighbours, of whom nobody uses his code, until the guard has had enough.
    private func trip(_ fixture: GuardFixture) async {
        for number in 0..<8 where await fixture.start("+4474001234\(10 + number)").code == "velocity_block" { return }
        Issue.record("the guard has not tripped")
    }

    @Test func aTripIsABlockThatOperatorsSeeAndLift() async throws {
        try await GuardFixture.run { fixture async throws in
            await self.trip(fixture)
            #expect(await fixture.start("+447400123477").code == "blocked")
            try await fixture.exchange()
            let block = try #require(await fixture.get("/v1/guard/blocks").json["blocks"]?[0])
            #expect(block["scope"] == "prefix" && block["value"] == "+447400123" && block["made_by"] == "guard")
            #expect(block["reason"] == "velocity_block" && block["level"] == 0 && block["all_accounts"] == false)
            let id = try #require(block["id"]?.string)
            let line = try #require(fixture.base.log.lines.first { $0.contains("the guard has made a block") })
            #expect(line.contains("block=\(id)") && line.contains("reason=velocity_block"))
            #expect(fixture.base.metrics.render().contains(#"pinpost_guard_blocks_total{reason="velocity_block"} 1"#))
            let refusals = await fixture.get("/v1/guard/refusals").json["refusals"]?.array ?? []
            #expect(Set(refusals.compactMap { $0["reason"]?.string }) == ["velocity_block", "blocked"])
            #expect(refusals.allSatisfy { $0["country"] == "GB" && $0["refused"] == 1 })
            let lifted = await fixture.base.ask("DELETE", "/v1/guard/blocks/\(id)?for=1h", key: GuardFixture.key)
            #expect(lifted.status == 200 && lifted.json["lifted_until"]?.string != nil)
            for number in 0..<2 { #expect(await fixture.start("+4474001234\(50 + number)").status == 202) }
            #expect(await fixture.get("/v1/guard/blocks").json["blocks"]?.array == [])
            #expect(await fixture.get("/v1/guard/blocks?ended=true").json["blocks"]?.array?.count == 1)
        }
    }

    @Test func eachBlockOfTheSameLastsTwiceAsLongAndTheNinthForGood() async throws {
        try await GuardFixture.run { fixture async throws in
            let store = fixture.base.system.store
            let account = try #require(try await fixture.account())
            var lengths: [Int64?] = []
            for _ in 0..<9 {
                let made = try #require(
                    try await store.trip(
                        GuardBlock(account: account, scope: .prefix, value: "+44740", until: nil), reason: .pumpingScore
                    ))
                lengths.append(made.block.until.map { ($0 - made.madeAt).components.seconds })
                let again = GuardBlock(account: account, scope: .prefix, value: "+44740", until: nil)
                #expect(try await store.trip(again, reason: .pumpingScore) == nil, "one is in force")
                _ = try await fixture.base.system.pool.execute(
                    "UPDATE guard_blocks SET until = now() WHERE until > now()")
            }
            #expect(lengths == [900, 1800, 3600, 7200, 14_400, 28_800, 57_600, 115_200, nil])
        }
    }

    @Test func aKillSwitchStopsAChannelACountryOrAnAccountEverywhereWithinASecond() async throws {
        try await GuardFixture.run { fixture async throws in
            try await fixture.beside { other async throws in
                let switches: [(JSON, String, Channel)] = [
                    (["scope": "channel", "value": "voice"], "+447400123456", .voice),
                    (["scope": "country", "value": "CH"], "+41791234567", .sms),
                    (["scope": "account"], "+447500123456", .sms),
                    (["scope": "number", "value": "+4407900123456", "all_accounts": true], "+447900123456", .sms),
                ]
                for (block, number, channel) in switches {
                    let made = await fixture.post("/v1/guard/blocks", block.with(["reason": "stop", "for": "1h"]))
                    #expect(made.status == 201, "\(made.text)")
                    #expect(!made.text.contains("7900123456"))
                    #expect(await fixture.send(.own, to: number, channel: channel).code == "blocked")
                    try await other.exchange()
                    #expect(await other.send(.own, to: number, channel: channel).code == "blocked")
                    let id = made.json["id"]?.string ?? ""
                    #expect(
                        await other.base.ask("DELETE", "/v1/guard/blocks/\(id)", key: GuardFixture.key).status == 200)
                    try await fixture.exchange()
                    for process in [fixture, other] {
                        #expect(await process.send(.own, to: number, channel: channel).status == 202)
                    }
                }
            }
        }
    }

    @Test func processesCountTogetherAndAfterARestart() async throws {
        try await GuardFixture.run { fixture async throws in
            for _ in 0..<4 { #expect(await fixture.start("+447400123456").status == 202) }
            try await fixture.exchange()
            try await fixture.beside { other async throws in
                for _ in 0..<2 { #expect(await other.start("+447400123456").status == 202) }
                try await other.exchange()
                #expect(await other.start("+447400123456").code == "velocity_number")
            }
            // Nothing of whom codes went to can be read there.
            let hashes = try await fixture.base.system.count(
                "SELECT count(*) FROM guard_counts WHERE octet_length(key) = 16 AND account_id >= 0")
            #expect(hashes > 0)
        }
    }

    @Test func aBadBlockIsRefusedWithItsPlaces() async throws {
        let bad: [(JSON, [String])] = [
            ([:], ["/scope"]), (["scope": "planet", "value": "Earth"], ["/scope"]),
            (["scope": "prefix"], ["/value"]), (["scope": "prefix", "value": ""], ["/value"]),
            (["scope": "number", "value": "447400123456"], ["/value"]),
            (["scope": "country", "value": "gb"], ["/value"]),
            (["scope": "country", "value": "*"], ["/value"]), (["scope": "channel", "value": "email"], ["/value"]),
            (["scope": "address", "value": "home"], ["/value"]), (["scope": "account", "value": "x"], ["/value"]),
            (["scope": "account", "for": "soon"], ["/for"]), (["scope": "account", "colour": "red"], ["/colour"]),
        ]
        try await GuardFixture.run { fixture async throws in
            for (block, paths) in bad {
                let refused = await fixture.post("/v1/guard/blocks", block)
                #expect(refused.status == 422 && refused.paths == paths, "\(block.text): \(refused.text)")
            }
            for query in ["ended=maybe", "cursor=x", "limit=3", "ended=true&ended=true"] {
                #expect(await fixture.get("/v1/guard/blocks?\(query)").status == 422)
            }
            for query in ["since=yesterday", "until=now"] {
                #expect(await fixture.get("/v1/guard/refusals?\(query)").status == 422)
            }
            for id in ["1", "x", "99999999999999999999"] {
                #expect(await fixture.base.ask("DELETE", "/v1/guard/blocks/\(id)", key: GuardFixture.key).status == 404)
            }
        }
    }

    @Test func nobodySeesOrLiftsAnothersBlocks() async throws {
        try await GuardFixture.run { fixture async throws in
            let made = await fixture.post("/v1/guard/blocks", ["scope": "country", "value": "GB"])
            let id = made.json["id"]?.string ?? ""
            let scoped: JSON = [
                "accounts": [
                    [
                        "name": "stranger",
                        "keys": [
                            ["name": "all", "key": .string(GuardFixture.strangersKey), "scopes": ["guard", "send"]]
                        ],
                    ]
                ]
            ]
            try await fixture.base.system.apply(scoped)
            _ = try await fixture.base.access.refresh()
            let key = GuardFixture.strangersKey
            #expect(await fixture.base.get("/v1/guard/blocks", key: key).json["blocks"]?.array == [])
            #expect(await fixture.base.ask("DELETE", "/v1/guard/blocks/\(id)", key: key).status == 404)
            #expect(await fixture.post("/v1/messages", ["to": "+447400123456", "body": "1"], key: key).status == 202)
        }
    }

    @Test func anAccountIsWhatItsFileSays() async throws {
        try await GuardFixture.run { fixture async throws in
            #expect(await fixture.send(.own, to: "+393123456789").code == "country_off")
            try await fixture.base.system.apply(
                ["accounts": [["name": "guarded", "countries": ["IT": "on"]]]])
            _ = try await fixture.base.access.refresh()
            #expect(await fixture.send(.own, to: "+393123456789").status == 202)
            #expect(await fixture.send(.own, to: "+447400123456").code == "country_off")
        }
    }

    /// An account from before there was a guard.
    @Test func anUpgradeStopsNobody() async throws {
        try await GuardFixture.run { fixture async throws in
            _ = try await fixture.base.system.pool.execute("UPDATE accounts SET guard = DEFAULT")
            _ = try await fixture.base.access.refresh()
            for number in 0..<100 {
                #expect(await fixture.send(.own, to: "+9925512345\(10 + number % 90)").status == 202)
            }
            try await fixture.exchange()
            let watched = try await fixture.base.system.count(
                "SELECT coalesce(sum(watched), 0)::bigint FROM guard_refusals WHERE refused = 0")
            #expect(watched > 50)
        }
    }
}

extension GuardFixture {
    func account() async throws -> AccountID? {
        try await self.base.system.pool.query("SELECT id FROM accounts WHERE name = 'guarded'") {
            row throws(PostgresError) in AccountID(rawValue: try row.decode(0))
        }.first
    }
}
