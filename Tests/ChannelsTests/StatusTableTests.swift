import Messaging
import Testing

@testable import Channels

@Suite struct StatusTableTests {
    @Test func readsLinesRangesAndComments() throws {
        let table = try StatusTable(
            parsing: """
                # a comment, with commas,,,,

                a,1,failed,config,halt_provider,auth_failed
                a,3-5,sent,none,wait,accepted
                b,1,delivered,none,none,ok
                b,x-y,delivered,none,none,ok
                """
        )
        #expect(table["a", "1"] == Verdict(.failed, .config, .haltProvider, .authFailed))
        #expect(table["a", "4"] == Verdict(.sent, .none, .wait, .accepted))
        #expect(table["b", "1"] == Verdict(.delivered, .none, .none, .ok))
        #expect(table["a", "2"] == nil && table["a", "6"] == nil && table["c", "1"] == nil)
        #expect(table.codes("a") == ["1", "3", "4", "5"] && table.codes("b") == ["1", "x-y"])
    }

    @Test(arguments: [
        ("a,1,sent,none,wait", "line 1 has not six columns"),
        ("a,1,sent,none,wait,accepted,", "line 1 has not six columns"),
        ("\na,1,gone,none,wait,accepted", "line 2 holds an unknown word"),
        ("a,1,sent,some,wait,accepted", "line 1 holds an unknown word"),
        ("a,1,sent,none,dance,accepted", "line 1 holds an unknown word"),
        ("a,1,sent,none,wait,because", "line 1 holds an unknown word"),
        ("a,1-3,sent,none,wait,accepted\na,2,sent,none,wait,accepted", "line 2 repeats a code"),
    ])
    func aWrongTableIsRefused(_ text: String, _ problem: String) {
        let error = #expect(throws: StatusTableError.self) { try StatusTable(parsing: text) }
        #expect(error?.description == problem)
    }

    /// Each code that providers.md sections 2.2, 2.2.1, 2.4 and 10 name, and no other.
    @Test func theTablesHoldEveryDocumentedCode() {
        let vonage = StatusTable.vonageSMS
        #expect(
            vonage.codes("submit") == codes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 22, 23, 29, 32, 33]))
        #expect(
            vonage.codes("receipt")
                == ["delivered", "expired", "failed", "rejected", "accepted", "buffered", "unknown"]
        )
        #expect(vonage.codes("error") == codes(Array(0...15) + Array(50...54) + [95, 99]))
        let infobip = StatusTable.infobipSMS
        #expect(
            infobip.codes("status")
                == codes([
                    26, 7, 3, 2, 5, 4, 9, 31, 96, 97, 98, 99, 15, 29, 87, 6, 19, 8, 51, 52, 10, 11, 13, 12, 17, 14, 18,
                    20, 21, 100, 23, 24, 25,
                ])
        )
        #expect(infobip.codes("group") == codes(Array(0...5)))
        #expect(
            infobip.codes("error")
                == codes(
                    [1, 5, 6, 27, 9, 11, 12, 13, 31, 32, 33, 34, 255, 256] + Array(500...509) + Array(560...574)
                        + [
                            581, 629, 351, 352, 355, 368, 541, 542, 594, 603, 604, 607, 608, 609, 2052, 2053, 3041,
                            4099,
                        ]
                        + [4100, 4101, 4103, 4104, 4202, 345, 488, 632, 633, 811, 815, 2048, 2050, 4097, 4098, 5492]
                )
        )
        #expect(infobip.codes("override") == codes([628, 630, 631]))
    }

    /// What each of Twilio's codes of calls says (providers.md section 2.1.3); those of messages are in its conformance case.
    @Test(arguments: [
        ("13223", Verdict.Reason.invalidDestination), ("13224", .landline), ("13225", .callBarred),
        ("13226", .invalidDestination), ("13227", .geoNotPermitted), ("21215", .geoNotPermitted),
        ("21216", .fraudBlocked), ("21219", .configError), ("32017", .senderInvalid), ("32203", .fraudBlocked),
        ("32205", .geoNotPermitted),
    ])
    func twiliosCodesOfCallsAreLines(_ code: String, _ reason: Verdict.Reason) {
        #expect(StatusTable.twilio["error", code]?.reason == reason)
    }
}

private func codes(_ numbers: [Int]) -> Set<String> { Set(numbers.map(String.init)) }
