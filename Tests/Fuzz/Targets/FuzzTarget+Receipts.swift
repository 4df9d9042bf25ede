import Channels
import HTTP
import Messaging
import Timestamps

extension FuzzTarget {
    /// Callbacks: `KIND METHOD TARGET`, fields and a body. It is proved, so that what reads it is reached; without proof nothing
    /// may be taken.
    static let receipts = FuzzTarget(name: "receipts") { bytes in
        let message = FuzzMessage(bytes)
        guard let driver = FuzzAccounts.driver(message.word(0)) else { return }
        let target = message.word(2).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let stranger = HTTPRequest(
            method: message.word(1), path: String(target.first ?? ""),
            query: target.count > 1 ? String(target[1]) : nil,
            fields: message.fields, body: message.body)
        if !bytes.contains(FuzzAccounts.token.utf8) { try Self.checkStranger(driver, stranger) }
        let request = FuzzSigner.proved(stranger, kind: message.word(0))
        guard case .receipts(let receipts)? = try Self.callback(driver, request) else { return }
        try promise("receipts have a limit", receipts.count <= 5000)
        for receipt in receipts { try Self.check(receipt) }
        guard case .receipts(let again)? = try Self.callback(driver, request) else { return }
        try promise("the same callback says the same", receipts == again)
    }

    // MARK: - Private

    static let now = Timestamp(seconds: 1_582_650_446)

    private static func callback(_ driver: any Driver, _ request: HTTPRequest) throws -> ProviderCallback? {
        do throws(ReceiptRefusal) {
            return try driver.callback(request, now: Self.now)
        } catch {
            try promise("a refusal has a status", (400...499).contains(error.status))
            return nil
        }
    }

    private static func checkStranger(_ driver: any Driver, _ request: HTTPRequest) throws {
        do throws(ReceiptRefusal) {
            _ = try driver.callback(request, now: Self.now)
        } catch {
            return try promise("a stranger is told nothing", error == .unauthenticated)
        }
        throw BrokenPromise(description: "a stranger's callback is not taken")
    }

    /// What PostgreSQL would refuse would cost all that came with it.
    private static func check(_ receipt: Receipt) throws {
        for text in [receipt.part, receipt.status, receipt.code] { try Self.checkStored(text) }
        if let moment = receipt.occurredAt {
            try promise("a time is one that can be stored", moment.microseconds > -210_866_803_200_000_000)
        }
    }

    static func checkStored(_ text: String) throws {
        try promise("a provider's word can be stored", !text.utf8.contains { $0 < 0x20 } && text.utf8.count <= 512)
    }
}
