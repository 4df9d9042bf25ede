import Testing
import Timestamps

@Suite struct RFC3339Tests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000001Z", 1), ("1969-12-31T23:59:59.999999Z", -1),
            ("2026-11-21T09:15:00Z", 1_795_252_500_000_000), ("2026-11-21T09:15:00.25Z", 1_795_252_500_250_000),
            ("2026-11-21t09:15:00z", 1_795_252_500_000_000), ("2026-11-21 09:15:00Z", 1_795_252_500_000_000),
            ("2026-11-21T10:15:00+01:00", 1_795_252_500_000_000), ("2026-11-21T10:15:00+0100", 1_795_252_500_000_000),
            ("2026-11-21T03:45:00-05:30", 1_795_252_500_000_000), ("2026-11-21T09:15:00-00:00", 1_795_252_500_000_000),
            ("2026-11-22T09:14:00+23:59", 1_795_252_500_000_000),
            // Digits past the sixth are dropped, not rounded.
            ("2026-11-21T09:15:00.1234569Z", 1_795_252_500_123_456),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000), ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000), ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            // A leap second is the first of the next minute.
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
        ] as [(String, Int64)])
    func isRead(text: String, microseconds: Int64) {
        #expect(Timestamp(text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11-21", "2026-11-21T09:15", "2026-11-21T09:15Z", "2026-11-21T09:15:00", "09:15:00Z",
        "2026-11-21T09:15:00.Z", "2026-11-21T09:15:00,5Z", "2026-11-21T24:00:00Z", "2026-11-21T09:60:00Z",
        "2026-11-21T09:15:61Z", "2026-00-21T09:15:00Z", "2026-13-21T09:15:00Z", "2026-11-00T09:15:00Z",
        "2026-11-31T09:15:00Z", "2026-02-29T09:15:00Z", "1900-02-29T09:15:00Z", "26-11-21T09:15:00Z",
        "2026-1-21T09:15:00Z", "2026-11-21T9:15:00Z", "+2026-11-21T09:15:00Z", "-2026-11-21T09:15:00Z",
        "2026-11-21T09:15:00+24:00", "2026-11-21T09:15:00+01:60", "2026-11-21T09:15:00+1", "2026-11-21T09:15:00+01",
        "2026-11-21T09:15:00+01:00:00", "2026-11-21T09:15:00ZZ", " 2026-11-21T09:15:00Z", "2026-11-21T09:15:00Z ",
        "2026-11-21T09:15:00Z\n", "2026-11-21T09:15:00Z\u{0}", "2026/11/21T09:15:00Z", "2026-11-21_09:15:00Z",
        "２０２６-11-21T09:15:00Z", "20261121T091500Z", "2026-W47-6T09:15:00Z", "tomorrow", "1795252500",
    ])
    func isRefused(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_795_252_500_250_999, "2026-11-21T09:15:00.250Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (-1_000_000, "1969-12-31T23:59:59.000Z"),
            (951_782_399_999_999, "2000-02-28T23:59:59.999Z"), (-62_135_596_800_000_000, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func isWritten(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    @Test func whatIsWrittenIsRead() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            let moment = Timestamp(
                microseconds: .random(in: -62_135_596_800_000...253_402_300_799_999, using: &generator) * 1000)
            #expect(Timestamp(moment.description) == moment)
        }
    }

    @Test func durationsAreAddedAndFound() {
        let moment = Timestamp(seconds: 1_795_252_500)
        #expect(moment + .milliseconds(1500) - moment == .milliseconds(1500))
        #expect(moment - .seconds(1) < moment)
        #expect((moment + .microseconds(1)).seconds == moment.seconds)
        #expect(Timestamp(microseconds: 1_999_999).milliseconds == 1999)
        #expect(Duration.milliseconds(-1500).microseconds == -1_500_000)
        #expect(Duration.microseconds(1999).milliseconds == 1)
        #expect(Duration.milliseconds(1500).inSeconds == 1.5)
    }

    @Test func nowIsNow() {
        let (before, now, after) = (Timestamp.now, Timestamp.now, Timestamp.now)
        #expect(before <= now && now <= after)
        #expect(now > Timestamp(seconds: 1_700_000_000))
    }
}
