import HTTP
import JSON
import Messaging
import Postgres
import Store

extension Intake {
    /// What the account has.
    func answerAccount(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
        let finances = try await self.finances(of: self.principal(of: request, with: .read))
        return Self.ok([
            "name": .string(finances.name), "currency": .string(finances.currency),
            "balance": .init(finances.balance?.text()),
        ])
    }

    /// What its messages cost.
    func answerPrices(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        switch request.method {
        case "GET", "HEAD": return try await self.prices(of: self.principal(of: request, with: .read))
        case "PUT":
            let principal = try self.principal(of: request, with: .bill)
            let prices = try PriceList(request.json, of: principal.account).prices
            _ = try await self.ask(changes: true) { () async throws(PostgresError) in
                try await self.store.replacePrices(of: principal.account, with: prices)
            }
            return try await self.prices(of: principal)
        default: throw .methodNotAllowed("GET, PUT")
        }
    }

    /// What is paid in.
    func answerTopUps(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        guard request.method == "POST" else { throw .methodNotAllowed("POST") }
        let principal = try self.principal(of: request, with: .bill)
        let (id, amount) = try Self.topUp(request.json)
        let finances = try await self.finances(of: principal)
        let result = try await self.ask(changes: true) { () async throws(PostgresError) in
            try await self.store.topUp(principal.account, by: amount, name: id)
        }
        switch result {
        case .made(let balance), .repeated(let balance):
            return Self.ok([
                "id": .string(id), "amount": .string(amount.text()), "currency": .string(finances.currency),
                "balance": .string(balance.text()),
            ])
        case .nameTaken: throw .topUpDiffers
        case .outOfRange: throw .balanceOutOfRange
        }
    }

    // MARK: - Private

    private func finances(of principal: Principal) async throws(Problem) -> StoredFinances {
        let found = try await self.ask { () async throws(PostgresError) in
            try await self.store.finances(of: principal.account)
        }
        guard let found else { throw .notFound }
        return found
    }

    private func prices(of principal: Principal) async throws(Problem) -> HTTPResponse {
        let currency = try await self.finances(of: principal).currency
        let prices = try await self.ask { () async throws(PostgresError) in
            try await self.store.prices(of: principal.account)
        }
        return Self.ok(["currency": .string(currency), "prices": .array(prices.map(\.json))])
    }

    private static func topUp(_ json: JSON) throws(Problem) -> (id: String, amount: Money) {
        var reader = FieldReader()
        guard reader.isObject(json, known: ["id", "amount"], at: "") else { throw .invalid(reader.problems) }
        let id = reader.string(json, "id", characters: 1...64, required: true, at: "")
        let amount = reader.parsed(json, "amount", expected: #"an amount, as in "100.00""#, required: true, at: "") {
            Money($0)
        }
        guard let id, let amount, reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return (id, amount)
    }
}

/// All of an account's own prices, as a request gives them.
private struct PriceList {
    /// In one request.
    private static let limit = 1000

    private(set) var prices: [StoredPrice] = []
    private var reader = FieldReader()
    private let account: AccountID

    init(_ json: JSON, of account: AccountID) throws(Problem) {
        self.account = account
        if self.reader.isObject(json, known: ["prices"], at: "") { self.read(json) }
        guard self.reader.problems.isEmpty else { throw .invalid(self.reader.problems) }
    }

    private mutating func read(_ json: JSON) {
        guard let list = self.reader.value(json, "prices", required: true, at: "") else { return }
        guard let elements = list.array, elements.count <= Self.limit else {
            return self.reader.fail("/prices", "must be an array of at most \(Self.limit) prices")
        }
        var seen: Set<[String]> = []
        for (index, element) in elements.enumerated() {
            let path = "/prices/\(index)"
            guard let price = self.price(element, at: path) else { continue }
            let isNew = seen.insert([price.channel.rawValue, price.prefix]).inserted
            if !isNew { self.reader.fail(path, "stands twice") }
            self.prices.append(price)
        }
    }

    private mutating func price(_ json: JSON, at path: String) -> StoredPrice? {
        guard self.reader.isObject(json, known: ["channel", "prefix", "price", "network"], at: path) else { return nil }
        let channels = Channel.allCases.map(\.rawValue).joined(separator: ", ")
        let channel =
            self.reader.parsed(json, "channel", expected: "one of \(channels)", at: path, Channel.init) ?? .sms
        let prefix = self.reader.parsed(json, "prefix", expected: "empty or a plus sign and 1 to 15 digits", at: path) {
            PhoneNumber.isPrefix($0) ? $0 : nil
        }
        if channel == .email, prefix?.isEmpty == false {
            self.reader.fail("\(path)/prefix", "is for numbers; a price for email has none")
        }
        let amount = self.reader.parsed(
            json, "price", expected: #"an amount that is not negative, as in "0.05""#, required: true, at: path
        ) { Money($0).flatMap { $0 < .zero ? nil : $0 } }
        let network = self.reader.parsed(json, "network", expected: "3 to 6 digits", at: path) {
            Price.isNetwork($0) ? $0 : nil
        }
        return amount.map {
            StoredPrice(
                account: self.account, channel: channel, prefix: prefix ?? "",
                price: Price(amount: $0, network: network))
        }
    }
}

extension StoredPrice {
    fileprivate var json: JSON {
        [
            "channel": .string(self.channel.rawValue), "prefix": .string(self.prefix),
            "price": .string(self.price.amount.text()), "network": .init(self.price.network),
            "own": .bool(self.account != nil),
        ]
    }
}

extension Problem {
    fileprivate static let topUpDiffers = Problem(
        409, "top_up_differs", "Another amount was paid in under this id; nothing was changed.")
    fileprivate static let balanceOutOfRange = Problem(
        409, "balance_out_of_range",
        "It would leave less than nothing, or more than an account may have; nothing was changed.")
}
