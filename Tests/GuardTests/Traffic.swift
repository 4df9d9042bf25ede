import Messaging
import PhoneNumbers
import Timestamps

@testable import Guard

/// One process's guard with a policy and a clock of its own.
struct Watchman {
    static let account = AccountID(rawValue: 1)

    var state = GuardState()
    var policy = GuardPolicy()
    var now = Timestamp(seconds: 1_800_000_000)

    init(_ countries: [String: GuardPolicy.CountryRule] = ["*": .on]) { self.policy.countries = countries }

    static func send(
        _ number: String, channel: Channel = .sms, isCode: Bool = true, isVerification: Bool = true,
        cost: String = "0.05",
        caller: GuardCaller = GuardCaller(), account: AccountID = account
    ) -> GuardedSend {
        guard let phone = PhoneNumber(number) else { preconditionFailure("\(number) is a number") }
        return GuardedSend(
            account: account, number: phone, range: PhoneNumberRanges.shared.range(of: number), channel: channel,
            isCode: isCode, isVerification: isVerification, cost: Money(cost), caller: caller)
    }

    mutating func judge(_ send: GuardedSend) -> GuardVerdict {
        self.state.judge(send, self.policy, at: self.now) { ["hash of \($0)"] }
    }

    /// Why a code to a number is refused; nil when it goes.
    mutating func refusal(
        _ number: String, channel: Channel = .sms, isCode: Bool = true, isVerification: Bool = true,
        cost: String = "0.05", caller: GuardCaller = GuardCaller()
    ) -> GuardReason? {
        self.judge(
            Self.send(
                number, channel: channel, isCode: isCode, isVerification: isVerification, cost: cost, caller: caller)
        ).refusal?.reason
    }

    mutating func use(_ number: String, isReported: Bool = false) {
        guard let phone = PhoneNumber(number) else { preconditionFailure("\(number) is a number") }
        self.state.used(
            phone, PhoneNumberRanges.shared.range(of: number), of: Self.account, self.policy, isReported: isReported,
            at: self.now)
    }

    mutating func pass(_ time: Duration) { self.now = self.now + time }
}

/// SplitMix64: the same numbers each time.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var word = self.state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
