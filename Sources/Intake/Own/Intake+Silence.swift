import HTTP
import JSON
import Messaging
import Postgres
import Store
import Timestamps

// Messages of which nothing final was heard.
extension Intake {
    /// `GET /v1/reports/silent`.
    func answerSilence(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
        let account = try self.principal(of: request, with: .read).account
        let query = try SilenceQuery(request.parameters, account: account, now: .now)
        let counts = try await self.ask { () async throws(PostgresError) in
            try await self.store.silenceCounts(lanes: self.lanes, filter: query.filter)
        }
        let page = try await self.silentMessages(query)
        return Self.ok([
            "since": .string("\(query.filter.from)"), "until": .string("\(query.filter.until)"),
            "counts": .array(counts.map(\.json)), "messages": .array(page.messages.map(\.json)),
            "next": .init(page.next?.cursor),
        ])
    }

    private func silentMessages(_ query: SilenceQuery) async throws(Problem) -> SilentPage {
        var pages: [SilentPage] = []
        for lane in self.lanes {
            pages.append(
                try await self.ask { () async throws(PostgresError) in
                    try await self.store.silentMessages(lane: lane, filter: query.filter, limit: query.limit)
                })
        }
        return SilentPage.merging(pages, limit: Int(query.limit))
    }
}

extension SilenceCount {
    fileprivate var json: JSON {
        [
            "provider": .string(self.provider), "channel": .string(self.channel.rawValue),
            "country": .init(self.country.isEmpty ? nil : self.country), "sent": .integer(self.sent),
            "ended": .integer(self.ended), "waiting": .integer(self.waiting),
        ]
    }
}

extension SilentEntry {
    fileprivate var json: JSON {
        [
            "id": .string("\(self.id)"), "provider": .string(self.provider), "channel": .string(self.channel.rawValue),
            "country": .init(self.country.isEmpty ? nil : self.country), "status": .string(self.state.rawValue),
            "reason": .init(self.reason), "ended": .bool(self.hasEnded), "accepted_at": .string("\(self.acceptedAt)"),
        ]
    }
}

/// What `GET /v1/reports/silent` understands.
private struct SilenceQuery {
    var filter: SilenceFilter
    var limit: Int32 = 50

    private static let standardSpan = Duration.seconds(8 * 86_400)
    private static let limits: ClosedRange<Int32> = 1...200

    init(_ form: Form, account: AccountID, now: Timestamp) throws(Problem) {
        self.filter = SilenceFilter(account: account, from: now - Self.standardSpan, until: now)
        var problems: [JSONProblem] = []
        var seen: Set<String> = []
        for (name, value) in form.pairs {
            let problem = self.set(name, value, now: now) ?? (seen.insert(name).inserted ? nil : "is given twice")
            if let problem { problems.append(.init(name, problem)) }
        }
        if problems.isEmpty, self.filter.until < self.filter.from {
            problems.append(.init("until", "must not be before since"))
        }
        guard problems.isEmpty else { throw .invalid(problems) }
    }

    /// Takes one parameter; returns what is wrong with it.
    private mutating func set(_ name: String, _ value: String, now: Timestamp) -> String? {
        switch name {
        case "since", "until":
            guard let moment = Timestamp(value) else { return "must be a time in RFC 3339" }
            if name == "since" {
                self.filter.from = max(moment, now - Store.rateRetention)
            } else {
                self.filter.until = min(moment, now)
            }
            return nil
        case "cursor":
            self.filter.before = MessageID(cursor: value)
            return self.filter.before == nil ? "must be a cursor that a list has given" : nil
        case "limit":
            guard let limit = Int32(value), Self.limits.contains(limit) else {
                return "must be between \(Self.limits.lowerBound) and \(Self.limits.upperBound)"
            }
            self.limit = limit
            return nil
        default: return "is no parameter of this list"
        }
    }
}
