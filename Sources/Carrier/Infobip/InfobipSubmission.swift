import JSON

/// A request to Infobip's SMS API v3, read as far as its form goes. What a single destination lacks is found later: it
/// rejects that destination and no other.
struct InfobipSubmission {
    struct Destination {
        /// As written; nil when missing.
        var to: String?
        var id: String?
    }

    struct Message {
        var sender: String?
        var text: String
        var destinations: [Destination]
        var receiptURL: String?
        var wantsReceipt = true
        var wantsIntermediate = false
        var callbackData: String?
    }

    /// Destinations of all messages of a request together.
    static let destinationLimit = 1000
    /// Characters of `callbackData`.
    static let callbackDataLimit = 4000

    var messages: [Message] = []
    var bulk: String?
    var wantsCount = false

    init(parsing body: [UInt8]) throws(InfobipProblem) {
        let json: JSON
        do { json = try JSON(parsing: body) } catch { throw InfobipProblem("", "is no JSON") }
        guard let messages = json["messages"]?.array, !messages.isEmpty else {
            throw InfobipProblem("messages", "must not be empty")
        }
        for (index, message) in messages.enumerated() {
            self.messages.append(try Message(message, at: "messages[\(index)]"))
        }
        guard self.messages.reduce(0, { $0 + $1.destinations.count }) <= Self.destinationLimit else {
            throw InfobipProblem("messages", "must not have more than \(Self.destinationLimit) destinations")
        }
        self.bulk = json["options"]?["schedule"]?["bulkId"]?.string
        self.wantsCount = json["options"]?["includeSmsCountInResponse"]?.bool ?? false
    }
}

extension InfobipSubmission.Message {
    fileprivate init(_ json: JSON, at place: String) throws(InfobipProblem) {
        guard let text = json["content"]?["text"]?.string else {
            throw InfobipProblem("\(place).content.text", "must not be null")
        }
        guard let destinations = json["destinations"]?.array, !destinations.isEmpty else {
            throw InfobipProblem("\(place).destinations", "must not be empty")
        }
        self.init(
            sender: json["sender"]?.string, text: text,
            destinations: destinations.map { .init(to: $0["to"]?.string, id: $0["messageId"]?.string) }
        )
        try self.readWebhooks(json["webhooks"], at: "\(place).webhooks")
    }

    private mutating func readWebhooks(_ json: JSON?, at place: String) throws(InfobipProblem) {
        guard let json, !json.isNull else { return }
        self.callbackData = json["callbackData"]?.string
        guard (self.callbackData?.count ?? 0) <= InfobipSubmission.callbackDataLimit else {
            throw InfobipProblem("\(place).callbackData", "must not be longer than 4000")
        }
        guard let delivery = json["delivery"], !delivery.isNull else { return }
        self.receiptURL = delivery["url"]?.string
        if let url = self.receiptURL, !isWebAddress(url) {
            throw InfobipProblem("\(place).delivery.url", "must be a valid URL")
        }
        self.wantsReceipt = delivery["notify"]?.bool ?? true
        self.wantsIntermediate = delivery["intermediateReport"]?.bool ?? false
    }
}

/// What is wrong with a request as a whole.
struct InfobipProblem: Error, Hashable {
    var property: String
    var violation: String

    init(_ property: String, _ violation: String) {
        self.property = property
        self.violation = violation
    }
}
