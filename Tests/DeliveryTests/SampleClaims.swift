import Messaging
import Routing
import Timestamps

@testable import Delivery
@testable import Store

extension Claim {
    /// A claim that differs from the usual in what is named.
    static func sample(
        _ number: UInt64 = 1, account: Int32 = 1, provider: Int32 = 1, priority: Priority = .otp, attempt: Int16 = 1,
        series: Int16 = 1, state: MessageState = .queued, body: [UInt8]? = [1], remaining: Duration = .seconds(600),
        quota: Int32 = 10, isCut: Bool = false, parts: Int16 = 1
    ) -> Claim {
        Claim(
            id: MessageID(high: 0x0192_d1e4_7000_7000, low: 0x8000_0000_0000_0000 | number << 8),
            account: AccountID(rawValue: account), provider: ProviderID(rawValue: provider), priority: priority,
            attempt: attempt, series: series, waits: 0, tried: TargetSet(), state: state, channel: .sms,
            recipient: "+41790000077",
            parts: parts, body: body,
            remaining: remaining, age: .zero, quota: quota, isCut: isCut)
    }

    var number: UInt64 { self.id.low >> 8 & 0xFFFF }
}

extension HeldClaim {
    static func sample(_ number: UInt64, priority: Priority = .otp, series: Int16 = 1) -> HeldClaim {
        HeldClaim(
            claim: .sample(number, priority: priority, series: series), worker: WorkerID(rawValue: 1),
            since: .now)
    }
}
