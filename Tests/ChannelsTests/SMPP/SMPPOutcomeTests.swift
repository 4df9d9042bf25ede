import Messaging
import SMPP
import Testing

@testable import Channels

/// Answers to outcomes.
@Suite struct SMPPOutcomeTests {
    typealias Case = (statuses: [UInt32], state: Verdict.ProviderState, action: Verdict.Action, reason: Verdict.Reason)

    /// Every status of providers.md section 5.4.
    static let cases: [Case] = [
        ([0x58, 0x14], .failed, .throttle, .throttledProvider),
        ([0x08, 0x45, 0xFF, 0xFE, 0x64], .failed, .retrySame, .providerError),
        ([0x0B, 0x50, 0x51], .rejected, .stop, .invalidDestination),
        ([0x0A, 0x48, 0x49], .failed, .failover, .senderInvalid),
        ([0x01], .failed, .stop, .tooLong), ([0x104], .failed, .stop, .encodingError),
        ([0x43, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0x62, 0x61, 0x15], .failed, .stop, .configError),
        ([0x65, 0x66], .rejected, .failover, .providerError),
        ([0x04, 0x05, 0x53], .failed, .haltProvider, .configError),
        ([0x0D, 0x0E, 0x0F], .failed, .haltProvider, .authFailed),
        ([0x400, 0x451, 0x4FF], .failed, .failover, .providerError),
        // In no table at all.
        ([0x777, 0xFFFF_FFFF], .failed, .failover, .providerError),
    ]

    @Test(arguments: cases) func eachStatusHasItsOutcome(_ sample: Case) throws {
        let driver = try Sample.smpp()
        for status in sample.statuses {
            guard
                case .refused(let verdict, let code, let wait) = driver.outcome(of: [.refused(.init(rawValue: status))])
            else {
                Issue.record("\(status) is no refusal")
                continue
            }
            #expect((verdict.state, verdict.action, verdict.reason) == (sample.state, sample.action, sample.reason))
            #expect(code == "0x" + String(status, radix: 16, uppercase: true))
            #expect((wait != nil) == (sample.action == .throttle))
        }
    }

    /// The range is each vendor's own, so what it means is an operator's row of data.
    @Test func aVendorsStatusIsPatchedByTheOperator() throws {
        let driver = try Sample.smpp(codes: "submit,0x400,failed,config,halt_provider,insufficient_credit")
        #expect(
            driver.outcome(of: [.refused(.init(rawValue: 0x400))])
                == .refused(
                    Verdict(.failed, .config, .haltProvider, .insufficientCredit), code: "0x400", retryAfter: nil))
    }

    @Test func aMessageIsWhatItsPartsAre() throws {
        let driver = try Sample.smpp()
        #expect(
            driver.outcome(of: [.accepted(messageID: "7"), .accepted(messageID: "8")]) == .accepted(parts: ["7", "8"]))
        #expect(driver.outcome(of: [.accepted(messageID: "")]) == .accepted(parts: []))
        #expect(driver.outcome(of: [.notSent, .notSent]) == .notSent(.networkTimeout))
        // What may have been sent is never called refused.
        #expect(driver.outcome(of: [.refused(.systemError), .unanswered]) == .unanswered(.networkTimeout))
        #expect(driver.outcome(of: [.accepted(messageID: "7"), .unanswered]) == .unanswered(.networkTimeout))
        // Somebody may have the first part, so it is not sent again as if nobody had.
        for later in [SubmitResult.refused(.throttled), .refused(.invalidDestination), .unfit("x"), .notSent] {
            #expect(driver.outcome(of: [.accepted(messageID: "7"), later]) == .unanswered(.providerError))
        }
    }

    @Test func aRefusedBindHaltsTheProvider() throws {
        let driver = try Sample.smpp()
        for status in [CommandStatus.invalidPassword, .invalidSystemID, .bindFailed, .alreadyBound] {
            guard case .refused(let verdict, _, _) = driver.outcome(ofBind: status) else {
                Issue.record("a refused bind is no refusal")
                continue
            }
            #expect(verdict.action == .haltProvider)
        }
    }

    // MARK: - Accounts

    @Test func anAccountHasItsSessions() throws {
        let driver = try SMPPDriver(
            Sample.smppAccount(
                ["bind": "transmitter+receiver", "binds": "2", "window": "64", "system_type": "otp"],
                url: "smpps://[2001:db8::1]:3551/"))
        #expect(driver.sessions.map(\.kind) == [.transmitter, .receiver, .transmitter, .receiver])
        for session in driver.sessions {
            #expect((session.host, session.port, session.window) == ("2001:db8::1", 3551, 64))
            #expect(session.tls == TLSSettings())
            #expect(session.bind == Bind(systemID: "pinpost", password: "s3cret", systemType: "otp"))
        }
        let plain = try Sample.smpp().sessions[0]
        #expect((plain.host, plain.port, plain.kind, plain.window) == ("smsc.example", 2775, .transceiver, 10))
        #expect(plain.tls == nil)
    }

    @Test(arguments: [
        "http://smsc.example", "smpp://", "smpp://smsc.example:0", "smpp://smsc.example:70000",
        "smpp://a:b@smsc.example",
        "smpp://smsc.example/path", "smsc.example:2775", "smpp://[::1",
    ]) func aURLThatIsNoneIsAProblem(_ url: String) {
        #expect(throws: ProviderProblems.self) { try SMPPDriver(Sample.smppAccount(url: url)) }
    }

    @Test(arguments: [
        ("window", "0"), ("window", "1001"), ("binds", "17"), ("bind", "both"), ("alphabet", "ebcdic"),
        ("number_address", "1"), ("number_address", "1/256"), ("dlr_id_mode", "x"),
        ("system_type", "much too long for it"),
        ("receipts", "some"), ("authorities", "/etc/ca.pem"), ("sender", "x"),
    ]) func aWrongSettingIsAProblem(_ name: String, _ value: String) {
        #expect {
            try SMPPDriver(Sample.smppAccount([name: value]))
        } throws: { ($0 as? ProviderProblems)?.problems.contains { $0.contains(name) } ?? false }
    }

    @Test func aPasswordThatDoesNotFitIsAProblemAndIsNotPrinted() {
        let account = Sample.smppAccount(credentials: ["system_id": "pinpost", "password": "123456789"])
        #expect {
            try SMPPDriver(account)
        } throws: { "\($0)".contains("password") && !"\($0)".contains("123456789") }
    }
}
