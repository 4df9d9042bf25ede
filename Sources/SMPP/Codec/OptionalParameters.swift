/// The tag of an optional parameter.
public struct ParameterTag: RawRepresentable, Sendable, Hashable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let additionalStatusText = Self(rawValue: 0x001D)
    public static let receiptedMessageID = Self(rawValue: 0x001E)
    public static let userMessageReference = Self(rawValue: 0x0204)
    public static let sourcePort = Self(rawValue: 0x020A)
    public static let destinationPort = Self(rawValue: 0x020B)
    public static let segmentReference = Self(rawValue: 0x020C)
    public static let segmentTotal = Self(rawValue: 0x020E)
    public static let segmentNumber = Self(rawValue: 0x020F)
    public static let interfaceVersion = Self(rawValue: 0x0210)
    public static let networkErrorCode = Self(rawValue: 0x0423)
    public static let messagePayload = Self(rawValue: 0x0424)
    public static let deliveryFailureReason = Self(rawValue: 0x0425)
    public static let moreMessages = Self(rawValue: 0x0426)
    public static let messageState = Self(rawValue: 0x0427)
}

/// What may stand behind a body: tag, length and value, in any order.
public struct OptionalParameters: Sendable, Hashable {
    public struct Parameter: Sendable, Hashable {
        public var tag: ParameterTag
        public var value: [UInt8]

        public init(_ tag: ParameterTag, _ value: [UInt8]) {
            self.tag = tag
            self.value = value
        }
    }

    /// As they stand.
    public var all: [Parameter]

    public init(_ all: [Parameter] = []) { self.all = all }

    /// The first with the tag.
    public subscript(_ tag: ParameterTag) -> [UInt8]? { self.all.first { $0.tag == tag }?.value }

    /// The text of a C-octet string, without the NUL that it may end with.
    public func text(_ tag: ParameterTag) -> String? { self[tag].map { String(latin1: $0.prefix { $0 != 0 }) } }

    /// A number of one or two octets.
    public func number(_ tag: ParameterTag) -> UInt16? {
        guard let value = self[tag], (1...2).contains(value.count) else { return nil }
        return value.reduce(0) { $0 << 8 | UInt16($1) }
    }

    public mutating func append(_ tag: ParameterTag, octet: UInt8) { self.all.append(Parameter(tag, [octet])) }

    public mutating func append(_ tag: ParameterTag, number: UInt16) {
        self.all.append(Parameter(tag, [UInt8(number >> 8), UInt8(number & 0xFF)]))
    }

    // MARK: - Codec

    init(_ reader: inout OctetReader) throws(PDUError) {
        self.all = []
        while !reader.isAtEnd {
            let tag = ParameterTag(rawValue: try reader.number16("optional parameter"))
            let length = Int(try reader.number16("optional parameter"))
            self.all.append(Parameter(tag, try reader.octets(length, "optional parameter")))
        }
    }

    /// As many as can be read; some SMSCs leave stray octets behind a body, and nothing that is needed stands behind those.
    init(bestEffort reader: inout OctetReader) {
        self.all = []
        while !reader.isAtEnd {
            guard
                let tag = try? reader.number16(""), let length = try? reader.number16(""),
                let value = try? reader.octets(Int(length), "")
            else { return }
            self.all.append(Parameter(ParameterTag(rawValue: tag), value))
        }
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        for parameter in self.all {
            guard let length = UInt16(exactly: parameter.value.count) else {
                throw PDUError(.tooLong, field: "optional parameter")
            }
            writer.number16(parameter.tag.rawValue)
            writer.number16(length)
            writer.append(parameter.value)
        }
    }
}
