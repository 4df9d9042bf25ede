import JSON

/// A status of Infobip's, in a response or in a report.
struct InfobipStatus: Hashable {
    var group: Int
    var id: Int
    var name: String
    var description: String

    var json: JSON {
        [
            "groupId": JSON(self.group), "groupName": .string(Self.groups[self.group]), "id": JSON(self.id),
            "name": .string(self.name), "description": .string(self.description),
        ]
    }

    static let accepted = InfobipStatus(
        group: 1, id: 26, name: "PENDING_ACCEPTED", description: "Message accepted, pending for delivery."
    )
    static let deliveredToOperator = InfobipStatus(
        group: 3, id: 2, name: "DELIVERED_TO_OPERATOR", description: "Message delivered to operator"
    )
    static let deliveredToHandset = InfobipStatus(
        group: 3, id: 5, name: "DELIVERED_TO_HANDSET", description: "Message delivered to handset"
    )
    static let notDelivered = InfobipStatus(
        group: 2, id: 9, name: "UNDELIVERABLE_NOT_DELIVERED", description: "Message sent not delivered"
    )
    static let duplicateID = Self.rejected(23)
    static let tooLong = Self.rejected(25)
    static let missingRecipient = Self.rejected(51)
    static let invalidRecipient = Self.rejected(52)
    static let missingSender = Self.rejected(13)

    /// The rejection that somebody asked for; an invalid destination unless they said which.
    static func asked(_ code: String?) -> InfobipStatus { Self.rejected(code.flatMap { Int($0) } ?? 52) }

    private static func rejected(_ id: Int) -> InfobipStatus {
        let name = Self.rejections[id] ?? "REJECTED_OTHER"
        return InfobipStatus(group: 5, id: id, name: name, description: "Message rejected: \(name)")
    }

    private static let groups = ["OK", "PENDING", "UNDELIVERABLE", "DELIVERED", "EXPIRED", "REJECTED"]

    private static let rejections = [
        6: "REJECTED_NETWORK", 8: "REJECTED_PREFIX_MISSING", 10: "REJECTED_DND", 11: "REJECTED_SOURCE",
        12: "REJECTED_NOT_ENOUGH_CREDITS", 13: "REJECTED_SENDER", 14: "REJECTED_DESTINATION_BLOCKLISTED",
        17: "REJECTED_PREPAID_PACKAGE_EXPIRED", 18: "REJECTED_DESTINATION_NOT_REGISTERED",
        19: "REJECTED_ROUTE_NOT_AVAILABLE", 20: "REJECTED_FLOODING_FILTER", 21: "REJECTED_SYSTEM_ERROR",
        23: "REJECTED_DUPLICATE_MESSAGE_ID", 24: "REJECTED_INVALID_UDH", 25: "REJECTED_MESSAGE_TOO_LONG",
        51: "MISSING_TO", 52: "REJECTED_DESTINATION", 87: "SIGNALS_BLOCKED",
    ]
}

/// The `error` of a report.
struct InfobipError: Hashable {
    var group: Int
    var id: Int
    var name: String
    var isPermanent: Bool

    static let none = InfobipError(group: 0, id: 0, name: "NO_ERROR", isPermanent: false)

    /// The error that somebody asked for; an unknown subscriber unless they said which.
    static func asked(_ code: String?) -> InfobipError {
        let id = code.flatMap { Int($0) } ?? 1
        let known = Self.handsetErrors[id]
        return InfobipError(
            group: 1, id: id, name: known?.name ?? "EC_\(id)", isPermanent: known?.isPermanent ?? false
        )
    }

    var json: JSON {
        [
            "groupId": JSON(self.group), "groupName": .string(self.group == 0 ? "OK" : "HANDSET_ERRORS"),
            "id": JSON(self.id), "name": .string(self.name),
            "description": .string(self.group == 0 ? "No Error" : self.name), "permanent": .bool(self.isPermanent),
        ]
    }

    private static let handsetErrors: [Int: (name: String, isPermanent: Bool)] = [
        1: ("EC_UNKNOWN_SUBSCRIBER", true), 5: ("EC_UNIDENTIFIED_SUBSCRIBER", false),
        6: ("EC_ABSENT_SUBSCRIBER_SM", false), 9: ("EC_ILLEGAL_SUBSCRIBER", true),
        11: ("EC_TELESERVICE_NOT_PROVISIONED", true), 12: ("EC_ILLEGAL_EQUIPMENT", true),
        13: ("EC_CALL_BARRED", false), 27: ("EC_ABSENT_SUBSCRIBER", false),
        31: ("EC_SUBSCRIBER_BUSY_FOR_MT_SMS", false),
        32: ("EC_SM_DELIVERY_FAILURE", false), 34: ("EC_SYSTEM_FAILURE", false),
    ]
}
