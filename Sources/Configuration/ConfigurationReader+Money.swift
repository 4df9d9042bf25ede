import JSON
import Messaging

// What things cost, and what was paid for them.
extension ConfigurationReader {
    static let priceFields: Set = ["account", "channel", "prefix", "price", "network", "remove"]

    mutating func price(_ json: JSON, at path: String) -> ConfigurationFile.ListedPrice {
        let isRemoved = self.fields.flag(json, "remove", at: path) ?? false
        let (channel, prefix) = self.place(json, what: "a price", at: path)
        let amount = self.fields.parsed(
            json, "price", expected: #"an amount that is not negative, as a text: "0.05""#, required: !isRemoved,
            at: path
        ) { Money($0).flatMap { $0 < .zero ? nil : $0 } }
        let network = self.fields.parsed(json, "network", expected: "3 to 6 digits", at: path) {
            Price.isNetwork($0) ? $0 : nil
        }
        return .init(
            account: self.fields.string(json, "account", at: path), channel: channel, prefix: prefix,
            price: amount.map { Price(amount: $0, network: network) }, isRemoved: isRemoved)
    }

    mutating func currency(_ json: JSON, at path: String) -> String? {
        self.fields.parsed(json, "currency", expected: "three capital letters, as in EUR", at: path) { text in
            let isCode =
                text.utf8.count == 3
                && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            return isCode ? text : nil
        }
    }

    mutating func topUps(_ json: JSON, at path: String) -> [ConfigurationFile.TopUp] {
        let topUps = self.elements(json, "top_ups", at: path, known: ["id", "amount"]) { reader, json, path in
            ConfigurationFile.TopUp(
                id: reader.name(json, "id", at: path),
                amount: reader.fields.parsed(
                    json, "amount", expected: #"an amount, as a text: "100.00" or "-2.5""#, required: true, at: path
                ) { Money($0) } ?? .zero)
        }
        self.refuseDoubled(topUps.map(\.id), "id", at: "\(path)/top_ups")
        return topUps
    }
}
