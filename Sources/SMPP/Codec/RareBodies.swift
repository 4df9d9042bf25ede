// What no driver of ours sends, but a codec that others are checked with should know.

/// The body of `submit_multi`.
public struct MultiMessage: Sendable, Hashable {
    public enum Destination: Sendable, Hashable {
        case address(Address)
        case list(String)
    }

    /// 1 to 254.
    public var destinations: [Destination]
    /// All else; its destination is not looked at.
    public var message: ShortMessage

    public init(destinations: [Destination], message: ShortMessage) {
        self.destinations = destinations
        self.message = message
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.destinations = []
        var message = ShortMessage()
        message.serviceType = try reader.text("service_type")
        message.source = try Address(&reader, "source_addr")
        for _ in 0..<(try reader.octet("number_of_dests")) {
            switch try reader.octet("dest_flag") {
            case 1: self.destinations.append(.address(try Address(&reader, "destination_addr")))
            case 2: self.destinations.append(.list(try reader.text("dl_name")))
            default: throw PDUError(.body, field: "dest_flag")
            }
        }
        message.esmClass = try reader.octet("esm_class")
        message.protocolID = try reader.octet("protocol_id")
        message.priority = try reader.octet("priority_flag")
        message.scheduleTime = try reader.text("schedule_delivery_time")
        message.validityPeriod = try reader.text("validity_period")
        message.registeredDelivery = try reader.octet("registered_delivery")
        message.replaceIfPresent = try reader.octet("replace_if_present_flag")
        message.dataCoding = try reader.octet("data_coding")
        message.defaultMessageID = try reader.octet("sm_default_msg_id")
        message.text = try reader.octets(Int(try reader.octet("sm_length")), "short_message")
        message.parameters = try OptionalParameters(&reader)
        self.message = message
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.message.serviceType, size: 6, "service_type")
        try self.message.source.write(to: &writer, "source_addr")
        guard let count = UInt8(exactly: self.destinations.count), count < 255 else {
            throw PDUError(.tooLong, field: "number_of_dests")
        }
        writer.octet(count)
        for destination in self.destinations {
            switch destination {
            case .address(let address):
                writer.octet(1)
                try address.write(to: &writer, "destination_addr")
            case .list(let name):
                writer.octet(2)
                try writer.text(name, size: 21, "dl_name")
            }
        }
        try self.message.writeOptions(to: &writer)
        guard self.message.text.count <= ShortMessage.textLimit else {
            throw PDUError(.tooLong, field: "short_message")
        }
        writer.octet(UInt8(self.message.text.count))
        writer.append(self.message.text)
        try self.message.parameters.write(to: &writer)
    }
}

public struct MultiResponse: Sendable, Hashable {
    public struct Failure: Sendable, Hashable {
        public var address: Address
        public var status: CommandStatus

        public init(address: Address, status: CommandStatus) {
            self.address = address
            self.status = status
        }
    }

    public var messageID: String
    public var failures: [Failure]

    public init(messageID: String, failures: [Failure] = []) {
        self.messageID = messageID
        self.failures = failures
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.messageID = try reader.text("message_id", lenient: true)
        self.failures = []
        guard !reader.isAtEnd else { return }
        for _ in 0..<(try reader.octet("no_unsuccess")) {
            let address = try Address(&reader, "destination_addr")
            self.failures.append(
                Failure(address: address, status: .init(rawValue: try reader.number32("error_status_code"))))
        }
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.messageID, size: 65, "message_id")
        guard let count = UInt8(exactly: self.failures.count) else { throw PDUError(.tooLong, field: "no_unsuccess") }
        writer.octet(count)
        for failure in self.failures {
            try failure.address.write(to: &writer, "destination_addr")
            writer.number32(failure.status.rawValue)
        }
    }
}

public struct Query: Sendable, Hashable {
    public var messageID: String
    public var source: Address

    public init(messageID: String, source: Address) {
        self.messageID = messageID
        self.source = source
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.messageID = try reader.text("message_id")
        self.source = try Address(&reader, "source_addr")
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.messageID, size: 65, "message_id")
        try self.source.write(to: &writer, "source_addr")
    }
}

public struct QueryResponse: Sendable, Hashable {
    public var messageID: String
    public var finalDate: String
    public var state: UInt8
    public var errorCode: UInt8

    public init(messageID: String, finalDate: String = "", state: UInt8, errorCode: UInt8 = 0) {
        self.messageID = messageID
        self.finalDate = finalDate
        self.state = state
        self.errorCode = errorCode
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.messageID = try reader.text("message_id")
        self.finalDate = try reader.text("final_date")
        self.state = try reader.octet("message_state")
        self.errorCode = try reader.octet("error_code")
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.messageID, size: 65, "message_id")
        try writer.text(self.finalDate, size: 17, "final_date")
        writer.octet(self.state)
        writer.octet(self.errorCode)
    }
}

public struct Replacement: Sendable, Hashable {
    public var messageID: String
    public var source: Address
    public var scheduleTime: String
    public var validityPeriod: String
    public var registeredDelivery: UInt8
    public var defaultMessageID: UInt8
    public var text: [UInt8]

    public init(
        messageID: String, source: Address, scheduleTime: String = "", validityPeriod: String = "",
        registeredDelivery: UInt8 = 0, defaultMessageID: UInt8 = 0, text: [UInt8]
    ) {
        self.messageID = messageID
        self.source = source
        self.scheduleTime = scheduleTime
        self.validityPeriod = validityPeriod
        self.registeredDelivery = registeredDelivery
        self.defaultMessageID = defaultMessageID
        self.text = text
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.messageID = try reader.text("message_id")
        self.source = try Address(&reader, "source_addr")
        self.scheduleTime = try reader.text("schedule_delivery_time")
        self.validityPeriod = try reader.text("validity_period")
        self.registeredDelivery = try reader.octet("registered_delivery")
        self.defaultMessageID = try reader.octet("sm_default_msg_id")
        self.text = try reader.octets(Int(try reader.octet("sm_length")), "short_message")
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.messageID, size: 65, "message_id")
        try self.source.write(to: &writer, "source_addr")
        try writer.text(self.scheduleTime, size: 17, "schedule_delivery_time")
        try writer.text(self.validityPeriod, size: 17, "validity_period")
        writer.octet(self.registeredDelivery)
        writer.octet(self.defaultMessageID)
        guard self.text.count <= ShortMessage.textLimit else { throw PDUError(.tooLong, field: "short_message") }
        writer.octet(UInt8(self.text.count))
        writer.append(self.text)
    }
}

public struct Cancellation: Sendable, Hashable {
    public var serviceType: String
    public var messageID: String
    public var source: Address
    public var destination: Address

    public init(serviceType: String = "", messageID: String, source: Address, destination: Address) {
        self.serviceType = serviceType
        self.messageID = messageID
        self.source = source
        self.destination = destination
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.serviceType = try reader.text("service_type")
        self.messageID = try reader.text("message_id")
        self.source = try Address(&reader, "source_addr")
        self.destination = try Address(&reader, "destination_addr")
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.serviceType, size: 6, "service_type")
        try writer.text(self.messageID, size: 65, "message_id")
        try self.source.write(to: &writer, "source_addr")
        try self.destination.write(to: &writer, "destination_addr")
    }
}
