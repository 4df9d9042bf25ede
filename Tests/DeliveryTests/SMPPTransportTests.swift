import Configuration
import Crypto
import HTTP
import JSON
import Lifecycle
import Messaging
import ReceiptKeeping
import SMPP
import Store
import Telemetry
import TestDatabase
import TestSystem
import Testing
import Timestamps

@testable import Carrier
@testable import Channels
@testable import Delivery

/// Messages by SMPP over real sockets, to the carrier's SMSC, and their receipts back into the database.
@Suite struct SMPPTransportTests {
    /// Runs an SMSC, and a worker's system that knows it as the provider `smpp`.
    static func run(
        _ change: (inout Carrier.Configuration) -> Void = { _ in }, settings: [String: String] = [:],
        timeout: Int64 = 10, _ body: (DeliveryFixture, Carrier) async throws -> Void
    ) async throws {
        var configuration = Carrier.Configuration()
        configuration.acceptsAnyCredential = true
        configuration.receiptDelay = .milliseconds(20)
        configuration.smpp.retries = [Duration](repeating: .milliseconds(100), count: 50)
        change(&configuration)
        let carrier = Carrier(configuration: configuration) { _ in nil }
        let center = try ShortMessageCenter(carrier: carrier, host: "127.0.0.1", port: 0, poller: TestDatabase.poller)
        var outlet = DeliveryFixture.Outlet(name: "smpp", port: center.port)
        outlet.timeout = timeout
        outlet.settings = settings
        try await withThrowingTaskGroup { group in
            group.addTask { try await carrier.run() }
            group.addTask { try await center.run() }
            let result: Result<Void, any Error>
            do {
                result = .success(
                    try await DeliveryFixture.run([outlet]) { fixture async throws in try await body(fixture, carrier) }
                )
            } catch {
                result = .failure(error)
            }
            center.drain()
            carrier.drain()
            try await group.waitForAll()
            try result.get()
        }
    }

    static func inbox(_ carrier: Carrier) async -> [String] {
        let response = await carrier.respond(to: HTTPRequest(method: "GET", path: "/inbox"))
        return response.body.split(separator: UInt8(ascii: "\n")).compactMap {
            (try? JSON(parsing: Array($0)))?["text"]?.string
        }
    }

    @Test func aMessageIsDeliveredByItsReceipt() async throws {
        try await Self.run { fixture, carrier async throws in
            try await fixture.work { _ async throws in
                try await fixture.accept(20)
                try await fixture.wait(for: .delivered, count: 20)
            }
            #expect(await Self.inbox(carrier) == [String](repeating: "Your code is 918273", count: 20))
            // Drained, the worker has left.
            #expect(carrier.smppSessions.count == 0)
        }
    }

    @Test(arguments: [[:], ["concatenation": "udh16"], ["concatenation": "sar"], ["concatenation": "payload"]])
    func aLongMessageArrivesWhole(_ settings: [String: String]) async throws {
        let text = String(repeating: "Ünïcödé € 😀 ", count: 30)
        try await Self.run(settings: settings) { fixture, carrier async throws in
            try await fixture.work { _ async throws in
                try await fixture.accept(content: .text(TextContent(text)))
                try await fixture.wait(for: .delivered)
            }
            #expect(await Self.inbox(carrier) == [text])
        }
    }

    /// Before the answer, twice, in reverse with a state on the way behind, over another session.
    @Test(arguments: ["0015", "0013", "0016", "0044"])
    func aReceiptMayComeHoweverItLikes(_ digits: String) async throws {
        try await Self.run(settings: ["binds": "2"]) { fixture, _ async throws in
            try await fixture.work { _ async throws in
                try await fixture.accept(recipient: "+9990000\(digits)")
                try await fixture.wait(for: .delivered)
            }
        }
    }

    @Test(arguments: [
        (
            Carrier.Configuration.SMPP.IDForm.hexadecimal, Carrier.Configuration.SMPP.IDForm.decimal,
            "resp_hex_receipt_dec"
        ),
        (.decimal, .hexadecimal, "resp_dec_receipt_hex"), (.hexadecimal, .hexadecimal, "both_hex_ci"),
    ])
    func idsAreReadInTheirBases(
        _ ids: Carrier.Configuration.SMPP.IDForm, _ receiptIDs: Carrier.Configuration.SMPP.IDForm, _ mode: String
    ) async throws {
        try await Self.run(
            {
                $0.smpp.ids = ids
                $0.smpp.receiptIDs = receiptIDs
            }, settings: ["dlr_id_mode": mode]
        ) { fixture, _ async throws in
            try await fixture.work { _ async throws in
                try await fixture.accept(3)
                try await fixture.wait(for: .delivered, count: 3)
            }
        }
    }

    @Test func aReceiptOverAReceiverIsJoinedToo() async throws {
        try await Self.run(settings: ["bind": "transmitter+receiver"]) { fixture, _ async throws in
            try await fixture.work { _ async throws in
                try await fixture.accept(3)
                try await fixture.wait(for: .delivered, count: 3)
            }
        }
    }

    @Test func aThrottleCostsNoAttempt() async throws {
        try await Self.run({ $0.smpp.perSecond = 5 }) { fixture, carrier async throws in
            try await fixture.work { _ async throws in
                let ids = try await fixture.accept(12)
                try await fixture.wait(for: .delivered, count: 12)
                for id in ids { #expect(try await fixture.attempts(of: id).last?.attempt == 1) }
            }
            #expect(await Self.inbox(carrier).count == 12)
        }
    }

    @Test(arguments: [("0001", "0xB"), ("0006", "0x8"), ("0042", "0x8")])
    func aRefusalHasItsCode(_ digits: String, _ code: String) async throws {
        try await Self.run { fixture, _ async throws in
            try await fixture.work { _ async throws in
                let id = try await fixture.accept(recipient: "+9990000\(digits)")[0]
                try await fixture.waitUntilIdle()
                #expect(try await fixture.attempts(of: id).first?.code == code)
            }
        }
    }

    /// No answer, the connection closed instead of one, and no PDU as one: it may have been sent, so nobody calls it failed.
    @Test(arguments: ["0041", "0004", "0007"]) func whatHasNoAnswerIsUnknown(_ digits: String) async throws {
        try await Self.run(timeout: 1) { fixture, _ async throws in
            var policy = DeliveryFixture.hasty
            policy.attemptLimit = 2
            try await fixture.work(policy: policy) { _ async throws in
                let id = try await fixture.accept(recipient: "+9990000\(digits)")[0]
                try await fixture.waitUntilIdle()
                #expect(try await fixture.attempts(of: id).first?.outcome == "unanswered")
            }
        }
    }

    @Test func anUnbindIsFollowedByANewSession() async throws {
        try await Self.run { fixture, carrier async throws in
            let rule = HTTPRequest(
                method: "POST", path: "/faults", body: Array(#"{"fault":"unbind","provider":"smpp","times":1}"#.utf8))
            #expect(await carrier.respond(to: rule).status == 201)
            try await fixture.work { _ async throws in
                let id = try await fixture.accept()[0]
                try await fixture.wait(for: .delivered)
                #expect(try await fixture.attempts(of: id).map(\.outcome) == ["unanswered", "accepted"])
            }
        }
    }

    @Test func aBindThatIsRefusedHaltsTheProvider() async throws {
        try await Self.run({ $0.acceptsAnyCredential = false }) { fixture, _ async throws in
            try await fixture.work { _ async throws in
                let id = try await fixture.accept()[0]
                while try await fixture.attempts(of: id).last?.reason != Verdict.Reason.authFailed.rawValue {
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }
    }

    /// The SMSC is asked to come again, and keeps the receipt.
    @Test func aReceiptThatCannotBeStoredIsNotTaken() async throws {
        try await DeliveryFixture.run([DeliveryFixture.Outlet(name: "smpp", port: 1)]) { fixture async throws in
            let metrics = Metrics()
            let keeper = ReceiptKeeper(
                store: fixture.system.store, lanes: [], metrics: ReceiptMetrics(metrics), logger: .silent)
            keeper.drain()
            let provider = try #require(try await fixture.system.store.directory().providers.first)
            let driver = try #require(
                try ProviderSecrets.driver(
                    for: provider, masterKeys: TestSystem.masterKeys, receiptBaseURL: nil) as? SMPPDriver)
            let intake = SMPPReceiptIntake(
                provider: provider, driver: driver, keeper: keeper, metrics: SMPPMetrics(metrics), logger: .silent)
            var receipt = ShortMessage()
            receipt.esmClass = 0x04
            receipt.text = Array("id:1 stat:DELIVRD".utf8)
            var other = ShortMessage()
            other.text = Array("STOP".utf8)
            #expect(await intake.take([receipt, other]) == [.temporaryReceiverError, .ok])
        }
    }
}
