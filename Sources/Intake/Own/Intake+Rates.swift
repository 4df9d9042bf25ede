import HTTP
import JSON
import Messaging
import Postgres
import Store
import Timestamps

// How many messages arrived, and did what they were sent for.
extension Intake {
    /// `GET /v1/rates`.
    func answerRates(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
        let account = try self.principal(of: request, with: .read).account
        let query = try RatesQuery(request.parameters, now: .now)
        let rates = try await self.ask { () async throws(PostgresError) in
            try await self.store.rates(
                lanes: self.lanes, account: account, from: query.since, until: query.until, channel: query.channel,
                country: query.country)
        }
        return Self.ok([
            "since": .string("\(query.since)"), "until": .string("\(query.until)"),
            "rates": .array(rates.map(\.json)),
        ])
    }
}

extension AccountRate {
    fileprivate var json: JSON {
        [
            "channel": .string(self.channel.rawValue), "country": .init(self.country.isEmpty ? nil : self.country),
            "sent": .integer(self.counts.sent), "delivered": .integer(self.counts.delivered),
            "undelivered": .integer(self.counts.undelivered), "converted": .integer(self.counts.converted),
            "unconverted": .integer(self.counts.unconverted), "delivery_rate": Self.rate(self.counts.deliveryRate),
            "conversion_rate": Self.rate(self.counts.conversionRate),
        ]
    }

    /// To four decimals.
    private static func rate(_ rate: Double?) -> JSON {
        rate.map { .number(($0 * 10_000).rounded() / 10_000) } ?? .null
    }
}

/// What `GET /v1/rates` understands.
private struct RatesQuery {
    /// Of the hours in which messages were accepted.
    var since: Timestamp
    var until: Timestamp
    var channel: Channel?
    var country: String?

    private static let standardSpan = Duration.seconds(86400)

    init(_ form: Form, now: Timestamp) throws(Problem) {
        (self.since, self.until) = (now - Self.standardSpan, now)
        var problems: [JSONProblem] = []
        var seen: Set<String> = []
        for (name, value) in form.pairs {
            let problem = self.set(name, value, now: now) ?? (seen.insert(name).inserted ? nil : "is given twice")
            if let problem { problems.append(.init(name, problem)) }
        }
        if problems.isEmpty, self.until < self.since { problems.append(.init("until", "must not be before since")) }
        guard problems.isEmpty else { throw .invalid(problems) }
    }

    /// Takes one parameter; returns what is wrong with it.
    private mutating func set(_ name: String, _ value: String, now: Timestamp) -> String? {
        switch name {
        case "since", "until":
            guard let moment = Timestamp(value) else { return "must be a time in RFC 3339" }
            let earliest = now - Store.rateRetention
            if name == "since" { self.since = max(moment, earliest) } else { self.until = min(moment, now) }
            return nil
        case "channel":
            self.channel = Channel(rawValue: value)
            return self.channel == nil
                ? "must be one of \(Channel.allCases.map(\.rawValue).joined(separator: ", "))" : nil
        case "country":
            // An unescaped plus sign is a space by the rules of forms.
            let digits = value.drop { $0 == "+" || $0 == " " }
            guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return "must be a calling code, as in +41"
            }
            self.country = "+\(digits)"
            return nil
        default: return "is no parameter of this list"
        }
    }
}
