import Callbacks
import HTTP
import JSON
import Messaging
import Postgres
import Store

// Telling webhooks what they have missed.
extension Intake {
    /// Events that one request looks at.
    static let replayLimit = 10_000
    /// Those that one statement looks at.
    private static let replayStep = 1000
    /// How long a request goes on for: whoever asks gets an answer, and asks for the rest.
    private static let replayTime = Duration.seconds(1)

    /// `POST /v1/webhooks/{id}/replay`.
    func answerReplay(_ id: String?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .manage)
        let (since, after) = try WebhookReader.replay(request.json, lanes: self.lanes)
        let webhook = try await self.webhook(id, of: principal)
        guard webhook.settings.isEnabled else { throw .webhookDisabled }
        let ends = ContinuousClock.now + Self.replayTime
        var lanes = self.lanes.drop { lane in after.map { $0.lane != lane } ?? false }
        var (seen, told, last) = (0, 0, after)
        while let lane = lanes.first {
            let limit = min(Self.replayStep, Self.replayLimit - seen)
            let step = try await self.ask { [last] () async throws(PostgresError) in
                try await self.store.replay(
                    since: since, after: last?.lane == lane ? last : nil, to: webhook.id, of: principal.account,
                    lane: lane, limit: Int32(limit))
            }
            (seen, told, last) = (seen + step.seen, told + step.told, step.last ?? last)
            if step.seen < limit { lanes = lanes.dropFirst() }
            // Without a last one there would be nothing to go on from.
            if last != nil, seen >= Self.replayLimit || ContinuousClock.now >= ends { break }
        }
        let next = lanes.isEmpty ? nil : last.map { "\($0)" }
        return Self.accepted(["events": .init(told), "continue_from": .init(next)])
    }

    /// `POST /v1/events/{id}/replay`.
    func answerEventReplay(_ id: EventID?, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .manage)
        let name = try WebhookReader.webhook(request.json)
        let (event, facts) = try await self.event(id, of: principal)
        let webhook: StoredEndpoint
        do {
            webhook = try await self.webhook(name, of: principal)
        } catch {
            throw error == .notFound ? .noWebhook : error
        }
        guard webhook.settings.isEnabled else { throw .webhookDisabled }
        guard Callbacks.types(of: webhook.settings.kind).contains(facts.type) else {
            throw .invalid([.init("/webhook", "is of a kind that has no words for this event")])
        }
        let isEntered = try await self.ask { () async throws(PostgresError) in
            try await self.store.replay(event.id, to: webhook.id, of: principal.account)
        }
        guard isEntered else { throw .alreadyDue }
        return Self.accepted(["id": .string("\(event.id)"), "webhook": .string(webhook.publicID)])
    }

    // MARK: - Private

    private static func accepted(_ json: JSON) -> HTTPResponse {
        HTTPResponse(status: 202, fields: self.fields, body: json.serialized())
    }
}
