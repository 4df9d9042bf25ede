extension PDUHeader {
    /// Reads the first sixteen octets; nil when there are fewer.
    public init?(_ octets: ArraySlice<UInt8>) {
        guard octets.count >= PDU.headerLength else { return nil }
        func number(_ index: Int) -> UInt32 {
            octets[(octets.startIndex + 4 * index)...].prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        }
        self.init(
            length: number(0), commandID: number(1), status: CommandStatus(rawValue: number(2)), sequence: number(3))
    }
}

extension PDU {
    /// Reads one whole PDU. Never traps, whatever the octets are; what is no PDU has its reason.
    public static func decode(_ octets: some Collection<UInt8>) throws(PDUError) -> PDU {
        let octets = ArraySlice(octets)
        guard let header = PDUHeader(octets), octets.count <= Self.lengthLimit, Int(header.length) == octets.count
        else {
            throw PDUError(.length, header: PDUHeader(octets))
        }
        guard let command = header.command else { throw PDUError(.command, header: header) }
        var reader = OctetReader(octets.dropFirst(Self.headerLength))
        do throws(PDUError) {
            let body =
                header.isResponse ? try Self.response(command, &reader) : try Self.request(command, &reader)
            return PDU(body, status: header.status, sequence: header.sequence)
        } catch {
            throw PDUError(error.problem, field: error.field, header: header)
        }
    }

    /// The octets that go over the wire. Throws when a value does not fit into its field.
    public func encoded() throws(PDUError) -> [UInt8] {
        var writer = OctetWriter()
        writer.number32(0)
        writer.number32(self.body.commandID)
        writer.number32(self.status.rawValue)
        writer.number32(self.sequence)
        try self.body.write(to: &writer)
        guard writer.octets.count <= Self.lengthLimit else { throw PDUError(.tooLong, field: "command_length") }
        writer.replace32(at: 0, with: UInt32(writer.octets.count))
        return writer.octets
    }

    // MARK: - Private

    private static func request(_ command: Command, _ reader: inout OctetReader) throws(PDUError) -> Body {
        if let kind = BindKind(command) { return .bind(kind, try Bind(&reader)) }
        switch command {
        case .submit: return .submit(try ShortMessage(&reader))
        case .deliver: return .deliver(try ShortMessage(bestEffort: &reader))
        case .data: return .data(try DataMessage(&reader))
        case .submitMulti: return .submitMulti(try MultiMessage(&reader))
        case .query: return .query(try Query(&reader))
        case .replace: return .replace(try Replacement(&reader))
        case .cancel: return .cancel(try Cancellation(&reader))
        case .outbind: return .outbind(try Outbind(&reader))
        case .alertNotification: return .alertNotification(try Alert(&reader))
        case .unbind: return .unbind
        case .enquireLink: return .enquireLink
        // There is no request of this number; binds are above.
        case .genericNack, .bindReceiver, .bindTransmitter, .bindTransceiver: throw PDUError(.command)
        }
    }

    private static func response(_ command: Command, _ reader: inout OctetReader) throws(PDUError) -> Body {
        let isBare = reader.isAtEnd
        if let kind = BindKind(command) { return .bindResponse(kind, isBare ? nil : try BindResponse(&reader)) }
        switch command {
        case .submit: return .submitResponse(isBare ? nil : try MessageResponse(&reader))
        case .deliver: return .deliverResponse(isBare ? nil : try MessageResponse(&reader))
        case .data: return .dataResponse(isBare ? nil : try MessageResponse(&reader))
        case .submitMulti: return .submitMultiResponse(isBare ? nil : try MultiResponse(&reader))
        case .query: return .queryResponse(isBare ? nil : try QueryResponse(&reader))
        case .replace: return .replaceResponse
        case .cancel: return .cancelResponse
        case .unbind: return .unbindResponse
        case .enquireLink: return .enquireLinkResponse
        case .genericNack: return .genericNack
        // Neither has an answer; binds are above.
        case .outbind, .alertNotification, .bindReceiver, .bindTransmitter, .bindTransceiver:
            throw PDUError(.command)
        }
    }
}

extension PDU.Body {
    /// As it goes over the wire.
    public var commandID: UInt32 { self.command.rawValue | (self.isResponse ? PDUHeader.responseBit : 0) }

    public var command: Command {
        switch self {
        case .bind(let kind, _), .bindResponse(let kind, _): kind.command
        case .outbind: .outbind
        case .unbind, .unbindResponse: .unbind
        case .enquireLink, .enquireLinkResponse: .enquireLink
        case .genericNack: .genericNack
        case .submit, .submitResponse: .submit
        case .deliver, .deliverResponse: .deliver
        case .data, .dataResponse: .data
        case .submitMulti, .submitMultiResponse: .submitMulti
        case .query, .queryResponse: .query
        case .replace, .replaceResponse: .replace
        case .cancel, .cancelResponse: .cancel
        case .alertNotification: .alertNotification
        }
    }

    public var isResponse: Bool {
        switch self {
        case .bindResponse, .unbindResponse, .enquireLinkResponse, .genericNack, .submitResponse, .deliverResponse,
            .dataResponse, .submitMultiResponse, .queryResponse, .replaceResponse, .cancelResponse:
            true
        case .bind, .outbind, .unbind, .enquireLink, .submit, .deliver, .data, .submitMulti, .query, .replace, .cancel,
            .alertNotification:
            false
        }
    }

    func write(to writer: inout OctetWriter) throws(PDUError) {
        switch self {
        case .bind(_, let body): try body.write(to: &writer)
        case .bindResponse(_, let body): try body?.write(to: &writer)
        case .outbind(let body): try body.write(to: &writer)
        case .submit(let body), .deliver(let body): try body.write(to: &writer)
        case .submitResponse(let body), .deliverResponse(let body), .dataResponse(let body):
            try body?.write(to: &writer)
        case .data(let body): try body.write(to: &writer)
        case .submitMulti(let body): try body.write(to: &writer)
        case .submitMultiResponse(let body): try body?.write(to: &writer)
        case .query(let body): try body.write(to: &writer)
        case .queryResponse(let body): try body?.write(to: &writer)
        case .replace(let body): try body.write(to: &writer)
        case .cancel(let body): try body.write(to: &writer)
        case .alertNotification(let body): try body.write(to: &writer)
        case .unbind, .unbindResponse, .enquireLink, .enquireLinkResponse, .genericNack, .replaceResponse,
            .cancelResponse:
            break
        }
    }
}
