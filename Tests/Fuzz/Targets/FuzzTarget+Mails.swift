import HTTP
import Messaging

@testable import Channels

extension FuzzTarget {
    /// What mail servers say: a reply on the first line, and below it a mail that came back.
    static let mails = FuzzTarget(name: "mails") { bytes in
        guard let driver = FuzzAccounts.driver("smtp") as? SMTPDriver else { return }
        let lines = bytes.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false).map { Array($0) }
        try Self.checkReply(lines[0], driver)
        guard lines.count > 1 else { return }
        try Self.checkMail(lines[1], driver)
        try Self.checkLineEnds(lines[1])
    }

    // MARK: - Private

    private static func checkReply(_ line: [UInt8], _ driver: SMTPDriver) throws {
        let text = String(decoding: line, as: UTF8.self)
        let reply = SMTPReply(code: Int(text.prefix(3)) ?? 0, text: String(text.dropFirst(4)))
        switch driver.outcome(of: reply) {
        case .accepted(let parts): for part in parts { try Self.checkStored(part) }
        case .refused(_, let code, _): try Self.checkStored(code)
        default: break
        }
    }

    private static func checkMail(_ mail: [UInt8], _ driver: SMTPDriver) throws {
        let request = HTTPRequest(method: "POST", path: "/receipts/p/\(FuzzAccounts.token)", body: mail)
        guard case .receipts(let receipts) = try driver.callback(request, now: Self.now) else { return }
        try promise("receipts of a mail have a limit", receipts.count <= 16)
        for receipt in receipts {
            for text in [receipt.part, receipt.status, receipt.code] { try Self.checkStored(text) }
        }
    }

    /// Mail servers hand a mail to a pipe with bare line ends.
    private static func checkLineEnds(_ mail: [UInt8]) throws {
        let lines = mail.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard !lines.contains(where: { $0.last == 0x0D }) else { return }
        let wired = Array(lines.joined(separator: [0x0D, 0x0A]))
        try promise("line ends change nothing", BounceReport(parsing: wired) == BounceReport(parsing: mail))
    }
}
