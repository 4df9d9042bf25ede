import Testing

@testable import SMPP

@Suite struct PDUTests {
    /// As libsmpp34 packed it (providers.md section 5.1).
    static let submit = octets(
        """
        0000003c 00000004 00000000 00000007 00 05 00 41434d4500 01 01 34343737303039303030303000
        00 00 00 00 00 01 00 00 00 05 68656c6c6f 0204 0002 1234
        """)

    static var submitted: PDU {
        var message = ShortMessage()
        message.source = Address(type: 5, plan: 0, "ACME")
        message.destination = Address(type: 1, plan: 1, "447700900000")
        message.registeredDelivery = 1
        message.text = Array("hello".utf8)
        message.parameters.append(.userMessageReference, number: 0x1234)
        return PDU(.submit(message), sequence: 7)
    }

    @Test func theVectorIsWrittenAndRead() throws {
        #expect(try Self.submitted.encoded() == Self.submit)
        #expect(try PDU.decode(Self.submit) == Self.submitted)
    }

    static let samples: [PDU.Body] = {
        let address = Address(type: 1, plan: 1, "41791234567")
        var message = ShortMessage()
        message.serviceType = "CMT"
        message.source = Address(type: 5, plan: 0, "Pinpost")
        message.destination = address
        message.validityPeriod = "000000000500000R"
        message.text = [0, 1, 2]
        message.parameters = OptionalParameters([.init(.messagePayload, [UInt8](repeating: 7, count: 300))])
        var data = DataMessage()
        data.destination = address
        data.parameters.append(.messageState, octet: 2)
        let bind = Bind(systemID: "pinpost", password: "secret", systemType: "otp")
        return BindKind.allCases.flatMap {
            [.bind($0, bind), .bindResponse($0, BindResponse(systemID: "smsc")), .bindResponse($0, nil)]
        } + [
            .outbind(Outbind(systemID: "smsc", password: "x")), .unbind, .unbindResponse, .enquireLink,
            .enquireLinkResponse, .genericNack, .submit(message), .submitResponse(MessageResponse(messageID: "4F")),
            .submitResponse(nil), .deliver(message), .deliverResponse(MessageResponse()), .deliverResponse(nil),
            .data(data), .dataResponse(MessageResponse(messageID: "1")), .dataResponse(nil),
            .submitMulti(
                MultiMessage(destinations: [.address(address), .list("all")], message: Self.noDestination(message))),
            .submitMultiResponse(
                MultiResponse(messageID: "9", failures: [.init(address: address, status: .invalidDestination)])),
            .submitMultiResponse(nil), .query(Query(messageID: "4F", source: address)),
            .queryResponse(QueryResponse(messageID: "4F", finalDate: "261121195900000+", state: 2)),
            .queryResponse(nil), .replace(Replacement(messageID: "4F", source: address, text: [1])), .replaceResponse,
            .cancel(Cancellation(messageID: "4F", source: address, destination: address)), .cancelResponse,
            .alertNotification(Alert(source: address, esme: address)),
        ]
    }()

    private static func noDestination(_ message: ShortMessage) -> ShortMessage {
        var message = message
        message.destination = Address()
        return message
    }

    @Test(arguments: samples.indices) func everyPDUComesBack(_ index: Int) throws {
        let pdu = PDU(Self.samples[index], status: .throttled, sequence: 0x7FFF_FFFF)
        #expect(try PDU.decode(try pdu.encoded()) == pdu)
    }

    @Test(arguments: Command.allCases.filter { ![.outbind, .alertNotification].contains($0) })
    func everyAnswerMayBeAHeaderOnly(_ command: Command) throws {
        var writer = OctetWriter()
        for number in [16, command.rawValue | 0x8000_0000, 0x58, 9] { writer.number32(number) }
        let pdu = try PDU.decode(writer.octets)
        #expect(pdu.status == .throttled)
        #expect(pdu.body.command == command && pdu.body.isResponse)
    }

    @Test func anAnswerWithoutItsLastNULIsRead() throws {
        let pdu = try PDU.decode(octets("00000012 80000004 00000000 00000001 3446"))
        #expect(pdu.body == .submitResponse(MessageResponse(messageID: "4F")))
    }

    /// Some SMSCs leave octets behind a body that are no parameters.
    @Test func strayOctetsBehindABodyDoNotCostIt() throws {
        for stray: [UInt8] in [[0], [0, 0, 0], [4, 0x27, 0, 9, 1], [0xFF, 0xFF, 0xFF, 0xFF]] {
            for sample in Self.samples {
                switch sample {
                case .bindResponse(_, .some), .submitResponse(.some), .deliver: break
                default: continue
                }
                var whole = try PDU(sample, sequence: 1).encoded() + stray
                whole.replaceSubrange(0..<4, with: [0, 0, UInt8(whole.count >> 8), UInt8(whole.count & 0xFF)])
                #expect(try PDU.decode(whole).body == sample)
            }
        }
    }

    @Test(arguments: [
        "", "0000", "0000000f 80000000 00000000 000000", "00000010 80000000 00000000 00000001 00",
        "00000011 80000000 00000000 00000001",
    ]) func aWrongLengthIsNoPDU(_ hex: String) {
        #expect { try PDU.decode(octets(hex)) } throws: { ($0 as? PDUError)?.problem == .length }
    }

    @Test(arguments: [
        "00000010 00000000 00000000 00000001", "00000010 00000777 00000000 00000001",
        "00000010 8000000b 00000000 00000001",
    ])
    func anUnknownCommandKeepsItsHeader(_ hex: String) {
        #expect { try PDU.decode(octets(hex)) } throws: { error in
            let error = error as? PDUError
            return error?.problem == .command && error?.header?.sequence == 1
        }
    }

    @Test func everyRequestCutShortIsAnError() throws {
        // Of an answer the last NUL may be missing.
        for sample in Self.samples where !sample.isResponse {
            let whole = try PDU(sample, sequence: 1).encoded()
            for length in PDU.headerLength..<whole.count {
                var cut = Array(whole[..<length])
                cut.replaceSubrange(0..<4, with: [0, 0, UInt8(length >> 8), UInt8(length & 0xFF)])
                // Some cuts leave another PDU that is whole; none may trap, and none may be read as this one.
                if let pdu = try? PDU.decode(cut) { #expect(pdu.body != sample) }
            }
        }
    }

    @Test func noOctetsTrap() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var octets = (try? PDU(Self.samples.randomElement() ?? .unbind, sequence: 1).encoded()) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                octets[Int.random(in: 4..<octets.count)] = .random(in: 0...255)
            }
            _ = try? PDU.decode(octets)
            if let receipt = ReceiptText(octets) { #expect(receipt.id != nil || receipt.state != nil) }
        }
    }

    static let misfits: [(String, @Sendable (inout ShortMessage) -> Void)] = [
        ("destination_addr", { $0.destination.text = String(repeating: "1", count: 21) }),
        ("source_addr", { $0.source.text = "Ж" }), ("source_addr", { $0.source.text = "a\0b" }),
        ("short_message", { $0.text = [UInt8](repeating: 0, count: 255) }),
        ("optional parameter", { $0.parameters.all = [.init(.messagePayload, [UInt8](repeating: 0, count: 65536))] }),
        ("command_length", { $0.parameters.all = [.init(.messagePayload, [UInt8](repeating: 0, count: 65500))] }),
    ]

    @Test(arguments: misfits.indices) func whatDoesNotFitIsNotWritten(_ index: Int) {
        let (field, change) = Self.misfits[index]
        var message = ShortMessage()
        change(&message)
        #expect(throws: PDUError(.tooLong, field: field)) { try PDU(.submit(message), sequence: 1).encoded() }
    }

    @Test func nothingSecretIsPrinted() {
        var message = ShortMessage()
        message.text = Array("493817".utf8)
        message.destination.text = "41791234567"
        let bind = Bind(systemID: "pinpost", password: "hunter2")
        for pdu in [PDU(.submit(message), sequence: 1), PDU(.bind(.transceiver, bind), sequence: 1)] {
            var text = "\(pdu)"
            dump(pdu, to: &text)
            #expect(!text.contains("hunter2") && !text.contains("41791234567"))
        }
    }

    // MARK: - Framing

    @Test func pdusAreCutOutOfAnyPieces() throws {
        let stream = try Self.samples.flatMap { try PDU($0, sequence: 1).encoded() }
        for size in [1, 3, 17, 1000, stream.count] {
            var framer = Framer()
            var bodies: [PDU.Body] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                framer.append(stream[start..<min(start + size, stream.count)])
                while let pdu = try framer.next() { bodies.append(try pdu.get().body) }
            }
            #expect(bodies == Self.samples)
        }
    }

    @Test(arguments: ["0000000f", "00010001", "3c68746d"]) func aLengthThatCannotBeEndsTheFraming(_ hex: String) {
        var framer = Framer()
        framer.append(octets(hex))
        #expect(throws: PDUError.self) { try framer.next() }
    }

    @Test func theLengthsAtTheLimitsAreRead() throws {
        var framer = Framer()
        framer.append(octets("00000010 00000015 00000000 00000001"))
        #expect(try framer.next() != nil)
        var message = ShortMessage()
        message.parameters.all = [.init(.messagePayload, [UInt8](repeating: 0, count: PDU.lengthLimit - 16 - 17 - 4))]
        let largest = try PDU(.submit(message), sequence: 1).encoded()
        #expect(largest.count == PDU.lengthLimit)
        framer.append(largest)
        #expect(try framer.next()?.get().body == .submit(message))
    }

    @Test func onePDUThatCannotBeReadDoesNotEndTheFraming() throws {
        var framer = Framer()
        framer.append(octets("00000010 00000004 00000000 00000001 00000010 00000015 00000000 00000002"))
        #expect { try framer.next()?.get() } throws: { ($0 as? PDUError)?.header?.sequence == 1 }
        #expect(try framer.next()?.get() == PDU(.enquireLink, sequence: 2))
    }
}
