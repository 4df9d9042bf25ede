import Testing

@testable import SMPP

/// The session's rules, without a socket or a clock.
@Suite struct SessionCoreTests {
    static let start = ContinuousClock.now

    /// A core that is bound, with the PDUs it wrote so far taken out.
    static func bound(_ change: (inout Session.Configuration) -> Void = { _ in }) throws -> SessionCore {
        var configuration = Session.Configuration(
            host: "smsc", port: 2775, kind: .transceiver, bind: Bind(systemID: "pinpost", password: "s3cret"))
        change(&configuration)
        var core = SessionCore(configuration)
        core.connected(now: self.start)
        let bind = try core.written()[0]
        _ = core.receive(.success(PDU(.bindResponse(.transceiver, nil), sequence: bind.sequence)), now: self.start)
        #expect(core.phase == .bound)
        return core
    }

    static func messages(_ count: Int) -> [ShortMessage] {
        (0..<count).map { number in
            var message = ShortMessage()
            message.text = [UInt8(number)]
            return message
        }
    }

    static func accepted(_ sequence: UInt32, _ id: String = "7") -> Result<PDU, PDUError> {
        .success(PDU(.submitResponse(MessageResponse(messageID: id)), sequence: sequence))
    }

    // MARK: - Binding

    @Test func aRefusedBindEndsTheSession() throws {
        var core = SessionCore(
            Session.Configuration(host: "", port: 1, kind: .transceiver, bind: Bind(systemID: "a", password: "b")))
        core.connected(now: Self.start)
        let bind = try core.written()[0]
        let refusal = PDU(.bindResponse(.transceiver, nil), status: .invalidPassword, sequence: bind.sequence)
        _ = core.receive(.success(refusal), now: Self.start)
        #expect(core.phase == .ending(.refused(.invalidPassword)))
    }

    @Test func aBindWithoutAnAnswerIsGivenUp() throws {
        var core = SessionCore(
            Session.Configuration(host: "", port: 1, kind: .transceiver, bind: Bind(systemID: "a", password: "b")))
        core.connected(now: Self.start)
        _ = core.tick(now: Self.start + .seconds(9))
        #expect(core.phase == .binding)
        _ = core.tick(now: Self.start + .seconds(10))
        #expect(core.phase == .ending(.unresponsive))
    }

    @Test func nothingIsSubmittedBeforeTheBind() {
        var core = SessionCore(
            Session.Configuration(host: "", port: 1, kind: .transceiver, bind: Bind(systemID: "a", password: "b")))
        #expect(core.submit(Self.messages(2), deadline: Self.start).effects.results == [[.notSent, .notSent]])
    }

    // MARK: - The window

    @Test func noMoreThanTheWindowIsUnderWay() throws {
        var core = try Self.bound { $0.window = 2 }
        #expect(core.submit(Self.messages(3), deadline: Self.start + .seconds(5)).effects.isEmpty)
        let first = try core.written()
        #expect(first.count == 2)
        #expect(core.receive(Self.accepted(first[1].sequence, "b"), now: Self.start).isEmpty)
        let second = try core.written()
        #expect(second.count == 1)
        _ = core.receive(Self.accepted(first[0].sequence, "a"), now: Self.start)
        let effects = core.receive(Self.accepted(second[0].sequence, "c"), now: Self.start)
        // In the order of the parts, whatever the order of the answers.
        #expect(effects.results == [[.accepted(messageID: "a"), .accepted(messageID: "b"), .accepted(messageID: "c")]])
    }

    @Test func whatWasNotWrittenWasNotSent() throws {
        var core = try Self.bound { $0.window = 2 }
        _ = core.submit(Self.messages(1), deadline: Self.start + .seconds(5))
        _ = try core.written()
        _ = core.submit(Self.messages(2), deadline: Self.start + .seconds(5))
        let results = core.disconnected().results
        #expect(results.contains([.unanswered]))
        #expect(results.contains([.notSent, .notSent]))
    }

    @Test func whatHasNoAnswerInTimeIsUnanswered() throws {
        var core = try Self.bound { $0.window = 1 }
        _ = core.submit(Self.messages(2), deadline: Self.start + .seconds(5))
        let sent = try core.written()
        #expect(core.tick(now: Self.start + .seconds(4)).isEmpty)
        #expect(core.tick(now: Self.start + .seconds(5)).results == [[.unanswered, .notSent]])
        // An answer that comes too late changes nothing, and the window is free again.
        #expect(core.receive(Self.accepted(sent[0].sequence), now: Self.start).isEmpty)
        _ = core.submit(Self.messages(1), deadline: Self.start + .seconds(9))
        #expect(try core.written().count == 1)
    }

    @Test func tooManyWithoutAnAnswerEndTheSession() throws {
        var core = try Self.bound { $0.timeoutLimit = 3 }
        _ = core.submit(Self.messages(3), deadline: Self.start + .seconds(1))
        _ = try core.written()
        _ = core.tick(now: Self.start + .seconds(1))
        // A pause may be short: only silence that lasts ends it.
        #expect(core.phase == .bound)
        _ = core.tick(now: Self.start + .seconds(10))
        #expect(core.phase == .ending(.unresponsive))
    }

    @Test func aBatchThatMeetsAShortPauseDoesNotEndTheSession() throws {
        var core = try Self.bound { $0.timeoutLimit = 3 }
        _ = core.submit(Self.messages(3), deadline: Self.start + .seconds(1))
        let sent = try core.written()
        _ = core.tick(now: Self.start + .seconds(1))
        // Too late for its message, but an answer.
        _ = core.receive(Self.accepted(sent[0].sequence), now: Self.start + .milliseconds(1300))
        _ = core.tick(now: Self.start + .seconds(15))
        #expect(core.phase == .bound)
    }

    @Test func aPeerThatSendsAndNeverReadsIsGivenUp() throws {
        var core = try Self.bound()
        for number in 1...UInt32(SessionCore.outputLimit / PDU.headerLength + 1) {
            _ = core.receive(.success(PDU(.enquireLink, sequence: number)), now: Self.start)
        }
        #expect(core.phase == .ending(.unresponsive))
        #expect(core.takeOutput(now: Self.start).count <= SessionCore.outputLimit + PDU.headerLength)
    }

    @Test func anAnswerToAnEnquiryDoesNotHoldUpTheEnd() throws {
        var core = try Self.bound()
        _ = core.tick(now: Self.start + .seconds(30))
        let enquiry = try core.written()[0]
        core.close(now: Self.start + .seconds(31))
        _ = core.receive(
            .success(PDU(.enquireLinkResponse, sequence: enquiry.sequence)), now: Self.start + .seconds(32))
        _ = core.tick(now: Self.start + .seconds(33))
        #expect(core.phase == .ending(.closed))
    }

    @Test func whoeverWaitsNoLongerIsToldAtOnce() throws {
        var core = try Self.bound { $0.window = 1 }
        let (id, _) = core.submit(Self.messages(2), deadline: Self.start + .seconds(5))
        _ = try core.written()
        #expect(core.abandon(id).results == [[.unanswered, .notSent]])
        #expect(core.load == 0)
    }

    @Test func aMessageThatFitsNoPDUIsItsOwnFault() throws {
        var core = try Self.bound()
        var message = ShortMessage()
        message.destination.text = String(repeating: "1", count: 30)
        let effects = core.submit([message], deadline: Self.start + .seconds(5)).effects
        #expect(effects.results == [[.unfit("destination_addr")]])
    }

    // MARK: - Answers

    @Test func aNackIsARefusal() throws {
        var core = try Self.bound()
        _ = core.submit(Self.messages(1), deadline: Self.start + .seconds(5))
        let nack = PDU(.genericNack, status: .invalidCommand, sequence: try core.written()[0].sequence)
        #expect(core.receive(.success(nack), now: Self.start).results == [[.refused(.invalidCommand)]])
    }

    @Test func aNackOfNothingMeansThatTheFramingIsLost() throws {
        var core = try Self.bound()
        _ = core.receive(.success(PDU(.genericNack, status: .invalidCommandLength, sequence: 0)), now: Self.start)
        #expect(core.phase == .ending(.framingLost))
    }

    /// A refusal is one all the same.
    @Test(arguments: [(.ok, .unanswered), (.throttled, .refused(.throttled))] as [(CommandStatus, SubmitResult)])
    func anAnswerThatCannotBeReadIsNone(status: CommandStatus, result: SubmitResult) throws {
        var core = try Self.bound()
        _ = core.submit(Self.messages(1), deadline: Self.start + .seconds(5))
        let header = PDUHeader(
            length: 20, commandID: 0x8000_0004, status: status, sequence: try core.written()[0].sequence)
        let effects = core.receive(.failure(PDUError(.body, header: header)), now: Self.start)
        #expect(effects.results == [[result]])
    }

    @Test func throttlesAreCounted() throws {
        var core = try Self.bound()
        _ = core.submit(Self.messages(2), deadline: Self.start + .seconds(5))
        for (pdu, status) in zip(try core.written(), [CommandStatus.throttled, .queueFull]) {
            _ = core.receive(
                .success(PDU(.submitResponse(nil), status: status, sequence: pdu.sequence)), now: Self.start)
        }
        #expect(core.throttles == 2)
    }

    // MARK: - What the SMSC asks

    @Test func itsRequestsAreAnswered() throws {
        var core = try Self.bound()
        for body in [
            PDU.Body.enquireLink, .query(Query(messageID: "1", source: Address())),
            .outbind(Outbind(systemID: "", password: "")),
        ] {
            _ = core.receive(.success(PDU(body, sequence: 9)), now: Self.start)
        }
        let unknown = PDUHeader(length: 16, commandID: 0x777, status: .ok, sequence: 10)
        _ = core.receive(.failure(PDUError(.command, header: unknown)), now: Self.start)
        #expect(
            try core.written() == [
                PDU(.enquireLinkResponse, sequence: 9), PDU(.genericNack, status: .wrongBindState, sequence: 9),
                PDU(.genericNack, status: .invalidCommand, sequence: 10),
            ])
        #expect(core.phase == .bound)
    }

    @Test func aDeliveryIsAnsweredOnceItIsStored() throws {
        var core = try Self.bound()
        let effects = core.receive(.success(PDU(.deliver(ShortMessage()), sequence: 5)), now: Self.start)
        guard case .deliver(let delivery)? = effects.first else {
            Issue.record("no delivery")
            return
        }
        #expect(try core.written().isEmpty)
        core.answer(delivery, .temporaryReceiverError)
        #expect(
            try core.written()
                == [PDU(.deliverResponse(MessageResponse()), status: .temporaryReceiverError, sequence: 5)])
    }

    @Test func deliveriesBeyondTheLimitAreAskedToComeAgain() throws {
        var core = try Self.bound()
        for number in 1...UInt32(Session.deliveryLimit) {
            _ = core.receive(.success(PDU(.deliver(ShortMessage()), sequence: number)), now: Self.start)
        }
        #expect(core.receive(.success(PDU(.deliver(ShortMessage()), sequence: 5000)), now: Self.start).isEmpty)
        #expect(try core.written().map(\.status) == [.queueFull])
    }

    @Test func anUnbindIsAnsweredBeforeTheEnd() throws {
        var core = try Self.bound()
        _ = core.receive(.success(PDU(.unbind, sequence: 3)), now: Self.start)
        #expect(try core.written() == [PDU(.unbindResponse, sequence: 3)])
        #expect(core.phase == .ending(.unbound))
    }

    // MARK: - Life

    @Test func anIdleSessionIsAskedWhetherItLives() throws {
        var core = try Self.bound()
        _ = core.tick(now: Self.start + .seconds(29))
        #expect(try core.written().isEmpty)
        _ = core.tick(now: Self.start + .seconds(30))
        let enquiry = try core.written()[0]
        #expect(enquiry.body == .enquireLink)
        _ = core.receive(
            .success(PDU(.enquireLinkResponse, sequence: enquiry.sequence)), now: Self.start + .seconds(31))
        _ = core.tick(now: Self.start + .seconds(45))
        #expect(core.phase == .bound)
        _ = core.tick(now: Self.start + .seconds(61))
        #expect(try core.written().count == 1)
        _ = core.tick(now: Self.start + .seconds(71))
        #expect(core.phase == .ending(.unresponsive))
    }

    @Test func closingWaitsForWhatIsUnderWay() throws {
        var core = try Self.bound()
        _ = core.submit(Self.messages(1), deadline: Self.start + .seconds(5))
        let sent = try core.written()
        core.close(now: Self.start)
        #expect(core.submit(Self.messages(1), deadline: Self.start).effects.results == [[.notSent]])
        #expect(try core.written().isEmpty)
        _ = core.receive(Self.accepted(sent[0].sequence), now: Self.start)
        _ = core.tick(now: Self.start)
        let unbind = try core.written()[0]
        #expect(unbind.body == .unbind)
        _ = core.receive(.success(PDU(.unbindResponse, sequence: unbind.sequence)), now: Self.start)
        #expect(core.phase == .ending(.closed))
    }

    @Test func backoffDoublesAndIsLongAfterARefusal() {
        let backoff = SessionBackoff()
        #expect(
            (1...8).map { backoff.wait(after: .unbound, failures: $0, random: 1) }
                == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
        #expect(backoff.wait(after: .unbound, failures: 1, random: 0) == .milliseconds(500))
        #expect(backoff.wait(after: .refused(.invalidPassword), failures: 1, random: 0) == .seconds(30))
        #expect(backoff.wait(after: .refused(.alreadyBound), failures: 9, random: 1) == .seconds(300))
    }
}

extension SessionCore {
    /// The PDUs that are to be written now.
    mutating func written() throws -> [PDU] {
        var framer = Framer()
        framer.append(self.takeOutput(now: SessionCoreTests.start))
        var pdus: [PDU] = []
        while let pdu = try framer.next() { pdus.append(try pdu.get()) }
        return pdus
    }
}

extension [SessionCore.Effect] {
    var results: [[SubmitResult]] {
        self.compactMap { if case .finished(_, let results) = $0 { results } else { nil } }
    }
}
