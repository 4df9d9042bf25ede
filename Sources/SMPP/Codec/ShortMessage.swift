/// The body of `submit_sm` and `deliver_sm`. Never logged: it prints no more than its length.
public struct ShortMessage: Sendable, Hashable {
    public var serviceType = ""
    public var source = Address()
    public var destination = Address()
    public var esmClass: UInt8 = 0
    public var protocolID: UInt8 = 0
    public var priority: UInt8 = 0
    /// Empty, or 16 characters.
    public var scheduleTime = ""
    public var validityPeriod = ""
    public var registeredDelivery: UInt8 = 0
    public var replaceIfPresent: UInt8 = 0
    public var dataCoding: UInt8 = 0
    public var defaultMessageID: UInt8 = 0
    /// At most ``textLimit`` octets.
    public var text: [UInt8] = []
    public var parameters = OptionalParameters()

    public init() {}

    /// Octets of `short_message`.
    public static let textLimit = 254

    /// The text, wherever it stands.
    public var payload: [UInt8] { self.text.isEmpty ? self.parameters[.messagePayload] ?? [] : self.text }

    init(_ reader: inout OctetReader) throws(PDUError) {
        try self.init(beforeParameters: &reader)
        self.parameters = try OptionalParameters(&reader)
    }

    /// With as many parameters as can be read.
    init(bestEffort reader: inout OctetReader) throws(PDUError) {
        try self.init(beforeParameters: &reader)
        self.parameters = OptionalParameters(bestEffort: &reader)
    }

    private init(beforeParameters reader: inout OctetReader) throws(PDUError) {
        self.serviceType = try reader.text("service_type")
        self.source = try Address(&reader, "source_addr")
        self.destination = try Address(&reader, "destination_addr")
        self.esmClass = try reader.octet("esm_class")
        self.protocolID = try reader.octet("protocol_id")
        self.priority = try reader.octet("priority_flag")
        self.scheduleTime = try reader.text("schedule_delivery_time")
        self.validityPeriod = try reader.text("validity_period")
        self.registeredDelivery = try reader.octet("registered_delivery")
        self.replaceIfPresent = try reader.octet("replace_if_present_flag")
        self.dataCoding = try reader.octet("data_coding")
        self.defaultMessageID = try reader.octet("sm_default_msg_id")
        self.text = try reader.octets(Int(try reader.octet("sm_length")), "short_message")
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.serviceType, size: 6, "service_type")
        try self.source.write(to: &writer, "source_addr")
        try self.destination.write(to: &writer, "destination_addr")
        try self.writeOptions(to: &writer)
        guard self.text.count <= Self.textLimit else { throw PDUError(.tooLong, field: "short_message") }
        writer.octet(UInt8(self.text.count))
        writer.append(self.text)
        try self.parameters.write(to: &writer)
    }

    /// What stands between the addresses and the text, in `submit_multi` too.
    func writeOptions(to writer: inout OctetWriter) throws(PDUError) {
        writer.octet(self.esmClass)
        writer.octet(self.protocolID)
        writer.octet(self.priority)
        try writer.text(self.scheduleTime, size: 17, "schedule_delivery_time")
        try writer.text(self.validityPeriod, size: 17, "validity_period")
        writer.octet(self.registeredDelivery)
        writer.octet(self.replaceIfPresent)
        writer.octet(self.dataCoding)
        writer.octet(self.defaultMessageID)
    }
}

extension ShortMessage: CustomStringConvertible, CustomReflectable {
    public var description: String { "short message of \(self.text.count) octets" }
    public var customMirror: Mirror { Mirror(self, children: ["octets": self.text.count]) }
}

/// The body of `data_sm`, whose text is a parameter.
public struct DataMessage: Sendable, Hashable {
    public var serviceType = ""
    public var source = Address()
    public var destination = Address()
    public var esmClass: UInt8 = 0
    public var registeredDelivery: UInt8 = 0
    public var dataCoding: UInt8 = 0
    public var parameters = OptionalParameters()

    public init() {}

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.serviceType = try reader.text("service_type")
        self.source = try Address(&reader, "source_addr")
        self.destination = try Address(&reader, "destination_addr")
        self.esmClass = try reader.octet("esm_class")
        self.registeredDelivery = try reader.octet("registered_delivery")
        self.dataCoding = try reader.octet("data_coding")
        self.parameters = try OptionalParameters(&reader)
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.serviceType, size: 6, "service_type")
        try self.source.write(to: &writer, size: 65, "source_addr")
        try self.destination.write(to: &writer, size: 65, "destination_addr")
        writer.octet(self.esmClass)
        writer.octet(self.registeredDelivery)
        writer.octet(self.dataCoding)
        try self.parameters.write(to: &writer)
    }

    /// As it would have come in a `deliver_sm`.
    public var shortMessage: ShortMessage {
        var message = ShortMessage()
        message.source = self.source
        message.destination = self.destination
        message.esmClass = self.esmClass
        message.dataCoding = self.dataCoding
        message.parameters = self.parameters
        return message
    }
}

extension DataMessage: CustomStringConvertible, CustomReflectable {
    public var description: String { "data message" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
