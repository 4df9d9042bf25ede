import JSON
import Messaging
import PhoneNumbers
import Testing

@testable import Guard

@Suite struct PolicyTests {
    @Test func aFileSaysAllOfIt() {
        var reader = FieldReader()
        let json: JSON = [
            "countries": ["GB": "on", "CH": "guarded", "+999": "on", "*": "off", "001": "off"],
            "guard": [
                "mode": "watch", "refused_types": ["pager", "voip"], "number": ["per_10_minutes": 3, "per_day": 7],
                "block": ["per_day": 9], "ahead": 5, "ahead_guarded": 2, "country_per_hour": 100, "per_day": 1000,
                "spend": ["*": ["soft": "10", "hard": "20.5", "voice_hard": "5"]], "safe": ["+41791234567", "+41800"],
            ],
        ]
        let policy = GuardPolicy(json, reader: &reader)
        #expect(reader.problems == [])
        #expect(policy.mode == .watch)
        #expect(policy.countries == ["GB": .on, "CH": .guarded, "+999": .on, "*": .off, "001": .off])
        #expect(policy.refusedTypes == [.pager, .voip])
        #expect(policy.number == .init(short: 3, day: 7))
        #expect(policy.block == .init(short: 10, day: 9))
        #expect((policy.ahead, policy.aheadGuarded) == (5, 2))
        #expect(policy.countryPerHour == 100 && policy.accountPerDay == 1000)
        #expect(policy.spend == ["*": .init(soft: Money("10"), hard: Money("20.5"), voiceHard: Money("5"))])
        #expect(policy.safe == ["+41791234567", "+41800"])
    }

    @Test(
        arguments: [
            (["countries": ["gb": "on"]], "/countries/gb"), (["countries": ["GBR": "on"]], "/countries/GBR"),
            (["countries": ["GB": "yes"]], "/countries/GB"), (["countries": ["+": "on"]], "/countries/+"),
            (["countries": []], "/countries"), (["guard": ["mode": "off"]], "/guard/mode"),
            (["guard": ["number": 5]], "/guard/number"),
            (["guard": ["number": ["per_day": 0]]], "/guard/number/per_day"),
            (["guard": ["spend": ["*": ["hard": 5]]]], "/guard/spend/*/hard"),
            (["guard": ["spend": ["*": ["hard": "-5"]]]], "/guard/spend/*/hard"),
            (["guard": ["safe": ["41791234567"]]], "/guard/safe"), (["guard": ["safe": [""]]], "/guard/safe"),
            (["guard": ["refused_types": ["mobile"]]], "/guard/refused_types"),
            (["guard": ["colour": "green"]], "/guard/colour"),
        ] as [(JSON, String)])
    func whatIsWrongIsToldWithItsPlace(json: JSON, path: String) {
        var reader = FieldReader()
        _ = GuardPolicy(json, reader: &reader)
        #expect(reader.problems.map(\.path) == [path])
    }
}
