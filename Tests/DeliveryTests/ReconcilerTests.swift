import Channels
import HTTP
import Messaging
import Postgres
import Telemetry
import TestSystem
import Testing
import Timestamps

@testable import Delivery
@testable import Store

/// Asking a provider what became of messages, before they are sent again and when receipts do not come.
@Suite(.timeLimit(.minutes(3))) struct ReconcilerTests {
    /// Looks at messages as soon as they are there.
    private static let atOnce = Worker.Configuration.Reconciliation(
        ages: [.milliseconds(1)], interval: .milliseconds(20))
    private static let never = Worker.Configuration.Reconciliation(ages: [], interval: .seconds(60))

    private static let askable: @Sendable (any Driver) -> any Driver = { AskableDriver($0) }

    @Test func whatReceiptsDoNotTellIsAskedFor() async throws {
        try await DeliveryFixture.run(.init(name: "infobip", port: 0)) { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.know("\(id)", "delivered")
            try await fixture.work(reconciliation: Self.never) { _ in try await fixture.wait(for: .accepted) }
            try await fixture.work(reconciliation: Self.atOnce, wrap: Self.askable) { _ in
                try await fixture.wait(for: .delivered)
            }
            #expect(provider.inquiries == ["\(id)"])
            #expect(provider.references == ["\(id)"])
        }
    }

    @Test func aMessageIsAskedForByTheIdsOfItsParts() async throws {
        try await DeliveryFixture.run { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.know("p-\(id)", "delivered")
            try await fixture.work(reconciliation: Self.never) { _ in try await fixture.wait(for: .accepted) }
            try await fixture.work(reconciliation: Self.atOnce, wrap: Self.askable) { _ in
                try await fixture.wait(for: .delivered)
            }
            #expect(provider.inquiries == ["p-\(id)"])
        }
    }

    /// The window passes for one message and not for the other.
    @Test(arguments: [true, false])
    func afterTheWindowAMessageEndsAsUnknown(isAskable: Bool) async throws {
        let wrap: @Sendable (any Driver) -> any Driver = { isAskable ? AskableDriver($0) : $0 }
        try await DeliveryFixture.run(.init(name: "infobip", port: 0)) { fixture, provider async throws in
            let ids = try await fixture.accept(2)
            try await fixture.work(reconciliation: Self.never) { _ in try await fixture.wait(for: .accepted, count: 2) }
            _ = try await fixture.system.pool.execute(
                "UPDATE messages SET accepted_at = now() - interval '73 hours' WHERE lane = 0 AND id = \(ids[0])")
            try await fixture.work(reconciliation: Self.atOnce, wrap: wrap) { _ in
                try await fixture.wait(for: .unknown)
                if isAskable { while provider.inquiries.count < 2 { try await Task.sleep(for: .milliseconds(2)) } }
            }
            #expect(try await fixture.state(of: ids[1]) == .accepted)
            #expect(
                try await fixture.system.count(
                    "SELECT count(*) FROM messages WHERE id = \(ids[0]) AND reason = 'no_dlr'") == 1)
            #expect(fixture.metrics.render().contains("pinpost_silent_total 1"))
        }
    }

    /// Asked a last time at the end, the provider may know better.
    @Test func whatTheProviderKnowsAtTheEndCounts() async throws {
        try await DeliveryFixture.run(.init(name: "infobip", port: 0)) { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.know("\(id)", "delivered")
            try await fixture.work(reconciliation: Self.never) { _ in try await fixture.wait(for: .accepted) }
            _ = try await fixture.system.pool.execute("UPDATE messages SET accepted_at = now() - interval '73 hours'")
            try await fixture.work(reconciliation: Self.atOnce, wrap: Self.askable) { _ in
                try await fixture.wait(for: .delivered)
            }
        }
    }

    @Test func aProviderIsAskedSoOftenAndNoMore() {
        let message = { (provider: Int32) in
            var generator = SystemRandomNumberGenerator()
            return SilentMessage(
                id: MessageID(lane: Lane(rawValue: 0), milliseconds: 1, using: &generator),
                provider: ProviderID(rawValue: provider), priority: .otp, channel: .sms, recipient: "+41790000001",
                series: 1, parts: [], isOver: false)
        }
        var budget = InquiryBudget(limit: 2)
        #expect(budget.grant([message(1), message(1), message(1), message(2)]).map(\.provider.rawValue) == [1, 1, 2])
        #expect(budget.grant([message(1), message(2), message(2)]).map(\.provider.rawValue) == [2])
    }

    // MARK: - Before sending again

    @Test func whatTheProviderHasIsNotSentAgain() async throws {
        try await DeliveryFixture.run(.init(name: "infobip", port: 0)) { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.answer(.dropped)
            provider.know("\(id)", "sent")
            try await fixture.work(reconciliation: Self.never, wrap: Self.askable) { _ in
                try await fixture.wait(for: .accepted)
            }
            #expect(provider.references == ["\(id)"])
            #expect(provider.inquiries == ["\(id)"])
            #expect(try await fixture.attempts(of: id).map(\.outcome) == ["unanswered", "accepted"])
        }
    }

    @Test func whatTheProviderDoesNotKnowIsSentAgain() async throws {
        try await DeliveryFixture.run(.init(name: "infobip", port: 0)) { fixture, provider async throws in
            let id = try await fixture.accept()[0]
            provider.answer(.dropped)
            try await fixture.work(reconciliation: Self.never, wrap: Self.askable) { _ in
                try await fixture.wait(for: .accepted)
            }
            #expect(provider.references == ["\(id)", "\(id)"])
            #expect(provider.inquiries == ["\(id)"])
        }
    }

    @Test func nobodyIsAskedAboutWhatIsSentForTheFirstTime() async throws {
        try await DeliveryFixture.run(.init(name: "infobip", port: 0)) { fixture, provider async throws in
            try await fixture.accept(5)
            try await fixture.work(reconciliation: Self.never, wrap: Self.askable) { _ in
                try await fixture.wait(for: .accepted, count: 5)
            }
            #expect(provider.inquiries.isEmpty)
        }
    }
}

/// A driver whose provider can be asked: `GET /inquiry?NAME`, by the first part's id or our reference; the answer is a state.
struct AskableDriver: HTTPDriver {
    private let inner: any HTTPDriver
    private let url: String

    init(_ inner: any Driver) {
        guard case .http(let driver) = inner.wire else { preconditionFailure("the fixture's drivers speak HTTP") }
        self.inner = driver
        let dispatch = Dispatch(
            reference: MessageReference(id: MessageID(high: 0, low: 0), series: 1),
            recipient: Recipient("+41790000001", channel: .sms)!, content: .text(TextContent("x")),
            validity: .seconds(60))
        let path = driver.request(for: [dispatch], now: .now).url.split(separator: "/", maxSplits: 3)
        self.url = "\(path[0])//\(path[1])/inquiry"
    }

    init(_ account: ProviderAccount) throws(ProviderProblems) {
        self.init(try Drivers.make(account))
    }

    var batchLimit: Int { self.inner.batchLimit }
    var channels: Set<Channel> { self.inner.channels }

    func request(for dispatches: [Dispatch], now: Timestamp) -> OutgoingRequest {
        self.inner.request(for: dispatches, now: now)
    }

    func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        self.inner.outcomes(for: dispatches, response: response)
    }

    func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        try self.inner.receipts(in: request, now: now)
    }

    func request(for inquiry: Inquiry, now: Timestamp) -> OutgoingRequest? {
        OutgoingRequest(
            method: "GET", url: "\(self.url)?\(inquiry.parts.first ?? "\(inquiry.reference)")", fields: [:], body: [])
    }

    func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt] {
        guard response.status == 200,
            let state = Verdict.ProviderState(rawValue: String(decoding: response.body, as: UTF8.self))
        else { return [] }
        return [
            Receipt(
                message: nil, part: inquiry.parts.first ?? "", coversMessage: true,
                verdict: Verdict(state, .none, .none, .ok), status: state.rawValue, code: "0", occurredAt: nil)
        ]
    }
}
