/// A number or name with its type and plan (section 5.2.5 and 5.2.6).
public struct Address: Sendable, Hashable {
    public var type: UInt8
    public var plan: UInt8
    public var text: String

    public init(type: UInt8 = 0, plan: UInt8 = 0, _ text: String = "") {
        self.type = type
        self.plan = plan
        self.text = text
    }

    init(_ reader: inout OctetReader, _ field: String) throws(PDUError) {
        self.type = try reader.octet(field)
        self.plan = try reader.octet(field)
        self.text = try reader.text(field)
    }

    func write(to writer: inout OctetWriter, size: Int = 21, _ field: String) throws(PDUError) {
        writer.octet(self.type)
        writer.octet(self.plan)
        try writer.text(self.text, size: size, field)
    }
}

extension Address: CustomStringConvertible, CustomReflectable {
    /// A number has no place in a log.
    public var description: String { "address" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The body of `bind_receiver`, `bind_transmitter` and `bind_transceiver`. Holds a password, so it prints its system only.
public struct Bind: Sendable, Hashable {
    public var systemID: String
    public var password: String
    public var systemType: String
    public var interfaceVersion: UInt8
    /// Its text is the range of addresses that a receiver asks for.
    public var addressRange: Address

    public init(
        systemID: String, password: String, systemType: String = "", interfaceVersion: UInt8 = 0x34,
        addressRange: Address = Address()
    ) {
        self.systemID = systemID
        self.password = password
        self.systemType = systemType
        self.interfaceVersion = interfaceVersion
        self.addressRange = addressRange
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.systemID = try reader.text("system_id")
        self.password = try reader.text("password")
        self.systemType = try reader.text("system_type")
        self.interfaceVersion = try reader.octet("interface_version")
        self.addressRange = try Address(&reader, "address_range")
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.systemID, size: 16, "system_id")
        try writer.text(self.password, size: 9, "password")
        try writer.text(self.systemType, size: 13, "system_type")
        writer.octet(self.interfaceVersion)
        try self.addressRange.write(to: &writer, size: 41, "address_range")
    }
}

extension Bind: CustomStringConvertible, CustomReflectable {
    public var description: String { "bind of \(self.systemID)" }
    public var customMirror: Mirror { Mirror(self, children: ["systemID": self.systemID]) }
}

public struct BindResponse: Sendable, Hashable {
    public var systemID: String
    public var parameters: OptionalParameters

    public init(systemID: String, parameters: OptionalParameters = OptionalParameters()) {
        self.systemID = systemID
        self.parameters = parameters
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.systemID = try reader.text("system_id", lenient: true)
        self.parameters = OptionalParameters(bestEffort: &reader)
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.systemID, size: 16, "system_id")
        try self.parameters.write(to: &writer)
    }
}

public struct Outbind: Sendable, Hashable {
    public var systemID: String
    public var password: String

    public init(systemID: String, password: String) {
        self.systemID = systemID
        self.password = password
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.systemID = try reader.text("system_id")
        self.password = try reader.text("password")
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.systemID, size: 16, "system_id")
        try writer.text(self.password, size: 9, "password")
    }
}

extension Outbind: CustomStringConvertible, CustomReflectable {
    public var description: String { "outbind of \(self.systemID)" }
    public var customMirror: Mirror { Mirror(self, children: ["systemID": self.systemID]) }
}

/// The body of answers to `submit_sm`, `deliver_sm` and `data_sm`.
public struct MessageResponse: Sendable, Hashable {
    /// Empty in the answer to a `deliver_sm`.
    public var messageID: String
    public var parameters: OptionalParameters

    public init(messageID: String = "", parameters: OptionalParameters = OptionalParameters()) {
        self.messageID = messageID
        self.parameters = parameters
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.messageID = try reader.text("message_id", lenient: true)
        self.parameters = OptionalParameters(bestEffort: &reader)
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try writer.text(self.messageID, size: 65, "message_id")
        try self.parameters.write(to: &writer)
    }
}

public struct Alert: Sendable, Hashable {
    public var source: Address
    public var esme: Address
    public var parameters: OptionalParameters

    public init(source: Address, esme: Address, parameters: OptionalParameters = OptionalParameters()) {
        self.source = source
        self.esme = esme
        self.parameters = parameters
    }

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.source = try Address(&reader, "source_addr")
        self.esme = try Address(&reader, "esme_addr")
        self.parameters = try OptionalParameters(&reader)
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        try self.source.write(to: &writer, size: 65, "source_addr")
        try self.esme.write(to: &writer, size: 65, "esme_addr")
        try self.parameters.write(to: &writer)
    }
}
